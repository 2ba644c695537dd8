import fc from 'fast-check';
import type { Platform, Scenario, Support } from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { IN_PROCESS, minimise } from './minimise.ts';
import { stateAfter } from './model-state.ts';
import { lookAt, PLANTED, type Planted } from './planted.ts';
import type { Spent } from './trials.ts';

/** How one way of shrinking did over many failures of one planted fault. */
export interface ShrinkRow {
  /** The fault. */
  readonly name: string;
  readonly by: 'fast-check' | 'fast-check, then the minimiser';
  readonly failures: number;
  /** Operations of the shortest sequence there is. */
  readonly shortest: number;
  /** Failures that ended with so many operations. */
  readonly atShortest: number;
  /** Failures of which it is said that every shorter sequence was tried, in some scope. */
  readonly proved: number;
  /** Operations of all runs of one failure. */
  readonly steps: Spread;
  readonly runs: Spread;
}

interface Spread {
  readonly median: number;
  readonly p90: number;
}

/** Operations of a failure at least: 200 at most, 175 on average. */
const OPERATIONS = { least: 150, most: 200 };
const DRAWN_AT_ONCE = 50;
const { support, precision } = referenceSystem();
/** One device, as faults are planted in the first; else as campaigns draw it. */
const SUPPORT: Support = { ...support, devicesMax: 1 };

/** Two rows for each planted fault. The work is the same each time. */
export async function shrinkBench(failures: number): Promise<readonly ShrinkRow[]> {
  const rows: ShrinkRow[] = [];
  for (const planted of PLANTED) rows.push(...(await rowsOf(planted, failures)));
  return rows;
}

/** @param failures of each fault */
async function rowsOf(planted: Planted, failures: number): Promise<readonly ShrinkRow[]> {
  const simple: Ending[] = [];
  const full: Ending[] = [];
  for (const scenario of failing(planted, failures)) {
    const shrunk = shrinkSimply(planted, scenario);
    simple.push({ ...shrunk, isProved: false });
    const suspect = {
      stillFails: (shorter: Scenario) => lookAt(planted, shorter).fails,
      // What the fault counts is a part of the state, so two that are taken for one are one.
      stateAfter: (shorter: Scenario) =>
        `${stateAfter(shorter, specify(shorter), precision)}\n${JSON.stringify(lookAt(planted, shorter).seen)}`,
      atOnce: 1,
    };
    const { scenario: shortest, proof, spent } = await minimise(shrunk.scenario, suspect, SUPPORT, IN_PROCESS);
    const all = { runs: shrunk.spent.runs + spent.runs, steps: shrunk.spent.steps + spent.steps };
    full.push({ scenario: shortest, spent: all, isProved: proof.kind !== 'open' });
  }
  return [rowOf(planted, 'fast-check', simple), rowOf(planted, 'fast-check, then the minimiser', full)];
}

interface Ending {
  readonly scenario: Scenario;
  readonly spent: Spent;
  readonly isProved: boolean;
}

/** Drawn scenarios that fail of it. */
function* failing(planted: Planted, failures: number): Generator<Scenario> {
  const arbitrary = scenarios(SUPPORT, PLATFORM, OPERATIONS.most);
  let left = failures;
  for (let seed = 1; left > 0; seed += 1) {
    for (const scenario of fc.sample(arbitrary, { seed, numRuns: DRAWN_AT_ONCE })) {
      if (left === 0 || scenario.operations.length < OPERATIONS.least || !lookAt(planted, scenario).fails) continue;
      left -= 1;
      yield scenario;
    }
  }
}

const PLATFORM: Platform = platformOf('linux-6.12');

function shrinkSimply(planted: Planted, scenario: Scenario): { readonly scenario: Scenario; readonly spent: Spent } {
  let shortest = scenario;
  let [runs, steps] = [0, 0];
  const property = fc.property(scenarios(SUPPORT, PLATFORM, OPERATIONS.most), (simpler) => {
    runs += 1;
    steps += Math.max(1, simpler.operations.length);
    if (!lookAt(planted, simpler).fails) return true;
    shortest = simpler;
    return false;
  });
  fc.check(property, { examples: [[scenario]], numRuns: 1 });
  return { scenario: shortest, spent: { runs, steps } };
}

function rowOf({ name, shortest }: Planted, by: ShrinkRow['by'], endings: readonly Ending[]): ShrinkRow {
  return {
    name,
    by,
    failures: endings.length,
    shortest: shortest.length,
    atShortest: endings.filter(({ scenario }) => scenario.operations.length === shortest.length).length,
    proved: endings.filter(({ isProved }) => isProved).length,
    steps: spread(endings.map(({ spent }) => spent.steps)),
    runs: spread(endings.map(({ spent }) => spent.runs)),
  };
}

function spread(numbers: readonly number[]): Spread {
  const ascending = [...numbers].sort((left, right) => left - right);
  const at = (share: number): number => ascending[Math.floor(share * ascending.length)] ?? 0;
  return { median: at(0.5), p90: at(0.9) };
}
