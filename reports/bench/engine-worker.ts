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
import { type Comparer, commandDraws, commandRuns } from './commands-peer.ts';
import { type EnginePart, LARGE, SMALL } from './engine.ts';
import type { Work } from './turns.ts';

/**
 * Scenarios that are run over and over. A campaign runs what it has just drawn, and of thousands that were drawn before
 * most of the time would be that of the memory.
 */
const IN_CACHE = 2 * BLOCK_SCENARIOS;
const TABLE: PciFunction = { msixVectors: SMALL, whileOff: 'latches' };

/** One side of a row, and the scenarios of each of its turns. */
export interface EngineWork {
  readonly part: EnginePart;
  readonly side: 'ours' | 'other';
  readonly profile: ProfileName;
  readonly scenarios: number;
}

// A process of its own for one side of one row, which is asked for turns: an engine makes code fast for what it has
// met, and slow again for what it meets next.
let work: Work | undefined;
answerQuestions((asked: EngineWork): Promise<number> => {
  work ??= workOf(asked);
  return Promise.resolve(work());
});

function workOf({ part, side, profile, scenarios: count }: EngineWork): Work {
  const [optimised, platform] = [optimisedSystem(), platformOf(profile)];
  const support: Support = { ...optimised.support, functions: [TABLE], devicesMax: 1 };
  const system = { ...optimised, support };
  const drawing: Drawing = { system, platform, seed: 2, scenarios: count, lengthMax: undefined };
  const like = fc.sample(scenarios(support, platform), { seed: 1, numRuns: count });
  const small = like.slice(0, IN_CACHE);
  const counted =
    (pool: readonly Scenario[], each: (scenario: Scenario) => unknown): Work =>
    async () => {
      let done = 0;
      for (let at = 0; at < count; at += pool.length)
        for (const scenario of pool) {
          await each(scenario);
          done += scenario.operations.length;
        }
      return done;
    };
  const judge = (invariants: readonly Invariant[]) => (scenario: Scenario) =>
    lockstep(optimised, scenario, { profile, invariants });
  const alone = (scenario: Scenario) => optimised.run(scenario);
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
  const commands = (comparer: Comparer, invariants: readonly Invariant[]): Work =>
    commandRuns({ system: optimised, profile, comparer, invariants, like });
  const large = (): readonly Scenario[] => small.map((scenario) => withTable(scenario, LARGE));
  const isOurs = side === 'ours';
  switch (part) {
    case 'optimised':
      return counted(small, isOurs ? alone : specify);
    case 'compared':
      return counted(small, isOurs ? judge([]) : specify);
    case 'judged':
      return counted(small, isOurs ? judge(INVARIANTS) : specify);
    case 'drawn':
      return isOurs ? drawn(() => undefined) : commandDraws(like);
    case 'drawn and compared':
      return isOurs ? drawn(judge([])) : commands('node:assert', []);
    case 'drawn and judged':
      return isOurs ? drawn(judge(INVARIANTS)) : commands('node:assert', INVARIANTS);
    case 'drawn and compared, lent':
      return isOurs ? drawn(judge([])) : commands('ours', []);
    case 'drawn and judged, lent':
      return isOurs ? drawn(judge(INVARIANTS)) : commands('ours', INVARIANTS);
    case 'optimised, large':
      return counted(isOurs ? large() : small, alone);
    case 'judged, large':
      return counted(isOurs ? large() : small, judge(INVARIANTS));
  }
}

function withTable(scenario: Scenario, msixVectors: number): Scenario {
  const devices = scenario.config.devices.map((device) => ({ ...device, msixVectors }));
  return { ...scenario, config: { ...scenario.config, devices } };
}
