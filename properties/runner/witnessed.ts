import type { Scenario, Step, Support, Trace } from '#vocabulary';
import { OPERATION_KINDS, type Operation, type OperationKind, type Platform } from '#vocabulary';
import { witnessesOf } from '../witnesses/index.ts';
import type { Look, Witness } from '../witnesses/witness.ts';
import type { WitnessCount } from './verdict.ts';

/** By chance alone a thing is seen less often now and then: it must be missing where so many should be. */
const ENOUGH = 10;

/** What was seen in a part of a campaign: how many scenarios it was of, and in how many each witness was seen. */
export interface WitnessPart {
  readonly scenarios: number;
  readonly seen: readonly number[];
}

/** What was seen in a scenario is looked for no more. */
const SEEN: Look = () => false;

/** Counts the scenarios in which what must be seen was seen. */
export class WitnessTally {
  readonly #witnesses: readonly Witness[];
  /** The places of the witnesses that look at steps of a kind. */
  readonly #lookingAt: ReadonlyMap<OperationKind, readonly number[]>;
  readonly #seen: number[];
  /** Of the scenario at hand, each from the first step on that it looks at. */
  readonly #looks: (Look | null)[];
  #scenarios = 0;

  /** Of certain functions alone it depends on the functions what is seen how often, so nothing is looked for. */
  constructor({ operations, functions }: Pick<Support, 'operations' | 'functions'>, platform: Platform) {
    this.#witnesses = functions === 'any' ? witnessesOf({ operations }, platform) : [];
    this.#lookingAt = new Map(OPERATION_KINDS.map((kind) => [kind, placesOf(this.#witnesses, kind)]));
    this.#seen = this.#witnesses.map(() => 0);
    this.#looks = this.#witnesses.map(() => null);
  }

  /** @param trace of the reference */
  add({ operations }: Scenario, { steps }: Trace): void {
    this.#scenarios += 1;
    this.#looks.fill(null);
    for (let place = 0; place < steps.length; place += 1)
      this.#look(operations[place] as Operation, steps[place] as Step);
  }

  #look(operation: Operation, step: Step): void {
    for (const place of this.#lookingAt.get(operation.kind) as readonly number[]) {
      const look = this.#looks[place] ?? (this.#witnesses[place] as Witness).watch();
      const isSeen = look(operation, step);
      this.#looks[place] = isSeen ? SEEN : look;
      if (isSeen) this.#seen[place] = (this.#seen[place] as number) + 1;
    }
  }

  /** What was counted here, to be added elsewhere. */
  part(): WitnessPart {
    return { scenarios: this.#scenarios, seen: this.#seen };
  }

  merge({ scenarios, seen }: WitnessPart): void {
    this.#scenarios += scenarios;
    for (const [place, count] of seen.entries()) this.#seen[place] = (this.#seen[place] as number) + count;
  }

  counts(): readonly WitnessCount[] {
    return this.#witnesses.map(({ name, oneIn }, place) =>
      judged({ name, seen: this.#seen[place] as number, oneIn }, this.#scenarios),
    );
  }
}

function placesOf(witnesses: readonly Witness[], kind: OperationKind): readonly number[] {
  return [...witnesses.keys()].filter((place) => (witnesses[place] as Witness).looksAt?.includes(kind) ?? true);
}

/** Whether something was seen as often as it must be. */
function judged(count: Pick<WitnessCount, 'name' | 'seen' | 'oneIn'>, scenarios: number): WitnessCount {
  if (count.seen * count.oneIn >= scenarios) return { ...count, verdict: 'seen' };
  return { ...count, verdict: scenarios < ENOUGH * count.oneIn ? 'few' : 'rare' };
}

/**
 * What shards of one campaign have seen together.
 * @param scenarios of all
 */
export function addWitnesses(shards: readonly (readonly WitnessCount[])[], scenarios: number): readonly WitnessCount[] {
  const sums = new Map<string, Pick<WitnessCount, 'name' | 'seen' | 'oneIn'>>();
  for (const { name, seen, oneIn } of shards.flat())
    sums.set(name, { name, seen: (sums.get(name)?.seen ?? 0) + seen, oneIn });
  return [...sums.values()].map((sum) => judged(sum, scenarios));
}
