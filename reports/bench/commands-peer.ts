import fc from 'fast-check';
import type { Config, Operation, Scenario, Step, System } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import type { Invariant } from '../../properties/invariants/invariant.ts';
import { judge } from '../../properties/runner/lockstep.ts';
import type { Work } from './turns.ts';

export interface CommandRuns {
  readonly system: System;
  readonly profile: string;
  readonly invariants: readonly Invariant[];
  /** Scenarios of one machine: their operations are the commands, and as many are run as there are scenarios. */
  readonly pool: readonly Scenario[];
}

/** The reference, and what it was asked so far. */
interface Asked {
  readonly machine: Machine;
  readonly operations: Operation[];
  readonly steps: Step[];
}

/**
 * The same pair, asked the same operations about as often, by fast-check's stock `commands` and `modelRun`. The
 * reference is asked command by command; the implementation and the judgement come in one piece at the end, as they
 * do in our own runner, so that only the way of drawing and running is measured.
 */
export function commandRuns({ system, profile, invariants, pool }: CommandRuns): Work {
  const config = (pool[0] as Scenario).config;
  const operations = pool.flatMap((scenario) => scenario.operations);
  // The length of a run is drawn up to the most, so that their mean is half of it.
  const maxCommands = Math.round((2 * operations.length) / pool.length);
  const command = fc.constantFrom(...operations).map((operation) => new Ask(operation));
  const runs = fc.commands([command], { maxCommands, size: 'max' });
  return async () => {
    let done = 0;
    const property = fc.asyncProperty(runs, async (commands) => {
      const asked = begin(config);
      fc.modelRun(() => ({ model: asked, real: null }), commands);
      done += asked.operations.length;
      await judged(config, asked, system, profile, invariants);
    });
    await fc.assert(property, { seed: 2, numRuns: pool.length });
    return done;
  };
}

function begin(config: Config): Asked {
  return { machine: initial(config), operations: [], steps: [] };
}

class Ask implements fc.Command<Asked, null> {
  readonly #operation: Operation;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  check(): boolean {
    return true;
  }

  run({ machine, operations, steps }: Asked): void {
    operations.push(this.#operation);
    steps.push(step(machine, this.#operation));
  }

  toString(): string {
    return this.#operation.kind;
  }
}

async function judged(
  config: Config,
  { operations, steps }: Asked,
  system: System,
  profile: string,
  invariants: readonly Invariant[],
): Promise<void> {
  const scenario = { config, operations };
  const reference = { initial: observe(initial(config)), steps };
  const { divergences } = judge(scenario, reference, await system.run(scenario), system, { profile, invariants });
  if (divergences.length > 0) throw new Error(`the pair differs in ${divergences[0]?.path}`);
}
