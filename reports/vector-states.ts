import { printVectorState, type Trace } from '#vocabulary';
import { guestEntryWords } from './changes.ts';

/** What is seen of vectors at one moment. */
export interface VectorState {
  /** ALLOCATED, ARMED, UNMASKED, PENDING and ADDRESS_0, added up, of the host's device. */
  readonly host: number;
  /** UNMASKED and PENDING, as the guest reads them; undefined where there is none. */
  readonly guest: number | undefined;
}

/** Neighbouring vectors of one device that are the same at every moment. */
export interface VectorGroup {
  /** `0`, `0-3`, `5 @1` */
  readonly name: string;
  /** After each operation; the state at the start is in `before`. */
  readonly after: readonly VectorState[];
  readonly before: VectorState;
}

/** The vectors that a trace touched, in groups. */
export function vectorGroups({ initial, steps }: Trace): readonly VectorGroup[] {
  const observations = [initial, ...steps.map(({ observation }) => observation)];
  return initial.flatMap((start, device) => {
    const hasGuest = start.guest !== undefined;
    const seen = observations.map((observation) => observation[device]);
    const touched = new Set(
      seen.flatMap((one) => [...(one?.changes ?? []), ...(one?.guest?.changes ?? [])]).map(({ vector }) => vector),
    );
    const groups: { first: number; last: number; history: readonly VectorState[] }[] = [];
    for (const vector of [...touched].sort((left, right) => left - right)) {
      const history = historyOf(vector, seen, hasGuest);
      const group = groups.at(-1);
      const isNext = group?.last === vector - 1 && JSON.stringify(group.history) === JSON.stringify(history);
      if (group !== undefined && isNext) group.last = vector;
      else groups.push({ first: vector, last: vector, history });
    }
    return groups.map(({ first, last, history }) => ({
      name: `${first === last ? first : `${first}-${last}`}${device === 0 ? '' : ` @${device}`}`,
      before: history[0] ?? { host: 0, guest: undefined },
      after: history.slice(1),
    }));
  });
}

function historyOf(
  vector: number,
  seen: readonly (Trace['initial'][number] | undefined)[],
  hasGuest: boolean,
): readonly VectorState[] {
  let host = 0;
  let guest = 0;
  return seen.map((device) => {
    host = device?.changes.find((change) => change.vector === vector)?.state ?? host;
    guest = device?.guest?.changes.find((change) => change.vector === vector)?.state ?? guest;
    return { host, guest: hasGuest ? guest : undefined };
  });
}

/** `allocated armed unmasked`, or beside a guest `guest unmasked; host allocated armed unmasked`. */
export function vectorStateWords({ host, guest }: VectorState): string {
  const words = printVectorState(host);
  return guest === undefined ? words : `guest ${guestEntryWords({ state: guest })}; host ${words}`;
}
