import type { Step } from '#vocabulary';
import type { Expectation } from '../expected.ts';
import type { Breach, Invariant, InvariantId } from '../invariants/invariant.ts';
import type { Fold, FoldMemory, Label } from '../invariants/memory.ts';
import type { Broken } from './explore.ts';
import type { Fingerprint } from './fingerprint.ts';

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

/** Tells everything that is remembered of a device, but for its vectors. */
export function tellMemory<At>(
  watches: readonly Watching<At>[],
  place: number,
  label: Label,
  fingerprint: Fingerprint,
): void {
  for (const { memory } of watches) if (memory !== null) fingerprint.text(memory.key(place, label));
}

export function tellVectorMemory<At>(
  watches: readonly Watching<At>[],
  place: number,
  vector: number,
  label: Label,
  fingerprint: Fingerprint,
): void {
  for (const { memory } of watches) if (memory !== null) fingerprint.text(memory.keyOf(place, vector, label));
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

/**
 * Tells the vectors of a device, of which those from `first` on may be exchanged for each other. Returns how many ways
 * there are to give these states to those.
 */
export function tellInterchangeable(vectors: readonly Fingerprint[], first: number, fingerprint: Fingerprint): number {
  for (let place = 0; place < first; place += 1) vectors[place]?.tellTo(fingerprint);
  if (first >= vectors.length) return 1;
  const sorted = vectors.slice(first).sort((left, right) => left.low - right.low || left.high - right.high);
  let ways = 1;
  let alike = 0;
  for (const [place, one] of sorted.entries()) {
    const before = sorted[place - 1];
    alike = before?.equals(one) === true ? alike + 1 : 1;
    ways = (ways * (place + 1)) / alike;
    one.tellTo(fingerprint);
  }
  return ways;
}
