import {
  ARMED,
  type GuestFreePasid,
  type GuestMsixPerm,
  type GuestReleaseHandle,
  IMS_IGNORE,
  IMS_PASID_ENABLE,
  isEventfdName,
  type Operation,
  type Outcome,
  PASID_SHIFT,
  type Step,
  UNMASKED,
  type VfioSetIrqs,
} from '#vocabulary';
import {
  at,
  boundPasid,
  change,
  changedMdev,
  clear,
  type FollowedMdev,
  mdevOf,
  UNSEEN,
  type Update,
  vmOf,
} from './followed-parent.ts';
import { disablesMsix, givesEventfd, type MdevCall, setsMsix } from './mdev-calls.ts';
import { sample, sampleClosed } from './sampled-perm.ts';

// What an operation that was granted means beside what is seen of it.

/** The 32 bits of MSIX_PERM that a guest writes. */
export function permWritten({ ignore, pasidEnable, pasid }: GuestMsixPerm): number {
  return ((ignore ? IMS_IGNORE : 0) | (pasidEnable ? IMS_PASID_ENABLE : 0) | (pasid << PASID_SHIFT)) >>> 0;
}

/** What an operation that succeeded says beside what is seen. */
export function followGranted(update: Update, operation: Operation, outcome: Outcome): void {
  const { config, after } = update;
  switch (operation.kind) {
    case 'guest.msixPerm': {
      const { device, vector } = operation;
      change(update, device, 'written', vector, permWritten(operation));
      if (config.mdev.permSync === 'immediate' && isArmedIms(mdevOf(after, device), vector))
        sample(update, device, vector);
      return;
    }
    case 'guest.unmask':
      unmask(update, operation.device, operation.vector);
      return;
    case 'guest.bindPasid':
      if (config.mdev.permSync === 'immediate') resampleBound(update, operation.device, operation.pasid);
      return;
    case 'guest.freePasid':
      dropPasid(update, operation);
      return;
    case 'guest.requestHandle':
      if (outcome.kind !== 'value') return;
      change(update, operation.device, 'told', operation.vector, outcome.value + 1);
      if (config.parent.handles === 'requested') change(update, operation.device, 'live', operation.vector, 1);
      return;
    case 'guest.releaseHandle':
      releaseHandle(update, operation);
      return;
    case 'vfio.open':
      changedMdev(update, operation.device).fds += 1;
      return;
    case 'vfio.close':
      if (mdevOf(after, operation.device).fds > 1) changedMdev(update, operation.device).fds -= 1;
      else forgetAll(update, operation.device);
      return;
    case 'host.removeMdev':
      forgetAll(update, operation.device);
      return;
    case 'host.crash':
      for (const device of after.mdevs.keys()) if (vmOf(config, device) === operation.vm) forgetAll(update, device);
      return;
    case 'host.failAllocation':
      after.allocationMayFail = true;
      return;
    case 'vfio.closeEventfd':
      closeEventfd(update, Number(operation.eventfd.slice(1)) + 1);
      return;
    case 'device.armDescriptor':
      after.arms = [...after.arms, { device: operation.device, descriptor: operation.descriptor }];
      return;
  }
}

function isArmedIms({ states }: FollowedMdev, vector: number): boolean {
  return vector > 0 && (at(states, vector) & ARMED) !== 0;
}

/** Where a VMM has the table, the host unmasks nothing. */
function unmask(update: Update, device: number, vector: number): void {
  const { config, before, after } = update;
  if (config.vmm !== undefined || config.mdev.permSync === 'atEnable') return;
  const wasMasked = (at(mdevOf(before, device).states, vector) & UNMASKED) === 0;
  if (wasMasked && isArmedIms(mdevOf(after, device), vector)) sample(update, device, vector);
}

/** A guest PASID can be translated from now on. */
function resampleBound(update: Update, device: number, guest: number): void {
  const { config, after } = update;
  const perm = (IMS_PASID_ENABLE | (guest << PASID_SHIFT)) >>> 0;
  for (const [place, mdev] of after.mdevs.entries()) {
    if (vmOf(config, place) !== vmOf(config, device)) continue;
    for (const [vector, written] of mdev.written.entries())
      if ((written & ~IMS_IGNORE) >>> 0 === perm && isArmedIms(mdev, vector)) sample(update, place, vector);
  }
}

/** What carried the PASID is closed, or looked at again. */
function dropPasid(update: Update, { device, pasid: guest }: GuestFreePasid): void {
  const { config, before } = update;
  const vm = vmOf(config, device);
  const host = config.devices[device]?.mdev?.viommu === true ? boundPasid(before, vm, guest) : 0;
  if (host === 0) return;
  for (const [place, mdev] of before.mdevs.entries()) {
    if (vmOf(config, place) !== vm) continue;
    for (const [vector, sampled] of mdev.sampled.entries()) {
      if (sampled !== host) continue;
      if (config.mdev.permSync === 'immediate' && isArmedIms(mdev, vector)) sample(update, place, vector);
      else sampleClosed(update, place, vector);
    }
  }
}

function releaseHandle(update: Update, { device, operand }: GuestReleaseHandle): void {
  const mdev = mdevOf(update.after, device);
  const isMeant = (told: number): boolean => Math.abs(told) === operand + 1;
  const leading = mdev.told.findIndex((told, place) => isMeant(told) && at(mdev.backing, place) === operand + 1);
  const byHandle = (): number => (leading === -1 ? mdev.told.findIndex(isMeant) : leading);
  const vector = update.config.mdev.releaseBy === 'index' ? operand : byHandle();
  const told = Math.abs(at(mdev.told, vector));
  if (told === 0) return;
  change(update, device, 'told', vector, 0);
  if (at(mdev.backing, vector) !== told) return;
  change(update, device, 'live', vector, 0);
  sampleClosed(update, device, vector);
}

/** A trigger goes on signalling an eventfd that the user has closed, and nobody sees it. */
function closeEventfd(update: Update, eventfd: number): void {
  for (const [device, { triggers }] of update.before.mdevs.entries())
    for (const [vector, trigger] of triggers.entries())
      if (trigger === eventfd) change(update, device, 'triggers', vector, UNSEEN);
}

/** Nobody has the mdev open any more. */
function forgetAll(update: Update, device: number): void {
  if (mdevOf(update.after, device).fds !== 0) changedMdev(update, device).fds = 0;
  clear(update, device, 'written', 'told', 'live');
}

/** What a call that was granted, or refused, says of triggers and of what entries are to carry. */
export function followCall(update: Update, { operation, granted }: MdevCall): void {
  const { device } = operation;
  if (operation.kind === 'vfio.reset') {
    if (granted) followReset(update, device);
  } else if (disablesMsix(operation)) {
    if (granted) clear(update, device, 'triggers', 'live', 'sampled', 'sampledPerms');
  } else if (setsMsix(operation)) {
    for (let place = 0; place < operation.count && place < operation.data.length; place += 1)
      followElement(update, operation, granted, place);
  }
}

function followElement(update: Update, call: VfioSetIrqs, granted: boolean, place: number): void {
  const { device } = call;
  const vector = call.start + place;
  const mdev = mdevOf(update.after, device);
  if (!granted) {
    // It may have had a trigger for a moment, and with that its handle is lost.
    const entry = update.after.entries[at(mdev.backing, vector) - 1];
    if (entry?.handle !== true) change(update, device, 'live', vector, 0);
    return;
  }
  const element = call.data[place];
  if (isEventfdName(element)) {
    change(update, device, 'triggers', vector, Number(element.slice(1)) + 1);
    if (vector > 0) sample(update, device, vector);
    return;
  }
  if (at(mdev.triggers, vector) === 0) return;
  change(update, device, 'live', vector, 0);
  change(update, device, 'triggers', vector, 0);
}

function followReset(update: Update, device: number): void {
  clear(update, device, 'written', 'told', 'live', 'sampledPerms');
  const { states, defaultPasid } = mdevOf(update.after, device);
  for (const [vector, state] of states.entries())
    if (vector > 0 && (state & ARMED) !== 0) change(update, device, 'sampled', vector, defaultPasid);
}

/**
 * A handle that its guest was told is revoked when its vector gets another entry. Of a range that failed it is not
 * known how far it got.
 */
export function followRevocations(update: Update, calls: readonly MdevCall[], { events }: Step): void {
  for (let device = 0; device < update.before.mdevs.length; device += 1) {
    const { told } = mdevOf(update.before, device);
    if (told.length === 0) continue;
    let revoked = events.filter((event) => event.kind === 'revoked' && event.device === device).length;
    const unsure: number[] = [];
    for (const [vector, handle] of told.entries()) {
      const mdev = mdevOf(update.after, device);
      if (handle === 0 || at(mdev.told, vector) === 0 || !isGiven(calls, device, vector)) continue;
      const entry = at(mdev.backing, vector);
      if (entry !== 0 && entry !== Math.abs(handle) && isArmedIms(mdev, vector)) {
        change(update, device, 'told', vector, 0);
        revoked -= 1;
      } else unsure.push(vector);
    }
    if (revoked > 0) for (const vector of unsure) change(update, device, 'told', vector, -Math.abs(at(told, vector)));
  }
}

function isGiven(calls: readonly MdevCall[], device: number, vector: number): boolean {
  return calls.some(
    ({ operation }) => operation.device === device && setsMsix(operation) && givesEventfd(operation, vector),
  );
}
