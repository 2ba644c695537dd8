import type { Config, Operation, Step } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import { copyOfMachine, keyOfPlace, keyOfVector, vectorsOf } from '../../model/machine-copy.ts';
import type { Expectation } from '../expected.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { type Moment, nextMoment, type Run, startRun } from '../invariants/moment.ts';
import type { Stepped, Subject } from './explore.ts';
import {
  copyOfWatches,
  judged,
  labelOf,
  memoryKey,
  Spoken,
  vectorMemoryKey,
  type Watching,
  watchesOf,
} from './explored.ts';

/** A machine whose user of vfio the scenario is, what its steps have shown, and what each promise remembers. */
interface UserState {
  readonly machine: Machine;
  readonly run: Run;
  readonly watches: readonly Watching<Moment>[];
  /** Of each operation so far, what is to be remembered of it. */
  readonly said: string[];
}

const NO_WINDOWS: ReadonlySet<never> = new Set();

/**
 * The model of a machine without a VMM as something of which every sequence can be tried. No vector stands for another:
 * MSI-X is turned on with all vectors up to the highest of a call.
 */
export function exploredUser(
  config: Config,
  invariants: readonly Invariant[],
  expectations: readonly Expectation[],
): Subject<UserState> {
  const spoken = new Spoken(expectations);
  return {
    promises: watchesOf(invariants, ({ start }) => start?.()).map(({ id }) => id),
    initial: () => {
      const machine = initial(config);
      const run = startRun(config, observe(machine));
      return { machine, run, watches: watchesOf(invariants, ({ start }) => start?.()), said: [] };
    },
    clone: ({ machine, run, watches, said }) => ({
      machine: copyOfMachine(machine),
      run: { ...run, devices: run.devices.map((device) => device.copy()) },
      watches: copyOfWatches(watches),
      said: said.slice(),
    }),
    step: ({ machine, run, watches, said }, operation, index): Stepped => {
      const done = step(machine, operation);
      said[index] = spoken.of(done);
      const moment = nextMoment(run, operation, done, index);
      return { broken: judged(watches, moment, spoken, said), still: isStill(done) };
    },
    key: (state) => state.machine.places.map((_, place) => keyOfDevice(state, place)).join('|'),
    tries: ({ machine }, operation) => !opensAgain(machine, operation),
    orbit: () => 1,
    opened: () => NO_WINDOWS,
  };
}

function keyOfDevice({ machine, run, watches, said }: UserState, place: number): string {
  const label = labelOf(said);
  const device = run.devices[place];
  if (device === undefined) throw new Error(`the Config has no device ${place}`);
  let key = keyOfPlace(machine, place) + device.key() + memoryKey(watches, place, label);
  key += `.${run.hostVectorsFree}${run.allocationMayFail ? 'f' : ''}`;
  for (let vector = 0; vector < vectorsOf(device); vector += 1) {
    const remembered = vectorMemoryKey(watches, place, vector, label);
    key += `/${keyOfVector(machine, place, vector)}${device.keyOf(vector)}${remembered}`;
  }
  return key;
}

function opensAgain({ places }: Machine, operation: Operation): boolean {
  return operation.kind === 'vfio.open' && (places[operation.device]?.device.descriptors ?? 0) > 0;
}

/** Nothing happened that was seen. */
function isStill({ events, observation }: Step): boolean {
  return events.length === 0 && observation.every(({ changes }) => changes.length === 0);
}
