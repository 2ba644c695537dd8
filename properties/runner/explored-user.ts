import type { Config, Operation, Step } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import { restoreMachine, type SavedMachine, saveMachine } from '../../model/machine-saved.ts';
import { putDevice, vectorsOf } from '../../model/machine-words.ts';
import { putNumber } from '../../model/words.ts';
import type { Expectation } from '../expected.ts';
import { FollowedDevice } from '../invariants/followed-device.ts';
import type { Invariant } from '../invariants/invariant.ts';
import type { PutBack, Words } from '../invariants/memory.ts';
import { nextMoment, type Run, startRun } from '../invariants/moment.ts';
import type { Stepped, Subject } from './explore.ts';
import {
  judged,
  labelOf,
  memoriesOf,
  Spoken,
  saveMemories,
  tellMemories,
  tellVectorMemories,
  watchesOf,
} from './explored.ts';
import type { Fingerprint } from './fingerprint.ts';

/** What the machine is, what its steps have shown, and what each promise remembers. */
interface SavedUser {
  readonly machine: SavedMachine;
  readonly run: Run;
  /** What each promise remembers, and of each operation so far what is to be remembered of it. */
  readonly putBack: PutBack;
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
  const run = startRun(config, observe(machine));
  const watches = watchesOf(invariants, ({ start }) => start?.());
  const memories = memoriesOf(watches);
  const said: number[] = [];
  const label = labelOf(said);
  const tellDevice = (place: number, fingerprint: Fingerprint): void => {
    const device = run.devices[place];
    if (device === undefined) throw new Error(`the Config has no device ${place}`);
    putDevice(machine, place, fingerprint);
    device.tell(fingerprint);
    tellMemories(memories, place, label, fingerprint);
    for (let vector = 0; vector < vectorsOf(device); vector += 1) {
      device.tellVector(vector, fingerprint);
      tellVectorMemories(memories, place, vector, label, fingerprint);
    }
  };
  return {
    promises: watches.map(({ id }) => id),
    save: () => ({ machine: saveMachine(machine), run: copyOfRun(run), putBack: saveMemories(memories, said) }),
    restore: (saved) => {
      restoreMachine(machine, saved.machine);
      putBackRun(run, saved.run);
      saved.putBack();
    },
    step: (operation, index): Stepped => {
      const done = step(machine, operation);
      said[index] = spoken.of(done);
      const moment = nextMoment(run, operation, done, index);
      return { broken: judged(watches, moment, spoken, said), still: isStill(done) };
    },
    tell: (fingerprint) => {
      tellRun(run, fingerprint);
      for (let place = 0; place < machine.places.length; place += 1) tellDevice(place, fingerprint);
      return 1;
    },
    tries: (operation) => !opensAgain(machine, operation),
    opens: () => NO_WINDOWS,
  };
}

function copyOfRun(run: Run): Run {
  const copy = { ...run, devices: run.devices.map(({ config }) => new FollowedDevice(config, undefined)) };
  putBackRun(copy, run);
  return copy;
}

/** Tells what is about no one device. */
export function tellRun({ hostVectorsFree, allocationMayFail }: Run, words: Words): void {
  putNumber(hostVectorsFree, words);
  words.put(allocationMayFail ? 1 : 0);
}

export function putBackRun(run: Run, saved: Run): void {
  run.hostVectorsFree = saved.hostVectorsFree;
  run.allocationMayFail = saved.allocationMayFail;
  for (let place = 0; place < run.devices.length; place += 1)
    run.devices[place]?.become(saved.devices[place] as FollowedDevice);
}

function opensAgain({ places }: Machine, operation: Operation): boolean {
  return operation.kind === 'vfio.open' && (places[operation.device]?.device.descriptors ?? 0) > 0;
}

/** Nothing happened that was seen. */
function isStill({ events, observation }: Step): boolean {
  return events.length === 0 && observation.every(({ changes }) => changes.length === 0);
}
