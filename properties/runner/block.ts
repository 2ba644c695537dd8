import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Platform, Scenario, System } from '#vocabulary';
import { scenarios } from '../generators/scenario.ts';
import { lockstep, type Terms } from './lockstep.ts';
import { Tally, type TallyPart } from './tally.ts';

/** Scenarios that fast-check draws from one seed: the unit of sharding, and of sharing among processes. */
export const BLOCK_SCENARIOS = 50;

/** Where the scenarios of a campaign come from. */
export interface Drawing {
  readonly system: System;
  readonly platform: Platform;
  readonly seed: number;
  /** Scenarios of the whole campaign. */
  readonly scenarios: number;
  /** Longest scenario, in operations; the generators know what is good when left open. */
  readonly lengthMax: number | undefined;
}

/** The scenarios of a block, the same whoever draws them; none beyond the last block. */
export function drawBlock(drawing: Drawing, block: number): readonly Scenario[] {
  const numRuns = Math.min(BLOCK_SCENARIOS, drawing.scenarios - block * BLOCK_SCENARIOS);
  if (numRuns <= 0) return [];
  const arbitrary = scenarios(drawing.system.support, drawing.platform, drawing.lengthMax);
  return fc.sample(arbitrary, { seed: blockSeed(drawing.seed, block), numRuns });
}

/** The seed of a block: the same for every number of shards. */
function blockSeed(seed: number, block: number): number {
  return createHash('sha256').update(`${seed} ${block}`).digest().readInt32LE();
}

/**
 * Runs the scenarios of a block one after the other.
 * @param known kinds of failure of which no example is wanted
 */
export async function judgeBlock(
  drawing: Drawing,
  terms: Terms,
  block: number,
  known: readonly string[],
): Promise<TallyPart> {
  const tally = new Tally(drawing, known);
  for (const [place, scenario] of drawBlock(drawing, block).entries())
    tally.add(scenario, await lockstep(drawing.system, scenario, terms), block * BLOCK_SCENARIOS + place);
  return tally.part();
}
