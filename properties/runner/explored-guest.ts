import type { Config, Step } from '#vocabulary';
import { act, initial, observe, step } from '../../model/machine.ts';
import { restoreMachine, type SavedMachine, saveMachine } from '../../model/machine-saved.ts';
import { putPlace, putVector } from '../../model/machine-words.ts';
import type { Expectation } from '../expected.ts';
import { FollowedGuest } from '../invariants/followed-guest.ts';
import { nextGuestMoment, startGuests } from '../invariants/guest-moment.ts';
import type { Invariant } from '../invariants/invariant.ts';
import type { PutBack } from '../invariants/memory.ts';
import type { Stepped, Subject } from './explore.ts';
import {
  judged,
  labelOf,
  memoriesOf,
  Spoken,
  saveMemories,
  tellInterchangeable,
  tellMemories,
  tellVectorMemories,
  watchesOf,
} from './explored.ts';
import { Fingerprint } from './fingerprint.ts';

/** What a machine with a VMM is, what its steps have shown, and what each promise remembers of them. */
interface SavedGuest {
  readonly machine: SavedMachine;
  readonly devices: readonly FollowedGuest[];
  /** What each promise remembers, and of each operation so far what is to be remembered of it. */
  readonly putBack: PutBack;
}

/**
 * The model of a machine with a VMM as something of which every sequence can be tried.
 * @param symmetric whether of states that differ in the names of vectors alone one is enough
 */
export function exploredGuest(
  config: Config,
  invariants: readonly Invariant[],
  expectations: readonly Expectation[],
  symmetric = true,
): Subject<SavedGuest> {
  const spoken = new Spoken(expectations);
  const machine = initial(config);
  const devices = startGuests(config, observe(machine));
  const watches = watchesOf(invariants, ({ startGuest }) => startGuest?.());
  const memories = memoriesOf(watches);
  const said: number[] = [];
  const label = labelOf(said);
  const vectors = config.devices.map(({ msixVectors }) => Array.from({ length: msixVectors }, () => new Fingerprint()));
  const firsts = config.devices.map((device, place) =>
    symmetric ? firstInterchangeable(config, place) : device.msixVectors,
  );
  const tellDevice = (device: FollowedGuest, place: number, fingerprint: Fingerprint): number => {
    putPlace(machine, place, fingerprint);
    device.tell(fingerprint, label);
    tellMemories(memories, place, label, fingerprint);
    const each = vectors[place] ?? [];
    for (let vector = 0; vector < each.length; vector += 1) {
      const one = each[vector] as Fingerprint;
      putVector(machine, place, vector, one.begin());
      device.tellVector(vector, one, label);
      tellVectorMemories(memories, place, vector, label, one);
    }
    return tellInterchangeable(each, firsts[place] ?? 0, fingerprint);
  };
  return {
    promises: watches.map(({ id }) => id),
    save: () => ({
      machine: saveMachine(machine),
      devices: devices.map(copyOf),
      putBack: saveMemories(memories, said),
    }),
    restore: (saved) => {
      restoreMachine(machine, saved.machine);
      for (let place = 0; place < devices.length; place += 1)
        devices[place]?.become(saved.devices[place] as FollowedGuest);
      saved.putBack();
    },
    step: (operation, index): Stepped => {
      const done = step(machine, operation);
      said[index] = spoken.of(done);
      const moment = nextGuestMoment(devices, operation, done, index);
      return { broken: judged(watches, moment, spoken, said), still: isStill(done) };
    },
    tell: (fingerprint) => {
      let ways = 1;
      for (let place = 0; place < devices.length; place += 1)
        ways *= tellDevice(devices[place] as FollowedGuest, place, fingerprint);
      return ways;
    },
    tries: () => true,
    opens: (operation, device, saved) => {
      act(machine, operation);
      const opened = new Set(machine.vmm?.functions[device]?.opened);
      restoreMachine(machine, saved.machine);
      return opened;
    },
  };
}

function copyOf(device: FollowedGuest): FollowedGuest {
  const copy = new FollowedGuest(device.config, device.place, undefined);
  copy.become(device);
  return copy;
}

/** Nothing happened and nothing was asked of the host: the guest wrote what it had written. */
function isStill({ events, observation, calls }: Step): boolean {
  if (events.length > 0 || (calls?.length ?? 0) > 0) return false;
  return observation.every(({ changes, guest }) => changes.length === 0 && (guest?.changes.length ?? 0) === 0);
}

/**
 * The first of the vectors of a device of which each can stand for each other one. A VMM that sets the whole table up
 * treats all alike. One that adds vectors turns MSI-X on with vector 0, and treats the others alike. One that grows by
 * tear-down sets up all vectors below the highest, and none can stand for another.
 */
function firstInterchangeable({ vmm, host, devices }: Config, place: number): number {
  const none = devices[place]?.msixVectors ?? 0;
  switch (vmm?.allocation) {
    case undefined:
    case 'vector-0-first':
      return none;
    case 'as-irq-info-says':
      return host.dynamicMsix ? 1 : none;
    case 'all-at-enable':
      return 0;
  }
}
