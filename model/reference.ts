import {
  OPERATION_KINDS,
  type Precision,
  REGISTERS_MASK,
  type Scenario,
  type Support,
  type System,
  type Trace,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { initial, observe, step } from './machine.ts';
import { initialMdevMachine, observeMdevs, stepMdev } from './mdev-machine.ts';

const EVERYTHING: Precision = { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK };

const ANYTHING: Support = {
  operations: new Set(OPERATION_KINDS),
  functions: 'any',
  withoutRemapping: true,
  vmm: 'configured',
  devicesMax: 4,
  host: 'configured',
};

/** What should happen, for a whole scenario. Pure: a Trace of its own each time. */
export function specify(scenario: Scenario): Trace {
  if (scenario.config.mdev !== undefined) return specifyMdevs(scenario);
  const machine = initial(scenario.config);
  const first = observe(machine);
  return { initial: first, steps: scenario.operations.map((operation) => step(machine, operation)) };
}

function specifyMdevs({ config, operations }: Scenario): Trace {
  const machine = initialMdevMachine(config);
  const { observation, parent } = observeMdevs(machine);
  return {
    initial: observation,
    initialParent: parent,
    steps: operations.map((operation) => stepMdev(machine, operation)),
  };
}

/** The model wearing the System interface. */
export function referenceSystem(): System {
  return {
    name: 'reference',
    precision: EVERYTHING,
    support: ANYTHING,
    atOnce: 1,
    run: specify,
    close: () => Promise.resolve(),
  };
}
