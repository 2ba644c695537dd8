import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import type { Config, Observation, Operation, PciFunction, Scenario, Step, System, Trace } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import { violations } from '../../properties/invariants/index.ts';
import type { Invariant } from '../../properties/invariants/invariant.ts';
import { judge } from '../../properties/runner/lockstep.ts';
import { formsOf, stockCommands } from './stock-commands.ts';
import type { Work } from './turns.ts';

/** Who lays the two runs side by side: what fast-check's manual does it with, or our comparer, lent to it. */
export type Comparer = 'node:assert' | 'ours';

export interface CommandRuns {
  /** It must answer at once. */
  readonly system: System;
  readonly profile: string;
  readonly comparer: Comparer;
  readonly invariants: readonly Invariant[];
  /** Scenarios of one machine with one device: as many runs are drawn, as long in the mean, of the same kinds. */
  readonly like: readonly Scenario[];
}

/** The reference, and what it was asked so far. */
interface Asked {
  readonly machine: Machine;
  readonly first: Observation;
  readonly operations: Operation[];
  readonly steps: Step[];
}

type Runs = fc.Arbitrary<Iterable<fc.Command<Asked, null>>>;

/**
 * The same pair tested as fast-check's manual has it: commands of stock arbitraries, drawn by `commands` and run by
 * `modelRun`. Its own are the drawing, the commands and the loops around them; kinds of operations have the shares that
 * they have in our own scenarios. Ours are what a command asks of the reference, the implementation, and the
 * promises: these two have no single steps, and come in one piece at the end of a run, as in our own runner. Nothing
 * waits for a promise. Nothing fails, so that nothing is shrunk.
 */
export function commandRuns({ system, profile, comparer, invariants, like }: CommandRuns): Work {
  const { config } = like[0] as Scenario;
  const runs = commandsLike(like);
  return () => {
    let done = 0;
    const property = fc.property(runs, (commands) => {
      const asked = begin(config);
      fc.modelRun(() => ({ model: asked, real: null }), commands);
      done += asked.operations.length;
      const answer = system.run({ config, operations: asked.operations });
      if (answer instanceof Promise) throw new Error(`${system.name} does not answer at once`);
      compared(config, asked, answer, { system, profile, comparer, invariants });
    });
    fc.assert(property, { seed: 2, numRuns: like.length });
    return done;
  };
}

/** The runs drawn, and nothing else. */
export function commandDraws(like: readonly Scenario[]): Work {
  const runs = commandsLike(like);
  return () => {
    let done = 0;
    const property = fc.property(runs, (commands) => {
      done += [...commands].length;
    });
    fc.assert(property, { seed: 2, numRuns: like.length });
    return done;
  };
}

/** @param like scenarios of one machine with one device */
export function commandsLike(like: readonly Scenario[]): Runs {
  const operations = like.flatMap((scenario) => scenario.operations);
  const pciFunction = like[0]?.config.devices[0] as PciFunction;
  const command = stockCommands(formsOf(operations), pciFunction, (operation) => new Ask(operation));
  // The length of a run is drawn from 0 to the most, so that their mean is half of it.
  const maxCommands = Math.round((2 * operations.length) / like.length);
  return fc.commands([command], { maxCommands, size: 'max' });
}

function begin(config: Config): Asked {
  const machine = initial(config);
  return { machine, first: observe(machine), operations: [], steps: [] };
}

/** One operation as a command. */
export class Ask implements fc.Command<Asked, null> {
  readonly operation: Operation;

  constructor(operation: Operation) {
    this.operation = operation;
  }

  check(): boolean {
    return true;
  }

  run({ machine, operations, steps }: Asked): void {
    operations.push(this.operation);
    steps.push(step(machine, this.operation));
  }

  toString(): string {
    return this.operation.kind;
  }
}

/** Compares and judges a run. */
function compared(
  config: Config,
  { operations, steps, first }: Asked,
  answer: Trace,
  { system, profile, comparer, invariants }: Omit<CommandRuns, 'like'>,
): void {
  switch (comparer) {
    case 'node:assert': {
      deepStrictEqual(answer.initial, first);
      for (const [index, step] of steps.entries()) deepStrictEqual(shown(answer.steps[index]), shown(step));
      // What they find is known history, which our own side finds as well.
      violations(invariants, config, operations, answer);
      return;
    }
    case 'ours': {
      const scenario = { config, operations };
      const { divergences } = judge(scenario, { initial: first, steps }, answer, system, { profile, invariants });
      if (divergences.length > 0) throw new Error(`the pair differs in ${divergences[0]?.path}`);
      return;
    }
  }
}

/** What is compared of a step: which clauses spoke is the reference's own. */
function shown(step: Step | undefined): Omit<Step, 'clauses'> | undefined {
  return step && { outcome: step.outcome, events: step.events, observation: step.observation };
}
