import { IMS_PASID_ENABLE, PASID_SHIFT } from '#vocabulary';
import {
  at,
  boundPasid,
  descriptorOf,
  entryOf,
  type FollowedDescriptor,
  mdevOf,
  pasidOf,
  vmOf,
} from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import { carried } from './mdev-entries.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/**
 * A descriptor carries the PASID that its guest's number stands for, begins only against an entry that lets that
 * through, and what it was checked against stays as it is until it ends: hardware checks early and fires late.
 */
export function descriptorBreaches(moment: MdevMoment, breaches: Breach[]): void {
  const { after } = moment;
  for (const descriptor of after.descriptors) {
    const wrong = descriptorWrong(moment, descriptor);
    if (wrong === null) continue;
    const { submittedAt, startedAt, entry } = descriptor;
    breaches.push(breach(moment, wrong, submittedAt + 1, startedAt + 1, at(after.entriesAt, entry)));
  }
}

function descriptorWrong(moment: MdevMoment, descriptor: FollowedDescriptor): string | null {
  const { before, after } = moment;
  const old = descriptorOf(before, descriptor.descriptor);
  const { pasid } = descriptor;
  const record = pasidOf(after, pasid);
  if (old !== descriptor || before.pasids[pasid] !== record) {
    const wrong = pasidWrong(moment, descriptor, old);
    if (wrong !== null) return wrong;
  }
  if (descriptor.phase !== 'started' || descriptor.entry === -1) return null;
  return old?.phase === 'started' ? entryMoved(moment, descriptor) : checkWrong(moment, descriptor);
}

function name({ descriptor, device }: FollowedDescriptor): string {
  return `descriptor ${descriptor} of mdev ${device}`;
}

function pasidWrong(
  { config, before, after, operation }: MdevMoment,
  descriptor: FollowedDescriptor,
  old: FollowedDescriptor | undefined,
): string | null {
  const { device, pasid, asked } = descriptor;
  const { state, vm } = pasidOf(after, pasid);
  if (state === 'free') return `${name(descriptor)} carries PASID ${pasid}, which nobody has`;
  const own = vmOf(config, device);
  if (vm !== own) return `${name(descriptor)} is of VM ${own} and carries PASID ${pasid} of VM ${vm}`;
  if (old?.pasid === pasid && old.device === device) return null;
  if (operation.kind !== 'guest.submit' || operation.descriptor !== descriptor.descriptor)
    return `${name(descriptor)} carries PASID ${pasid}, and nobody has submitted it`;
  const translates = asked.queue === 'shared' && config.devices[device]?.mdev?.viommu === true;
  const bound = translates ? boundPasid(before, own, asked.pasid) : 0;
  const owed = bound === 0 ? mdevOf(before, device).defaultPasid : bound;
  return pasid === owed ? null : `${name(descriptor)} carries PASID ${pasid}, and what its guest asked for is ${owed}`;
}

/** At the check: the entry is of the VM that submits, lets the PASID through, and is for what its guest said. */
function checkWrong({ config, after }: MdevMoment, descriptor: FollowedDescriptor): string | null {
  const { device, pasid, entry: place } = descriptor;
  const entry = entryOf(after, place);
  if (entry.device === -1) return `${name(descriptor)} was let through by entry ${place}, which is nobody's`;
  const vector = `vector ${entry.vector} of mdev ${entry.device}`;
  if (vmOf(config, entry.device) !== vmOf(config, device))
    return `${name(descriptor)} was let through by entry ${place} and may fire ${vector}, which is another VM's`;
  const open = carried(entry);
  if (open === 0) return `${name(descriptor)} was let through by entry ${place} of ${vector}, which is closed`;
  if (open !== pasid)
    return `${name(descriptor)} carries PASID ${pasid} and was let through by entry ${place} of ${vector} for ${open}`;
  // Of one VM, so there is such a device.
  const { sampledPerms, defaultPasid } = mdevOf(after, entry.device);
  const perm = at(sampledPerms, entry.vector);
  const { guest } = pasidOf(after, pasid);
  const owed = perm >>> PASID_SHIFT;
  if ((perm & IMS_PASID_ENABLE) === 0 || pasid === defaultPasid || guest === owed) return null;
  return `${name(descriptor)} carries guest PASID ${guest} and may fire ${vector}, which is for ${owed}`;
}

function entryMoved({ before, after }: MdevMoment, descriptor: FollowedDescriptor): string | null {
  const was = entryOf(before, descriptor.entry);
  const is = entryOf(after, descriptor.entry);
  if (was === is) return null;
  const what = `entry ${descriptor.entry}, against which ${name(descriptor)} was checked and is not over,`;
  if (was.device !== is.device || was.vector !== is.vector)
    return `${what} went from @${was.device}.${was.vector} to @${is.device}.${is.vector}`;
  return carried(was) === carried(is) ? null : `${what} went from PASID ${carried(was)} to ${carried(is)}`;
}
