import fc from 'fast-check';
import type { PciFunction, Platform, Scenario, Support, System } from '#vocabulary';
import { specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { lockstep } from './lockstep.ts';

/** One thing measured against another on the same work, in turns, in one run. */
export interface BenchRow {
  readonly what: string;
  readonly against: string;
  /** Operations per second of `what`: the median of the turns. */
  readonly operationsPerSecond: number;
  /** Time of `what` divided by time of `against`. */
  readonly ratio: number;
}

const SCENARIOS = 1500;
const TURNS = 7;
const SMALL = 8;
const LARGE = 2048;
const TABLE: PciFunction = { msixVectors: SMALL, whileOff: 'latches' };

/**
 * Measures the parts of a campaign against each other.
 * @param optimised the implementation; it must take tables of any size
 */
export async function bench(optimised: System, profile: string, platform: Platform): Promise<readonly BenchRow[]> {
  const support: Support = { ...optimised.support, functions: [TABLE], devicesMax: 1 };
  const small = fc.sample(scenarios(support, platform), { seed: 1, numRuns: SCENARIOS });
  const large = small.map((scenario) => withTable(scenario, LARGE));
  const operations = small.reduce((sum, scenario) => sum + scenario.operations.length, 0);
  const alone = (work: readonly Scenario[]) => (): void => {
    for (const scenario of work) void optimised.run(scenario);
  };
  const reference = (): void => {
    for (const scenario of small) specify(scenario);
  };
  const judged = async (): Promise<void> => {
    for (const scenario of small) await lockstep(optimised, scenario, { profile, invariants: INVARIANTS });
  };
  return measureRows(operations, [
    [`optimised, ${LARGE} vectors`, alone(large), `optimised, ${SMALL} vectors`, alone(small)],
    ['optimised', alone(small), 'reference', reference],
    ['lockstep, compared and judged', judged, 'reference', reference],
  ]);
}

/** What is measured, its work, and the same of what it is measured against. */
export type BenchPair = readonly [what: string, work: () => unknown, against: string, other: () => unknown];

/** @param operations how many each piece of work does */
export async function measureRows(operations: number, pairs: readonly BenchPair[]): Promise<readonly BenchRow[]> {
  const measured: BenchRow[] = [];
  for (const [what, work, against, other] of pairs) {
    const { left, right } = await inTurns(work, other);
    measured.push({ what, against, operationsPerSecond: operations / left, ratio: left / right });
  }
  return measured;
}

function withTable(scenario: Scenario, msixVectors: number): Scenario {
  const devices = scenario.config.devices.map((device) => ({ ...device, msixVectors }));
  return { ...scenario, config: { ...scenario.config, devices } };
}

/** Median seconds of two pieces of work, run one after the other, over and over; the first turn only warms up. */
async function inTurns(
  work: () => unknown,
  other: () => unknown,
): Promise<{ readonly left: number; readonly right: number }> {
  const left: number[] = [];
  const right: number[] = [];
  for (let turn = 0; turn <= TURNS; turn += 1) {
    const seconds = [await timed(work), await timed(other)] as const;
    if (turn === 0) continue;
    left.push(seconds[0]);
    right.push(seconds[1]);
  }
  return { left: median(left), right: median(right) };
}

async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
