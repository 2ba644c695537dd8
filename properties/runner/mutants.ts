import fc from 'fast-check';
import { HarnessError, parseOperation, type Scenario, type System, type Trace } from '#vocabulary';
import { type ProfileName, platformOf, profileNamed } from '../../model/profiles.ts';
import { scenarios } from '../generators/scenario.ts';
import { INVARIANTS, violations } from '../invariants/index.ts';
import type { Invariant, InvariantId } from '../invariants/invariant.ts';
import { IN_PROCESS, type Minimised, minimise } from '../minimiser/minimise.ts';
import { stateAfter } from '../minimiser/model-state.ts';
import type { Proof } from '../minimiser/proof.ts';
import { lockstep } from './lockstep.ts';
import type { Judgement } from './verdict.ts';

/** What is looked for: a system with one fault, and what is known of it. A Mutant is one, with its limit. */
export interface Quarry {
  readonly id: string;
  /** The InvariantId of the promise that it breaks. */
  readonly invariant: string;
  /** The sequence by which it is told, in the notation, and the machine: the rest of a Config. */
  readonly shortest: Omit<Scenario['config'], 'host' | 'vmm' | 'mdev'> & {
    readonly profile: string;
    readonly operations: readonly string[];
  };
}

/** How one search goes. */
export interface HuntPlan {
  readonly seed: number;
  /** Scenarios after which it has survived. */
  readonly scenarios: number;
  /** Leaves out the scenarios that do not fulfil it. */
  readonly only?: (scenario: Scenario) => boolean;
}

/** What came of one search. */
export interface Hunt {
  readonly id: string;
  readonly seed: number;
  readonly verdict: 'killed' | 'survived' | 'errored';
  /** What the harness said when it failed. */
  readonly reason?: string;
  /** The promise that was seen broken, the named one if it was; `divergence` where the system only differed. */
  readonly by: InvariantId | 'divergence' | null;
  /** Scenarios, and operations in them, up to the first in which the system did not do what it should, or all. */
  readonly scenarios: number;
  readonly operations: number;
  /** Scenarios up to the first in which the named promise was broken; null where it never was. */
  readonly toldAfter: number | null;
  /** That scenario, as short as it gets, and what is known of its length. */
  readonly shrunk: Scenario | null;
  readonly proof: Proof | null;
  readonly seconds: number;
}

/** Scenarios that are drawn at once. */
const BLOCK_SCENARIOS = 10;

/**
 * Draws scenarios until one breaks the promise that is named, and shrinks it. A mutant is killed as soon as it does not
 * do what the reference does, but told only by its promise.
 */
export async function hunt(quarry: Quarry, system: System, plan: HuntPlan): Promise<Hunt> {
  const startedAt = performance.now();
  const tally = { scenarios: 0, operations: 0 };
  const told = (outcome: Pick<Hunt, 'verdict'> & Partial<Hunt>): Hunt => ({
    ...{ id: quarry.id, seed: plan.seed, by: null, toldAfter: null, shrunk: null, proof: null, ...tally, ...outcome },
    seconds: (performance.now() - startedAt) / 1000,
  });
  try {
    const chase = new Chase(quarry, system);
    let drawnSoFar = 0;
    let first: Scenario | null = null;
    for (const scenario of drawn(chase, plan)) {
      drawnSoFar += 1;
      if (first === null) {
        tally.scenarios = drawnSoFar;
        tally.operations += scenario.operations.length;
        if (await chase.differs(scenario)) first = scenario;
      }
      if (first !== null && (await chase.tells(scenario))) {
        const { scenario: shrunk, proof } = await chase.shrink(scenario);
        return told({ verdict: 'killed', by: chase.named.id, toldAfter: drawnSoFar, shrunk, proof });
      }
    }
    if (first === null) return told({ verdict: 'survived' });
    return told({ verdict: 'killed', by: await chase.otherwiseTold(first) });
  } catch (error) {
    return told({ verdict: 'errored', reason: String(error) });
  }
}

/** A search of which nothing is known but that it failed. */
export function unanswered({ id, seed }: Pick<Hunt, 'id' | 'seed'>, reason: string): Hunt {
  return {
    ...{ id, seed, verdict: 'errored', reason, by: null },
    ...{ scenarios: 0, operations: 0, toldAfter: null, shrunk: null, proof: null, seconds: 0 },
  };
}

/** A search of one mutant, whatever the seed. */
class Chase {
  readonly named: Invariant;
  readonly profile: ProfileName;
  readonly system: System;
  /** What the system did the last time that it was asked whether it tells. */
  #shown: Trace | null = null;

  /** @throws HarnessError for a mutant that speaks of what does not exist */
  constructor({ id, invariant, shortest }: Quarry, system: System) {
    this.system = system;
    this.profile = existing(profileNamed(shortest.profile), `${id}: there is no profile ${shortest.profile}`);
    this.named = existing(
      INVARIANTS.find((one) => one.id === invariant),
      `${id}: there is no invariant ${invariant}`,
    );
  }

  #judge(scenario: Scenario, invariants: readonly Invariant[]): Promise<Judgement> {
    return lockstep(this.system, scenario, { profile: this.profile, invariants });
  }

  /** Whether the system does anything that the reference does not. */
  async differs(scenario: Scenario): Promise<boolean> {
    const { divergences } = await this.#judge(scenario, []);
    return divergences.length > 0;
  }

  /** Whether the promise is broken, and nobody expects it. */
  async tells(scenario: Scenario): Promise<boolean> {
    const { config, operations } = scenario;
    this.#shown = await this.system.run(scenario);
    // The reference is only needed to say what is expected.
    if (violations([this.named], config, operations, this.#shown).length === 0) return false;
    const judgement = await this.#judge(scenario, [this.named]);
    this.#shown = judgement.subject;
    return judgement.violations.some(({ expectedBy }) => expectedBy === null);
  }

  /** What else is broken in a scenario. */
  async otherwiseTold(scenario: Scenario): Promise<InvariantId | 'divergence'> {
    const judgement = await this.#judge(scenario, INVARIANTS);
    return judgement.violations.find(({ expectedBy }) => expectedBy === null)?.invariant ?? 'divergence';
  }

  /** As short as fast-check makes it, and then as it gets. */
  async shrink(scenario: Scenario): Promise<Minimised> {
    const suspect = {
      stillFails: (shorter: Scenario) => this.tells(shorter),
      stateAfter: (shorter: Scenario) => this.#stateAfter(shorter),
      atOnce: 1,
    };
    return minimise(await this.#shrinkSimply(scenario), suspect, this.system.support, IN_PROCESS);
  }

  #stateAfter(scenario: Scenario): string {
    if (this.#shown === null) throw new Error('the state after a scenario was asked before it was run');
    return stateAfter(scenario, this.#shown, this.system.precision);
  }

  async #shrinkSimply(scenario: Scenario): Promise<Scenario> {
    let shortest = scenario;
    const property = fc.asyncProperty(this.arbitrary(), async (simpler) => {
      if (!(await this.tells(simpler))) return true;
      shortest = simpler;
      return false;
    });
    await fc.check(property, { examples: [[scenario]], numRuns: 1 });
    return shortest;
  }

  arbitrary(): fc.Arbitrary<Scenario> {
    return scenarios(this.system.support, platformOf(this.profile));
  }
}

function existing<T>(found: T | undefined, otherwise: string): T {
  if (found === undefined) throw new HarnessError(otherwise);
  return found;
}

/** As many scenarios as are asked for, of those that are wanted. */
function* drawn(chase: Chase, { seed, scenarios: most, only = () => true }: HuntPlan): Generator<Scenario> {
  let left = most;
  for (let block = 0; left > 0; block += 1) {
    for (const scenario of fc.sample(chase.arbitrary(), { seed: mixed(seed, block), numRuns: BLOCK_SCENARIOS })) {
      if (left === 0 || !only(scenario)) continue;
      left -= 1;
      yield scenario;
    }
  }
}

/** 32 bits of two numbers, so that neighbours share none. Source: the finaliser of MurmurHash3. */
function mixed(seed: number, block: number): number {
  let bits = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/**
 * The sequence by which a mutant is told, or the beginning of it.
 * @throws HarnessError for a profile that does not exist
 */
export function shortestOf({ id, shortest }: Quarry, length?: number): Scenario {
  const { profile, operations, ...machine } = shortest;
  const named = existing(profileNamed(profile), `${id}: there is no profile ${profile}`);
  return {
    config: { ...platformOf(named), ...machine },
    operations: operations.slice(0, length).map(parseOperation),
  };
}

/** What came of all searches of one mutant. */
export interface HuntSummary {
  readonly id: string;
  readonly invariant: string;
  readonly seeds: number;
  readonly killed: number;
  readonly errored: number;
  /** Searches that the named promise ended. */
  readonly told: number;
  /** The ways in which it was killed, each once. */
  readonly by: readonly (InvariantId | 'divergence')[];
  /** Of the searches that killed it; null where none did. */
  readonly scenarios: Spread | null;
  readonly operations: Spread | null;
  /** Of those that the named promise ended; null where none was. */
  readonly toldAfter: Spread | null;
  /** Operations. */
  readonly shrunk: Spread | null;
  /** Searches in which no shorter sequence is left that was not tried, in the scope of the search. */
  readonly proved: number;
  /** Operations of the shortest sequence known. */
  readonly shortest: number;
  readonly seconds: number;
}

export interface Spread {
  readonly median: number;
  readonly worst: number;
}

export function summarise({ id, invariant, shortest }: Quarry, hunts: readonly Hunt[]): HuntSummary {
  const kills = hunts.filter(({ verdict }) => verdict === 'killed');
  return {
    id,
    invariant,
    seeds: hunts.length,
    killed: kills.length,
    errored: hunts.filter(({ verdict }) => verdict === 'errored').length,
    told: kills.filter(({ toldAfter }) => toldAfter !== null).length,
    by: [...new Set(kills.flatMap(({ by }) => (by === null ? [] : [by])))],
    scenarios: spread(kills.map((kill) => kill.scenarios)),
    operations: spread(kills.map((kill) => kill.operations)),
    toldAfter: spread(kills.flatMap(({ toldAfter }) => toldAfter ?? [])),
    shrunk: spread(kills.flatMap(({ shrunk }) => shrunk?.operations.length ?? [])),
    proved: kills.filter(({ proof }) => proof?.kind === 'proved').length,
    shortest: shortest.operations.length,
    seconds: hunts.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

function spread(numbers: readonly number[]): Spread | null {
  const ascending = [...numbers].sort((left, right) => left - right);
  const [median, worst] = [ascending[ascending.length >> 1], ascending.at(-1)];
  return median === undefined || worst === undefined ? null : { median, worst };
}
