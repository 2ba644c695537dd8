import fc from 'fast-check';
import type { PciFunction, Scenario, Support } from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { specify } from '../../model/reference.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import type { Invariant } from '../../properties/invariants/invariant.ts';
import { BLOCK_SCENARIOS, type Drawing, drawBlock } from '../../properties/runner/block.ts';
import { lockstep } from '../../properties/runner/lockstep.ts';
import { answerQuestions } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import { commandDraws, commandRuns } from './commands-peer.ts';
import type { EnginePart } from './engine.ts';
import { type BenchPair, measureRows, type Work } from './turns.ts';

const SMALL = 8;
const LARGE = 2048;
/**
 * Scenarios that are run over and over. A campaign runs what it has just drawn, and of thousands that were drawn before
 * most of the time would be that of the memory.
 */
const IN_CACHE = 2 * BLOCK_SCENARIOS;
const TABLE: PciFunction = { msixVectors: SMALL, whileOff: 'latches' };

/** A row, and the scenarios of each piece of its work. */
export interface EngineWork {
  readonly part: EnginePart;
  readonly profile: ProfileName;
  readonly scenarios: number;
}

// A process of its own: an engine makes code fast for what it has met, and slow again for what it meets next.
answerQuestions(measured);

async function measured({ part, profile, scenarios: count }: EngineWork): Promise<readonly BenchRow[]> {
  const [optimised, platform] = [optimisedSystem(), platformOf(profile)];
  const support: Support = { ...optimised.support, functions: [TABLE], devicesMax: 1 };
  const system = { ...optimised, support };
  const drawing: Drawing = { system, platform, seed: 2, scenarios: count, lengthMax: undefined };
  const ours = fc.sample(scenarios(support, platform), { seed: 1, numRuns: count });
  const small = ours.slice(0, IN_CACHE);
  const large = small.map((scenario) => withTable(scenario, LARGE));
  const counted =
    (work: readonly Scenario[], each: (scenario: Scenario) => unknown): Work =>
    async () => {
      let done = 0;
      for (let at = 0; at < count; at += work.length)
        for (const scenario of work) {
          await each(scenario);
          done += scenario.operations.length;
        }
      return done;
    };
  const judge = (invariants: readonly Invariant[]) => (scenario: Scenario) =>
    lockstep(optimised, scenario, { profile, invariants });
  const reference = counted(small, specify);
  const alone = counted(small, (scenario) => optimised.run(scenario));
  const drawn =
    (each: (scenario: Scenario) => unknown): Work =>
    async () => {
      let done = 0;
      for (let block = 0; block * BLOCK_SCENARIOS < count; block += 1)
        for (const scenario of drawBlock(drawing, block)) {
          await each(scenario);
          done += scenario.operations.length;
        }
      return done;
    };
  const commands = (invariants: readonly Invariant[]): Work =>
    commandRuns({ system: optimised, profile, invariants, like: ours });
  const pairs: Readonly<Record<EnginePart, BenchPair>> = {
    optimised: ['optimised', alone, 'reference', reference],
    compared: ['lockstep, compared', counted(small, judge([])), 'reference', reference],
    judged: ['lockstep, compared and judged', counted(small, judge(INVARIANTS)), 'reference', reference],
    drawn: ['drawn', drawn(() => undefined), 'fast-check commands, drawn', commandDraws(ours)],
    'drawn and compared': ['drawn and compared', drawn(judge([])), 'fast-check commands and modelRun', commands([])],
    'drawn and judged': [
      'drawn, compared and judged',
      drawn(judge(INVARIANTS)),
      'fast-check commands and modelRun, judged',
      commands(INVARIANTS),
    ],
    'optimised, large': [
      `optimised, ${LARGE} vectors`,
      counted(large, (scenario) => optimised.run(scenario)),
      `optimised, ${SMALL} vectors`,
      alone,
    ],
    'judged, large': [
      `lockstep, compared and judged, ${LARGE} vectors`,
      counted(large, judge(INVARIANTS)),
      `the same with ${SMALL}`,
      counted(small, judge(INVARIANTS)),
    ],
  };
  return measureRows('engine', [pairs[part]]);
}

function withTable(scenario: Scenario, msixVectors: number): Scenario {
  const devices = scenario.config.devices.map((device) => ({ ...device, msixVectors }));
  return { ...scenario, config: { ...scenario.config, devices } };
}
