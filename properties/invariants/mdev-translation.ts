import { type HostPasid, printHostPasid } from '#vocabulary';
import { boundPasid, mdevOf, pasidOf, vmOf } from './followed-parent.ts';
import { type Breach, KEPT } from './invariant.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * A host PASID has one meaning at a time: it begins as a free one with the operation that asks for it, and until
 * nothing refers to it any more it is nobody else's. A guest PASID that was given back translates to nothing.
 */
export function translationBreaches(moment: MdevMoment, breaches: Breach[]): void {
  const { before, after } = moment;
  for (let place = 0; after.pasids !== before.pasids && place < after.pasids.length; place += 1) {
    const [old, pasid] = [pasidOf(before, place), pasidOf(after, place)];
    const wrong = old === pasid ? null : meaningWrong(moment, old, pasid);
    if (wrong !== null) breaches.push(breach(moment, wrong, before.pasidsAt[place] ?? 0));
  }
}

/** What an operation on PASIDs that succeeded has to have done. */
export function answerBreaches(moment: MdevMoment): readonly Breach[] {
  const wrong = answerWrong(moment);
  return wrong === null ? KEPT : [breach(moment, wrong)];
}

function meaningWrong(moment: MdevMoment, old: HostPasid, pasid: HostPasid): string | null {
  const same = old.vm === pasid.vm && old.guest === pasid.guest;
  switch (pasid.state) {
    case 'free':
      return old.state !== 'active' || mayGo(moment, old) ? null : `nobody has given back ${printHostPasid(old)}`;
    case 'free-pending':
      if (!same || old.state === 'free') return `${printHostPasid(old)} became ${printHostPasid(pasid)}`;
      return old.state !== 'active' || mayGo(moment, old) ? null : `nobody has given back ${printHostPasid(old)}`;
    case 'active':
      if (old.state === 'active' && same) return null;
      if (old.state !== 'free') return `${printHostPasid(old)} was taken again: ${printHostPasid(pasid)}`;
      return isAskedFor(moment, pasid) ? null : `nobody has asked for ${printHostPasid(pasid)}`;
  }
}

/** A guest PASID goes when its guest gives it back, or when the VM has no mdev left that is attached. */
function mayGo({ config, operation, after }: MdevMoment, { vm, guest }: HostPasid): boolean {
  if (guest === 0) return true;
  if (operation.kind === 'guest.freePasid' && operation.pasid === guest && vmOf(config, operation.device) === vm)
    return true;
  return !after.mdevs.some(({ defaultPasid }, device) => defaultPasid !== 0 && vmOf(config, device) === vm);
}

function isAskedFor({ config, operation, step }: MdevMoment, { vm, guest }: HostPasid): boolean {
  if (step.outcome.kind !== 'ok') return false;
  if (operation.kind === 'guest.bindPasid') return operation.pasid === guest && vmOf(config, operation.device) === vm;
  return operation.kind === 'host.attach' && guest === 0 && vmOf(config, operation.device) === vm;
}

function answerWrong({ config, operation, step, before, after }: MdevMoment): string | null {
  if (operation.kind === 'guest.bindPasid' && step.outcome.kind === 'errno' && step.outcome.errno === 'EBUSY') {
    const vm = vmOf(config, operation.device);
    const had = boundPasid(before, vm, operation.pasid) !== 0;
    return had ? null : `guest PASID ${operation.pasid} of VM ${vm} is not bound, and is said to be`;
  }
  if (step.outcome.kind !== 'ok') return null;
  if (operation.kind === 'host.attach') {
    const { defaultPasid } = mdevOf(after, operation.device);
    const { state, vm, guest } = pasidOf(after, defaultPasid);
    const right = state === 'active' && vm === vmOf(config, operation.device) && guest === 0;
    return right ? null : `mdev ${operation.device} was attached and has default PASID ${defaultPasid} (${state})`;
  }
  if (operation.kind !== 'guest.bindPasid' && operation.kind !== 'guest.freePasid') return null;
  const { device, pasid } = operation;
  const vm = vmOf(config, device);
  const bound = boundPasid(after, vm, pasid);
  if (operation.kind === 'guest.bindPasid')
    return bound === 0 ? `guest PASID ${pasid} of VM ${vm} was bound and translates to nothing` : null;
  const had = config.devices[device]?.mdev?.viommu === true && boundPasid(before, vm, pasid) !== 0;
  return had && bound !== 0 ? `guest PASID ${pasid} of VM ${vm} was given back and translates to ${bound}` : null;
}
