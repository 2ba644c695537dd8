import type { Step } from '#vocabulary';
import type { Expectation } from '../expected.ts';
import type { Breach, Invariant, InvariantId } from '../invariants/invariant.ts';
import type { Fold, FoldMemory, Label, PutBack } from '../invariants/memory.ts';
import type { Broken } from './explore.ts';
import type { Fingerprint } from './fingerprint.ts';

/** A promise, and the fold that judges a run by it. */
export interface Watching<At> {
  readonly id: InvariantId;
  readonly watch: Fold<At>;
}

/** The folds of the promises that say anything of such a machine. */
export function watchesOf<At>(
  invariants: readonly Invariant[],
  start: (invariant: Invariant) => Fold<At> | undefined,
): readonly Watching<At>[] {
  return invariants.flatMap((invariant) => {
    const watch = start(invariant);
    return watch === undefined ? [] : [{ id: invariant.id, watch }];
  });
}

/** What the promises remember that remember anything. */
export function memoriesOf<At>(watches: readonly Watching<At>[]): readonly FoldMemory[] {
  return watches.flatMap(({ watch }) => watch.memory ?? []);
}

/** Returns what puts back what is remembered now, and what was said of the operations so far. */
export function saveMemories(memories: readonly FoldMemory[], said: number[]): PutBack {
  const putBacks = memories.map((memory) => memory.save());
  const saidThen = said.slice();
  return () => {
    for (const putBack of putBacks) putBack();
    for (let index = 0; index < saidThen.length; index += 1) said[index] = saidThen[index] ?? 0;
    said.length = saidThen.length;
  };
}

/** What each promise says of a moment. */
export function judged<At>(
  watches: readonly Watching<At>[],
  moment: At,
  spoken: Spoken,
  said: readonly number[],
): readonly Broken[] {
  let broken: Broken[] = NOTHING;
  for (const { id, watch } of watches) {
    const breaches = watch(moment);
    if (breaches.length > 0) broken = [...broken, ...breaches.map((breach) => spoken.judged(id, breach, said))];
  }
  return broken;
}

const NOTHING: Broken[] = [];

/** Tells everything that is remembered of a device, but for its vectors. */
export function tellMemories(
  memories: readonly FoldMemory[],
  place: number,
  label: Label,
  fingerprint: Fingerprint,
): void {
  for (const memory of memories) memory.tell(place, fingerprint, label);
}

export function tellVectorMemories(
  memories: readonly FoldMemory[],
  place: number,
  vector: number,
  label: Label,
  fingerprint: Fingerprint,
): void {
  for (const memory of memories) memory.tellVector(place, vector, fingerprint, label);
}

/**
 * What is to be remembered of the operations so far: which of the clauses that explain a known violation spoke in each,
 * a bit for each.
 */
export class Spoken {
  readonly #expectations: readonly Expectation[];
  readonly #bits: ReadonlyMap<string, number>;

  constructor(expectations: readonly Expectation[]) {
    const clauses = new Set(expectations.map(({ clause }) => clause));
    if (clauses.size > BITS)
      throw new Error(`${clauses.size} clauses explain what is known, and there are ${BITS} bits`);
    this.#expectations = expectations;
    this.#bits = new Map([...clauses].map((clause, place) => [clause, 1 << place]));
  }

  of({ clauses }: Step): number {
    let said = 0;
    if (this.#bits.size > 0) for (const clause of clauses) said |= this.#bits.get(clause) ?? 0;
    return said;
  }

  /** A breach with the clause that explains it: it spoke at one of the causes. */
  judged(id: InvariantId, breach: Breach, said: readonly number[]): Broken {
    const expectation = this.#expectations.find(({ invariant, clause }) => {
      const bit = this.#bits.get(clause) ?? 0;
      return invariant === id && breach.causes.some((cause) => ((said[cause] ?? 0) & bit) !== 0);
    });
    return { id, breach, expectedBy: expectation?.clause ?? null };
  }
}

const BITS = 32;

/** The clauses that spoke in the operation of an index. */
export function labelOf(said: readonly number[]): Label {
  return (index) => (index < 0 ? 0 : (said[index] ?? 0));
}

/**
 * Tells the vectors of a device, of which those from `first` on may be exchanged for each other. Returns how many ways
 * there are to give these states to those.
 */
export function tellInterchangeable(vectors: readonly Fingerprint[], first: number, fingerprint: Fingerprint): number {
  for (let place = 0; place < first; place += 1) vectors[place]?.tellTo(fingerprint);
  if (first >= vectors.length) return 1;
  const sorted = vectors.slice(first);
  if (sorted.length > 1) sorted.sort((left, right) => left.low - right.low || left.high - right.high);
  let ways = 1;
  let alike = 0;
  for (let place = 0; place < sorted.length; place += 1) {
    const one = sorted[place] as Fingerprint;
    alike = place > 0 && one.equals(sorted[place - 1] as Fingerprint) ? alike + 1 : 1;
    ways = (ways * (place + 1)) / alike;
    one.tellTo(fingerprint);
  }
  return ways;
}
