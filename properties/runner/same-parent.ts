import type { Descriptor, HostPasid, ImsEntry, MdevState, MsixPerm, ParentObservation } from '#vocabulary';
import { areSame } from './same.ts';

/** Whether two observations of a parent are the same in everything that is printed of them. */
export function isSameParent(left: ParentObservation | undefined, right: ParentObservation | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    areSame(left.entries, right.entries, isSameEntry) &&
    areSame(left.pasids, right.pasids, isSamePasid) &&
    areSame(left.mdevs, right.mdevs, isSameMdev) &&
    areSame(left.perms, right.perms, isSamePerm) &&
    areSame(left.descriptors, right.descriptors, isSameDescriptor)
  );
}

function isSameEntry(left: ImsEntry, right: ImsEntry): boolean {
  return (
    left.entry === right.entry &&
    left.control === right.control &&
    left.data === right.data &&
    left.device === right.device &&
    left.vector === right.vector &&
    left.handle === right.handle
  );
}

function isSamePasid(left: HostPasid, right: HostPasid): boolean {
  return (
    left.pasid === right.pasid &&
    left.state === right.state &&
    left.vm === right.vm &&
    left.guest === right.guest &&
    left.references === right.references
  );
}

function isSameMdev(left: MdevState, right: MdevState): boolean {
  return left.device === right.device && left.life === right.life && left.defaultPasid === right.defaultPasid;
}

function isSamePerm(left: MsixPerm, right: MsixPerm): boolean {
  return left.device === right.device && left.vector === right.vector && left.value === right.value;
}

function isSameDescriptor(left: Descriptor, right: Descriptor): boolean {
  return (
    left.descriptor === right.descriptor &&
    left.phase === right.phase &&
    left.device === right.device &&
    left.pasid === right.pasid &&
    left.entry === right.entry
  );
}
