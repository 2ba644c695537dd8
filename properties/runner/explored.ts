import type { Step } from '#vocabulary';
import type { Expectation } from '../expected.ts';
import type { Breach, Invariant, InvariantId } from '../invariants/invariant.ts';
import type { Fold, FoldMemory, Label } from '../invariants/memory.ts';
import type { Broken } from './explore.ts';

/** A promise with what it remembers of the run so far. */
export interface Watching<At> {
  readonly id: InvariantId;
  readonly watch: Fold<At>;
  /** Null for one that remembers nothing. */
  readonly memory: FoldMemory<At> | null;
}

/** The folds of the promises that say anything of such a machine. */
export function watchesOf<At>(
  invariants: readonly Invariant[],
  start: (invariant: Invariant) => Fold<At> | undefined,
): readonly Watching<At>[] {
  return invariants.flatMap((invariant) => {
    const watch = start(invariant);
    return watch === undefined ? [] : [{ id: invariant.id, watch, memory: watch.memory ?? null }];
  });
}

export function copyOfWatches<At>(watches: readonly Watching<At>[]): readonly Watching<At>[] {
  return watches.map((watching) =>
    watching.memory === null ? watching : { ...watching, memory: watching.memory.copy() },
  );
}

/** What each promise says of a moment. */
export function judged<At>(
  watches: readonly Watching<At>[],
  moment: At,
  spoken: Spoken,
  said: readonly string[],
): readonly Broken[] {
  let broken: Broken[] = NOTHING;
  for (const { id, watch, memory } of watches) {
    const breaches = memory === null ? watch(moment) : memory.judge(moment);
    if (breaches.length > 0) broken = [...broken, ...breaches.map((breach) => spoken.judged(id, breach, said))];
  }
  return broken;
}

const NOTHING: Broken[] = [];

/** Everything that is remembered of a device, and of a vector of it, as text. */
export function memoryKey<At>(watches: readonly Watching<At>[], place: number, label: Label): string {
  let key = '';
  for (const { memory } of watches) if (memory !== null) key += memory.key(place, label);
  return key;
}

export function vectorMemoryKey<At>(
  watches: readonly Watching<At>[],
  place: number,
  vector: number,
  label: Label,
): string {
  let key = '';
  for (const { memory } of watches) if (memory !== null) key += memory.keyOf(place, vector, label);
  return key;
}

/**
 * What is to be remembered of the operations so far: which of the clauses that explain a known violation spoke in each,
 * a character for each.
 */
export class Spoken {
  readonly #expectations: readonly Expectation[];
  readonly #clauses: ReadonlyMap<string, string>;

  constructor(expectations: readonly Expectation[]) {
    this.#expectations = expectations;
    this.#clauses = new Map(expectations.map(({ clause }, place) => [clause, String.fromCharCode(0x41 + place)]));
  }

  of({ clauses }: Step): string {
    let said = '';
    if (this.#clauses.size > 0) for (const clause of clauses) said += this.#clauses.get(clause) ?? '';
    return said;
  }

  /** A breach with the clause that explains it: it spoke at one of the causes. */
  judged(id: InvariantId, breach: Breach, said: readonly string[]): Broken {
    const expectation = this.#expectations.find(({ invariant, clause }) => {
      const letter = this.#clauses.get(clause);
      return invariant === id && letter !== undefined && breach.causes.some((cause) => said[cause]?.includes(letter));
    });
    return { id, breach, expectedBy: expectation?.clause ?? null };
  }
}

/** The clauses that spoke in the operation of an index. */
export function labelOf(said: readonly string[]): Label {
  return (index) => (index < 0 ? '' : (said[index] ?? ''));
}

/** Keys of the vectors of a device as one, in which those from `first` on may be exchanged for each other. */
export function joined(keys: string[], first: number): string {
  if (first >= keys.length - 1) return keys.join('/');
  if (first === 0) return keys.sort().join('/');
  return `${keys.slice(0, first).join('/')}/${keys.slice(first).sort().join('/')}`;
}

/** How many ways there are to give these keys to the vectors from `first` on. */
export function orbitOf(keys: readonly string[], first: number): number {
  const counts = new Map<string, number>();
  let ways = 1;
  for (const [place, key] of keys.slice(first).entries()) {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    ways = (ways * (place + 1)) / count;
  }
  return ways;
}
