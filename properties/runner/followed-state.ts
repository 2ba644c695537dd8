import {
  ARMED,
  type Config,
  type DeviceObservation,
  IMS_PENDING,
  INTX_HANDLER,
  MSI_ENABLE,
  type Observation,
  type Operation,
  type Outcome,
  type ParentObservation,
  type PciFunction,
  PENDING,
  type Step,
  type Trace,
  UNMASKED,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import type { StateClass } from './state-class.ts';

/** What the guest reads of a vector stands beside what is so, this many bits higher. */
const GUEST_SHIFT = 5;
const GUEST_UNMASKED = UNMASKED << GUEST_SHIFT;
const GUEST_PENDING = PENDING << GUEST_SHIFT;
const GUEST_STATE = GUEST_UNMASKED | GUEST_PENDING;

/** More vectors than any limit that leaves some out. */
const NO_LIMIT = 2048;

/** One device, from observation to observation. */
interface FollowedDevice {
  size: number;
  vm: number;
  /** By vector, both states. */
  states: Uint16Array;
  armed: number;
  pending: number;
  unmasked: number;
  guestPending: number;
  withoutTrigger: number;
  seen: DeviceObservation;
  isGone: boolean;
  isOpen: boolean;
  isAttached: boolean;
  pendingEntries: number;
  queued: number;
  started: number;
}

function unseenDevice(seen: DeviceObservation): FollowedDevice {
  return {
    ...{ size: 0, vm: 0, states: new Uint16Array(0), seen },
    ...{ armed: 0, pending: 0, unmasked: 0, guestPending: 0, withoutTrigger: 0 },
    ...{ isGone: true, isOpen: false, isAttached: false, pendingEntries: 0, queued: 0, started: 0 },
  };
}

function restart(device: FollowedDevice, made: PciFunction, seen: DeviceObservation): void {
  const vectors = Math.max(made.msixVectors, made.msiVectors ?? 0);
  if (device.states.length < vectors) device.states = new Uint16Array(vectors);
  else device.states.fill(0);
  device.size = made.msixVectors;
  device.vm = made.mdev?.vm ?? 0;
  device.seen = seen;
  device.armed = 0;
  device.pending = 0;
  device.unmasked = 0;
  device.guestPending = 0;
  device.withoutTrigger = 0;
  device.isGone = true;
  device.isOpen = false;
  device.isAttached = false;
  device.pendingEntries = 0;
  device.queued = 0;
  device.started = 0;
}

/** A Map that is empty is not made anew. */
function forget(known: Map<number, number>): void {
  if (known.size > 0) known.clear();
}

/**
 * What the observations of a scenario so far say, added up: enough to name the class of every device. It goes from
 * scenario to scenario, and keeps its room.
 */
export class FollowedState {
  #family: 'host' | 'guest' | 'mdev' = 'host';
  #entriesMax = 0;
  #devices: readonly FollowedDevice[] = [];
  /** Those of all scenarios so far; a scenario has the first ones. */
  readonly #made: FollowedDevice[] = [];
  #limited = false;
  #failing = false;
  /** Whose each entry is, as `ownerOf` reads it, marked where it keeps an interrupt; a clean one is left out. */
  readonly #entries = new Map<number, number>();
  /** Whose each descriptor is, in the same way, marked where it is started. */
  readonly #descriptors = new Map<number, number>();
  /** The VMs of PASIDs that are free-pending, by PASID. */
  readonly #freePending = new Map<number, number>();

  /** Goes to what is before the first operation of a scenario. */
  begin(config: Config, { initial, initialParent }: Pick<Trace, 'initial' | 'initialParent'>): void {
    const { mdev, vmm, parent, devices } = config;
    this.#family = mdev !== undefined ? 'mdev' : vmm === undefined ? 'host' : 'guest';
    this.#entriesMax = parent?.entries ?? 0;
    this.#limited = false;
    this.#failing = false;
    forget(this.#entries);
    forget(this.#descriptors);
    forget(this.#freePending);
    for (let place = 0; place < devices.length; place += 1) {
      const seen = initial[place] as DeviceObservation;
      this.#made[place] ??= unseenDevice(seen);
      restart(this.#made[place] as FollowedDevice, devices[place] as PciFunction, seen);
    }
    this.#devices = this.#made.length === devices.length ? this.#made : this.#made.slice(0, devices.length);
    this.#look(initial, initialParent);
  }

  /** The class of what an operation is about: its device, that of its descriptor, and else the first. */
  classFor(operation: Operation): StateClass {
    const device = this.#devices[this.#placeFor(operation)];
    if (device === undefined) return 'closed';
    switch (this.#family) {
      case 'host':
        return this.#hostClass(device);
      case 'guest':
        return this.#guestClass(device);
      case 'mdev':
        return this.#mdevClass(device);
    }
  }

  #placeFor(operation: Operation): number {
    if ('device' in operation) return operation.device;
    if ('descriptor' in operation) return ownerOf(this.#descriptors.get(operation.descriptor) ?? 0);
    return 'vm' in operation ? this.#devices.findIndex(({ vm }) => vm === operation.vm) : 0;
  }

  #hostClass({ seen, armed, pending, size }: FollowedDevice): StateClass {
    if (seen.msixInfoFlags === 0) return 'closed';
    if ((seen.registers & INTX_HANDLER) !== 0) return 'INTx on';
    if ((seen.registers & MSI_ENABLE) !== 0) return 'MSI on';
    if (!seen.enable) {
      if (pending > 0) return 'MSI-X off, pending';
      return this.#isShort ? 'MSI-X off, host short' : 'MSI-X off';
    }
    if (pending > 0) return 'MSI-X on, pending';
    if (this.#isShort) return 'MSI-X on, host short';
    if (armed === 0) return 'MSI-X on, none armed';
    return armed < size ? 'MSI-X on, some armed' : 'MSI-X on, all armed';
  }

  #guestClass({ seen: { guest }, unmasked, guestPending, withoutTrigger }: FollowedDevice): StateClass {
    if (guest?.enable !== true) {
      if (this.#isShort) return 'MSI-X off, host short';
      return unmasked > 0 ? 'MSI-X off, some unmasked' : 'MSI-X off, all masked';
    }
    if (guest.functionMask) return 'MSI-X on, function-masked';
    if (withoutTrigger > 0) return 'MSI-X on, unmasked without trigger';
    if (guestPending > 0) return 'MSI-X on, pending';
    if (this.#isShort) return 'MSI-X on, host short';
    return unmasked > 0 ? 'MSI-X on, some unmasked' : 'MSI-X on, all masked';
  }

  #mdevClass({ seen, vm, isGone, isOpen, isAttached, pendingEntries, queued, started }: FollowedDevice): StateClass {
    if (isGone) return 'gone';
    if (!isOpen) return isAttached ? 'closed' : 'closed and detached';
    if (!isAttached) return 'detached';
    if (started > 0) return 'descriptor past its check';
    if (queued > 0) return 'descriptor queued';
    if (this.#freePending.size > 0 && this.#givesBack(vm)) return 'PASID free-pending';
    if (pendingEntries > 0) return 'entry pending';
    const isLeft = this.#entries.size < this.#entriesMax;
    if (seen.enable) return isLeft ? 'MSI-X on, entries left' : 'MSI-X on, no entry left';
    return isLeft ? 'MSI-X off, entries left' : 'MSI-X off, no entry left';
  }

  #givesBack(vm: number): boolean {
    for (const other of this.#freePending.values()) if (other === vm) return true;
    return false;
  }

  get #isShort(): boolean {
    return this.#limited || this.#failing;
  }

  /** Goes on to the state after a step. */
  follow(operation: Operation, { outcome, observation, parent, calls }: Step): void {
    if (operation.kind === 'host.limitVectors') this.#limited = operation.count < NO_LIMIT;
    else if (operation.kind === 'host.failAllocation') this.#failing = true;
    else if (this.#failing && (fails(outcome) || calls?.some((call) => call.kind === 'vfio' && fails(call.outcome))))
      this.#failing = false;
    this.#look(observation, parent);
  }

  #look(observation: Observation, parent: ParentObservation | undefined): void {
    for (let place = 0; place < this.#devices.length; place += 1) {
      const device = this.#devices[place];
      const seen = observation[place];
      if (device === undefined || seen === undefined) continue;
      device.seen = seen;
      for (const { vector, state } of seen.changes) change(device, vector, GUEST_STATE, state);
      if (seen.guest === undefined) continue;
      for (const { vector, state } of seen.guest.changes)
        change(device, vector, VECTOR_STATE_MASK, state << GUEST_SHIFT);
    }
    if (parent !== undefined) this.#lookAtParent(parent);
  }

  #lookAtParent({ entries, pasids, mdevs, descriptors }: ParentObservation): void {
    for (const { device: place, life, defaultPasid } of mdevs) {
      const device = this.#devices[place];
      if (device === undefined) continue;
      device.isGone = life === 'gone';
      device.isOpen = life === 'open';
      device.isAttached = defaultPasid !== 0;
    }
    for (const { pasid, state, vm } of pasids) {
      if (state === 'free-pending') this.#freePending.set(pasid, vm);
      else if (this.#freePending.size > 0) this.#freePending.delete(pasid);
    }
    for (const { entry, control, device } of entries) this.#changeEntry(entry, device, (control & IMS_PENDING) !== 0);
    for (const { descriptor, phase, device } of descriptors)
      this.#changeDescriptor(descriptor, phase === 'over' ? -1 : device, phase === 'started');
  }

  #changeEntry(entry: number, owner: number, isPending: boolean): void {
    const before = this.#entries.get(entry);
    if (before !== undefined) {
      if (isMarked(before)) this.#count(ownerOf(before), 'pendingEntries', -1);
      if (owner < 0) this.#entries.delete(entry);
    }
    if (owner < 0) return;
    if (isPending) this.#count(owner, 'pendingEntries', 1);
    this.#entries.set(entry, owned(owner, isPending));
  }

  #changeDescriptor(descriptor: number, owner: number, isStarted: boolean): void {
    const before = this.#descriptors.get(descriptor);
    if (before !== undefined) {
      this.#count(ownerOf(before), isMarked(before) ? 'started' : 'queued', -1);
      if (owner < 0) this.#descriptors.delete(descriptor);
    }
    if (owner < 0) return;
    this.#count(owner, isStarted ? 'started' : 'queued', 1);
    this.#descriptors.set(descriptor, owned(owner, isStarted));
  }

  #count(place: number, what: 'pendingEntries' | 'queued' | 'started', by: number): void {
    const device = this.#devices[place];
    if (device !== undefined) device[what] += by;
  }
}

/** The place of a device and a mark, as one number. */
function owned(device: number, mark: boolean): number {
  return device * 2 + (mark ? 1 : 0);
}

function ownerOf(owned: number): number {
  return owned >> 1;
}

function isMarked(owned: number): boolean {
  return (owned & 1) !== 0;
}

/** @param kept the bits that stay as they were */
function change(device: FollowedDevice, vector: number, kept: number, state: number): void {
  const before = device.states[vector] ?? 0;
  const now = (before & kept) | state;
  const flipped = before ^ now;
  device.states[vector] = now;
  if ((flipped & ARMED) !== 0) device.armed += (now & ARMED) === 0 ? -1 : 1;
  if ((flipped & PENDING) !== 0) device.pending += (now & PENDING) === 0 ? -1 : 1;
  if (((before | now) & GUEST_STATE) === 0) return;
  if ((flipped & GUEST_PENDING) !== 0) device.guestPending += (now & GUEST_PENDING) === 0 ? -1 : 1;
  if ((flipped & GUEST_UNMASKED) !== 0) device.unmasked += (now & GUEST_UNMASKED) === 0 ? -1 : 1;
  if (isWithoutTrigger(before) !== isWithoutTrigger(now)) device.withoutTrigger += isWithoutTrigger(now) ? 1 : -1;
}

function isWithoutTrigger(state: number): boolean {
  return (state & (GUEST_UNMASKED | ARMED)) === GUEST_UNMASKED;
}

function fails(outcome: Outcome): boolean {
  return outcome.kind === 'errno' && (outcome.errno === 'ENOSPC' || outcome.errno === 'ENOMEM');
}
