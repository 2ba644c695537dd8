import type { Operation, Platform, Scenario, Step, Support, Trace } from '#vocabulary';
import { witnessesOf } from '../witnesses/index.ts';
import type { Witness } from '../witnesses/witness.ts';
import type { WitnessCount } from './verdict.ts';

/** By chance alone a thing is seen less often now and then: it must be missing where so many should be. */
const ENOUGH = 10;

/** What was seen in a part of a campaign: how many scenarios it was of, and in how many each witness was seen. */
export interface WitnessPart {
  readonly scenarios: number;
  readonly seen: readonly number[];
}

/** Counts the scenarios in which what must be seen was seen. */
export class WitnessTally {
  readonly #witnesses: readonly Witness[];
  readonly #seen: number[];
  #scenarios = 0;

  /** Of certain functions alone it depends on the functions what is seen how often, so nothing is looked for. */
  constructor({ operations, functions }: Pick<Support, 'operations' | 'functions'>, platform: Platform) {
    this.#witnesses = functions === 'any' ? witnessesOf({ operations }, platform) : [];
    this.#seen = this.#witnesses.map(() => 0);
  }

  /** @param trace of the reference */
  add({ config, operations }: Scenario, { steps }: Trace): void {
    this.#scenarios += 1;
    for (const [place, { watch }] of this.#witnesses.entries())
      if (isSeen(watch(config), operations, steps)) this.#seen[place] = (this.#seen[place] as number) + 1;
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

function isSeen(look: ReturnType<Witness['watch']>, operations: readonly Operation[], steps: readonly Step[]): boolean {
  for (let place = 0; place < steps.length; place += 1)
    if (look(operations[place] as Operation, steps[place] as Step)) return true;
  return false;
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
