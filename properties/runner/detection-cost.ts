import fc from 'fast-check';
import { HarnessError, type Scenario, type System } from '#vocabulary';
import { type ProfileName, platformOf, profileNamed } from '../../model/profiles.ts';
import { scenarios } from '../generators/scenario.ts';
import { uniformScenarios } from '../generators/uniform.ts';
import { lockstep } from './lockstep.ts';
import type { Quarry } from './mutants.ts';

/** What it costs to find one fault, by two ways of drawing scenarios. */
export interface CostRow {
  readonly id: string;
  readonly seeds: number;
  readonly ours: Cost;
  readonly uniform: Cost;
}

export interface Cost {
  /** Searches that found it before the operations ran out. */
  readonly found: number;
  /** Operations until the first that was answered otherwise; Infinity where most searches found nothing. */
  readonly median: number;
}

export interface CostPlan {
  readonly seeds: number;
  /** Operations after which a search is given up. */
  readonly operationsMax: number;
  readonly onRow?: (row: CostRow) => void;
}

/** What is looked for, and the system that has it. */
export interface Sought {
  readonly quarry: Quarry;
  readonly system: System;
}

/** Scenarios that are drawn at once. */
const BLOCK_SCENARIOS = 10;

/** Searches for each fault with our generators and with uniform ones, on the same machines, from the same seeds. */
export async function detectionCosts(all: readonly Sought[], plan: CostPlan): Promise<readonly CostRow[]> {
  const rows: CostRow[] = [];
  for (const { quarry, system } of all) {
    const profile = profileOf(quarry);
    const { support } = system;
    const cost = (arbitrary: fc.Arbitrary<Scenario>): Promise<Cost> => costOf(system, profile, arbitrary, plan);
    const ours = await cost(scenarios(support, platformOf(profile)));
    const uniform = await cost(uniformScenarios(support, platformOf(profile)));
    const row = { id: quarry.id, seeds: plan.seeds, ours, uniform };
    rows.push(row);
    plan.onRow?.(row);
  }
  return rows;
}

function profileOf({ id, shortest }: Quarry): ProfileName {
  const profile = profileNamed(shortest.profile);
  if (profile === undefined) throw new HarnessError(`${id}: there is no profile ${shortest.profile}`);
  return profile;
}

async function costOf(
  system: System,
  profile: ProfileName,
  arbitrary: fc.Arbitrary<Scenario>,
  { seeds, operationsMax }: CostPlan,
): Promise<Cost> {
  const costs: number[] = [];
  for (let seed = 0; seed < seeds; seed += 1)
    costs.push(await operationsToTheKill(system, profile, arbitrary, seed, operationsMax));
  return { found: costs.filter(Number.isFinite).length, median: median(costs) };
}

/** Operations up to the first that is not answered as the reference does; Infinity where there are too many. */
async function operationsToTheKill(
  system: System,
  profile: ProfileName,
  arbitrary: fc.Arbitrary<Scenario>,
  seed: number,
  operationsMax: number,
): Promise<number> {
  let operations = 0;
  for (let block = 0; operations < operationsMax; block += 1) {
    for (const scenario of fc.sample(arbitrary, { seed: seed * 1_000_003 + block, numRuns: BLOCK_SCENARIOS })) {
      const { divergences } = await lockstep(system, scenario, { profile, invariants: [] });
      const [first] = divergences;
      if (first !== undefined) return operations + first.step + 1;
      operations += scenario.operations.length;
    }
  }
  return Number.POSITIVE_INFINITY;
}

/** What the searches for many faults come to. */
export interface CostSummary {
  readonly faults: number;
  /** Of the medians of all faults; Infinity where most were not found. */
  readonly ours: number;
  readonly uniform: number;
  /** Ids of faults that no search has found. */
  readonly neverByOurs: readonly string[];
  readonly neverByUniform: readonly string[];
  /**
   * The most that `ours` is of `uniform`, where what was not found counts as found by the very last operation; so it is
   * less in truth.
   */
  readonly ratio: number;
}

export function summariseCosts(
  rows: readonly CostRow[],
  { operationsMax }: Pick<CostPlan, 'operationsMax'>,
): CostSummary {
  const never = (way: 'ours' | 'uniform'): string[] => rows.filter((row) => row[way].found === 0).map(({ id }) => id);
  const ours = median(rows.map((row) => row.ours.median));
  const uniform = median(rows.map((row) => row.uniform.median));
  return {
    ...{ faults: rows.length, ours, uniform, neverByOurs: never('ours'), neverByUniform: never('uniform') },
    ratio: ours / Math.min(uniform, operationsMax),
  };
}

/** Of the middle two the upper one, so that what was never found is not left out. */
function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}
