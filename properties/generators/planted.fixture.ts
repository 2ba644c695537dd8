import fc from 'fast-check';
import type { Platform, Scenario, Support } from '#vocabulary';
import { printOperation } from '#vocabulary';
import { describeFunction } from './drawn.fixture.ts';
import { describeMachine } from './mdev-drawn.fixture.ts';
import { scenarios } from './scenario.ts';

export interface Shrunk {
  /** The functions, or the mdevs and what they share; then the operations, a line each. */
  readonly minimum: readonly string[];
  /** Runs after the first failure. */
  readonly runs: number;
}

/** Lets fast-check find a failure that was planted, and shrink it. */
export function shrinkPlanted(
  support: Support,
  platform: Platform,
  fails: (scenario: Scenario) => boolean,
  seed: number,
): Shrunk {
  let [runs, failed] = [0, false];
  const property = fc.property(scenarios(support, platform), (scenario) => {
    const isFailing = fails(scenario);
    if (failed) runs++;
    if (isFailing) failed = true;
    return !isFailing;
  });
  const { counterexample } = fc.check(property, { seed, numRuns: 10_000 });
  const { config, operations } = counterexample?.[0] ?? { config: { ...platform, devices: [] }, operations: [] };
  const functions = config.devices.map((of) => describeFunction(of).replace(/^{"msixVectors":(\d+)}$/, '$1'));
  const machine = platform.mdev === undefined ? functions.join() : describeMachine(config);
  return { minimum: [machine, ...operations.map(printOperation)], runs };
}
