import fc from 'fast-check';
import type { PciFunction, Platform, Scenario, Support, System } from '#vocabulary';
import { specify } from '../../model/reference.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import type { Invariant } from '../../properties/invariants/invariant.ts';
import { lockstep } from '../../properties/runner/lockstep.ts';
import type { BenchRow } from '../bench-json.ts';
import { commandDraws, commandRuns } from './commands-peer.ts';
import { measureRows, type Work } from './turns.ts';

const SMALL = 8;
const LARGE = 2048;
const TABLE: PciFunction = { msixVectors: SMALL, whileOff: 'latches' };

/** What a campaign does, in parts, at two sizes, and beside fast-check's own way to run commands. */
export interface EngineWork {
  /** The implementation; it must take tables of any size. */
  readonly optimised: System;
  readonly profile: string;
  readonly platform: Platform;
  /** Scenarios of each piece of work. */
  readonly scenarios: number;
}

/** Measures the parts of a campaign against each other and against fast-check's `commands` and `modelRun`. */
export async function engineRows({
  optimised,
  profile,
  platform,
  scenarios: count,
}: EngineWork): Promise<readonly BenchRow[]> {
  const support: Support = { ...optimised.support, functions: [TABLE], devicesMax: 1 };
  const drawing = scenarios(support, platform);
  const small = fc.sample(drawing, { seed: 1, numRuns: count });
  const large = small.map((scenario) => withTable(scenario, LARGE));
  const operations = small.reduce((sum, scenario) => sum + scenario.operations.length, 0);
  const counted =
    (work: readonly Scenario[], each: (scenario: Scenario) => unknown): Work =>
    async () => {
      for (const scenario of work) await each(scenario);
      return operations;
    };
  const judge = (invariants: readonly Invariant[]) => (scenario: Scenario) =>
    lockstep(optimised, scenario, { profile, invariants });
  const reference = counted(small, specify);
  const alone = counted(small, (scenario) => optimised.run(scenario));
  const drawn =
    (invariants: readonly Invariant[]): Work =>
    async () => {
      let done = 0;
      for (const scenario of fc.sample(drawing, { seed: 2, numRuns: count })) {
        await judge(invariants)(scenario);
        done += scenario.operations.length;
      }
      return done;
    };
  const commands = (invariants: readonly Invariant[]): Work =>
    commandRuns({ system: optimised, profile, invariants, like: small });
  const draws: Work = () =>
    fc.sample(drawing, { seed: 2, numRuns: count }).reduce((sum, scenario) => sum + scenario.operations.length, 0);
  return measureRows('engine', [
    ['optimised', alone, 'reference', reference],
    ['lockstep, compared', counted(small, judge([])), 'reference', reference],
    ['lockstep, compared and judged', counted(small, judge(INVARIANTS)), 'reference', reference],
    ['drawn', draws, 'fast-check commands, drawn', commandDraws(small)],
    ['drawn and compared', drawn([]), 'fast-check commands and modelRun', commands([])],
    ['drawn, compared and judged', drawn(INVARIANTS), 'fast-check commands and modelRun, judged', commands(INVARIANTS)],
    [
      `optimised, ${LARGE} vectors`,
      counted(large, (scenario) => optimised.run(scenario)),
      `optimised, ${SMALL} vectors`,
      alone,
    ],
    [
      `lockstep, compared and judged, ${LARGE} vectors`,
      counted(large, judge(INVARIANTS)),
      `the same with ${SMALL}`,
      counted(small, judge(INVARIANTS)),
    ],
  ]);
}

function withTable(scenario: Scenario, msixVectors: number): Scenario {
  const devices = scenario.config.devices.map((device) => ({ ...device, msixVectors }));
  return { ...scenario, config: { ...scenario.config, devices } };
}
