import type { Config, Operation, Step } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import { restoreMachine, type SavedMachine, saveMachine } from '../../model/machine-saved.ts';
import { putDevice, vectorsOf } from '../../model/machine-words.ts';
import type { Expectation } from '../expected.ts';
import type { Invariant } from '../invariants/invariant.ts';
import { type Moment, nextMoment, type Run, startRun } from '../invariants/moment.ts';
import type { Stepped, Subject } from './explore.ts';
import {
  copyOfWatches,
  judged,
  labelOf,
  Spoken,
  tellMemory,
  tellVectorMemory,
  type Watching,
  watchesOf,
} from './explored.ts';
import type { Fingerprint } from './fingerprint.ts';

/** What the machine is, what its steps have shown, and what each promise remembers. */
interface SavedUser {
  readonly machine: SavedMachine;
  readonly run: Run;
  readonly watches: readonly Watching<Moment>[];
  /** Of each operation so far, what is to be remembered of it. */
  readonly said: readonly string[];
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
): Subject<SavedUser> {
  const spoken = new Spoken(expectations);
  const machine = initial(config);
  let run = startRun(config, observe(machine));
  let watches = watchesOf(invariants, ({ start }) => start?.());
  let said: string[] = [];
  const tellDevice = (place: number, fingerprint: Fingerprint): void => {
    const label = labelOf(said);
    const device = run.devices[place];
    if (device === undefined) throw new Error(`the Config has no device ${place}`);
    putDevice(machine, place, fingerprint);
    fingerprint.text(device.key());
    tellMemory(watches, place, label, fingerprint);
    fingerprint.text(`${run.hostVectorsFree}${run.allocationMayFail ? 'f' : ''}`);
    for (let vector = 0; vector < vectorsOf(device); vector += 1) {
      fingerprint.text(device.keyOf(vector));
      tellVectorMemory(watches, place, vector, label, fingerprint);
    }
  };
  return {
    promises: watches.map(({ id }) => id),
    save: () => ({
      machine: saveMachine(machine),
      run: copyOfRun(run),
      watches: copyOfWatches(watches),
      said: said.slice(),
    }),
    restore: (saved) => {
      restoreMachine(machine, saved.machine);
      run = copyOfRun(saved.run);
      watches = copyOfWatches(saved.watches);
      said = saved.said.slice();
    },
    step: (operation, index): Stepped => {
      const done = step(machine, operation);
      said[index] = spoken.of(done);
      const moment = nextMoment(run, operation, done, index);
      return { broken: judged(watches, moment, spoken, said), still: isStill(done) };
    },
    tell: (fingerprint) => {
      for (let place = 0; place < machine.places.length; place += 1) tellDevice(place, fingerprint);
      return 1;
    },
    tries: (operation) => !opensAgain(machine, operation),
    opens: () => NO_WINDOWS,
  };
}

function copyOfRun(run: Run): Run {
  return { ...run, devices: run.devices.map((device) => device.copy()) };
}

function opensAgain({ places }: Machine, operation: Operation): boolean {
  return operation.kind === 'vfio.open' && (places[operation.device]?.device.descriptors ?? 0) > 0;
}

/** Nothing happened that was seen. */
function isStill({ events, observation }: Step): boolean {
  return events.length === 0 && observation.every(({ changes }) => changes.length === 0);
}
