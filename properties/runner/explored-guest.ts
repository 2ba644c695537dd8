import type { Config, Step } from '#vocabulary';
import { initial, type Machine, observe, step } from '../../model/machine.ts';
import { copyOfMachine, keyOfPlace, keyOfVector } from '../../model/machine-copy.ts';
import type { Expectation } from '../expected.ts';
import { FollowedGuest } from '../invariants/followed-guest.ts';
import { type GuestMoment, nextGuestMoment } from '../invariants/guest-moment.ts';
import type { Invariant } from '../invariants/invariant.ts';
import type { Stepped, Subject } from './explore.ts';
import {
  copyOfWatches,
  joined,
  judged,
  labelOf,
  memoryKey,
  orbitOf,
  Spoken,
  vectorMemoryKey,
  type Watching,
  watchesOf,
} from './explored.ts';

/** A machine with a VMM, what its steps have shown, and what each promise remembers of them. */
interface GuestState {
  readonly machine: Machine;
  readonly devices: readonly FollowedGuest[];
  readonly watches: readonly Watching<GuestMoment>[];
  /** Of each operation so far, what is to be remembered of it. */
  readonly said: string[];
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
): Subject<GuestState> {
  const spoken = new Spoken(expectations);
  const keysOf = (state: GuestState, place: number): string[] => vectorKeys(config, state, place);
  const firsts = config.devices.map((device, place) =>
    symmetric ? firstInterchangeable(config, place) : device.msixVectors,
  );
  const isSymmetric = config.devices.some(({ msixVectors }, place) => (firsts[place] ?? 0) < msixVectors - 1);
  return {
    promises: watchesOf(invariants, ({ startGuest }) => startGuest?.()).map(({ id }) => id),
    initial: () => {
      const machine = initial(config);
      const seen = observe(machine);
      return {
        machine,
        devices: config.devices.map((device, place) => new FollowedGuest(device, place, seen[place])),
        watches: watchesOf(invariants, ({ startGuest }) => startGuest?.()),
        said: [],
      };
    },
    clone: ({ machine, devices, watches, said }) => ({
      machine: copyOfMachine(machine),
      devices: devices.map((device) => device.copy()),
      watches: copyOfWatches(watches),
      said: said.slice(),
    }),
    step: ({ machine, devices, watches, said }, operation, index): Stepped => {
      const done = step(machine, operation);
      said[index] = spoken.of(done);
      const moment = nextGuestMoment(devices, operation, done, index);
      return { broken: judged(watches, moment, spoken, said), still: isStill(done) };
    },
    key: (state) => {
      const label = labelOf(state.said);
      return firsts
        .map((first, place) => {
          const followed = state.devices[place]?.key(label) ?? '';
          const key = keyOfPlace(state.machine, place) + followed + memoryKey(state.watches, place, label);
          return `${key}:${joined(keysOf(state, place), first)}`;
        })
        .join('|');
    },
    tries: () => true,
    orbit: (state) =>
      isSymmetric ? firsts.reduce((ways, first, place) => ways * orbitOf(keysOf(state, place), first), 1) : 1,
    opened: ({ machine }, device) => machine.vmm?.functions[device]?.opened ?? new Set(),
  };
}

function vectorKeys({ devices }: Config, state: GuestState, place: number): string[] {
  const label = labelOf(state.said);
  const keys: string[] = [];
  const count = devices[place]?.msixVectors ?? 0;
  for (let vector = 0; vector < count; vector += 1) {
    const followed = state.devices[place]?.keyOf(vector, label) ?? '';
    const remembered = vectorMemoryKey(state.watches, place, vector, label);
    keys.push(keyOfVector(state.machine, place, vector) + followed + remembered);
  }
  return keys;
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
