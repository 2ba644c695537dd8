import fc from 'fast-check';
import { HarnessError, type Platform, type Scenario, type System } from '#vocabulary';
import { referenceSystem } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { IN_PROCESS, minimise, ON_A_MACHINE } from '../minimiser/minimise.ts';
import { stateAfter } from '../minimiser/model-state.ts';
import { NOT_AGAIN } from '../minimiser/proof.ts';
import type { Cost, Suspect } from '../minimiser/trials.ts';
import { isReal } from './defaults.ts';
import { lockstep, type Terms } from './lockstep.ts';
import { signatures } from './signature.ts';
import { answered, type Failure, keep } from './tally.ts';
import type { Finding, Judgement } from './verdict.ts';

/** What a failure is looked for with. */
export interface Chase {
  readonly system: System;
  readonly platform: Platform;
  readonly terms: Terms;
  readonly lengthMax: number | undefined;
  /** Seconds of the whole campaign. */
  readonly seconds: number;
}

/** A failure with what is known of its length; nothing where it did not get that far. */
export type ShortFailure = Failure & Pick<Finding, 'shortest'>;

/** Seconds for one finding, in a campaign that has more. */
const SHRINK_SECONDS = 20;
/** Runs of a real system that fast-check may have, which tries what drops most first. */
const FAST_CHECK_RUNS = 100;

/**
 * A failure as short as it gets, and what is known of its length. That of a real system is shrunk on the model of its
 * profile if it shows there, and then asked of the system itself. One that does not show again is kept as it was.
 * @param signature the kind of failure that must be shown
 */
export async function shortestFailure(chase: Chase, signature: string, failure: Failure): Promise<ShortFailure> {
  const deadline = performance.now() + Math.min(SHRINK_SECONDS, chase.seconds / 4) * 1000;
  const isOver = (): boolean => performance.now() > deadline;
  if (!isReal(chase.system)) return shortestOn(chase, chase.system, signature, failure, IN_PROCESS, isOver);
  const { name, support } = chase.system;
  const model: System = { ...referenceSystem(), name, support: { ...support, host: 'configured' } };
  const onModel = await lockstep(model, failure.scenario, chase.terms);
  if (signatures(failure.scenario, onModel).includes(signature)) {
    const { scenario, shortest } = await shortestOn(chase, model, signature, failure, IN_PROCESS, isOver);
    const judgement = await lockstep(chase.system, scenario, chase.terms);
    if (signatures(scenario, judgement).includes(signature))
      return {
        ...told(failure, scenario, judgement),
        shortest: `${shortest} (on the model; the system fails of it too)`,
      };
  }
  return shortestOn(chase, chase.system, signature, failure, ON_A_MACHINE, isOver);
}

/** A failure with a shorter scenario. What a system has left was not asked of it. */
function told({ drawn }: Failure, scenario: Scenario, judgement: Judgement): Failure {
  return { scenario: answered(scenario, judgement), judgement: keep(judgement), drawn };
}

/** The same on one system. */
async function shortestOn(
  chase: Chase,
  system: System,
  signature: string,
  failure: Failure,
  cost: Cost,
  isOver: () => boolean,
): Promise<Failure & { readonly shortest: string }> {
  const shown: { last: Judgement } = { last: failure.judgement };
  const shows = async (scenario: Scenario): Promise<boolean> => {
    const judgement = await lockstep(system, scenario, chase.terms);
    shown.last = judgement;
    return signatures(scenario, judgement).includes(signature);
  };
  const simpler = await shrink(chase, failure.scenario, cost, async (scenario) => !isOver() && shows(scenario));
  const suspect: Suspect = {
    stillFails: shows,
    // What a real system has left behind is not known.
    ...(cost.kind === 'runs'
      ? {}
      : { stateAfter: (scenario) => stateAfter(scenario, shown.last.subject, system.precision) }),
    isOver,
    atOnce: system.atOnce,
  };
  const { scenario, proof } = await minimise(simpler, suspect, system.support, cost);
  if (await shows(scenario)) return { ...told(failure, scenario, shown.last), shortest: proof.words };
  return { ...failure, shortest: NOT_AGAIN.words };
}

/** Lets fast-check shrink a scenario, with half of the runs of a real system at most. */
async function shrink(
  { system, platform, lengthMax }: Chase,
  scenario: Scenario,
  { kind }: Cost,
  fails: (scenario: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  let shortest = scenario;
  let runs = 0;
  const property = fc.asyncProperty(scenarios(system.support, platform, lengthMax), async (simpler) => {
    if (kind === 'runs' && runs >= FAST_CHECK_RUNS) return true;
    runs += 1;
    if (!(await fails(simpler))) return true;
    shortest = simpler;
    return false;
  });
  const details = await fc.check(property, { examples: [[scenario]], numRuns: 1 });
  if (details.errorInstance instanceof HarnessError) throw details.errorInstance;
  return shortest;
}
