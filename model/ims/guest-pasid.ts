import { type Errno, PASID_MAX } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { replay } from './interrupt.ts';
import { synchronise } from './msix-perm.ts';
import { entryAt, imsVectors, type Mdev, mdevsOf, type ParentState, vectorAt } from './parent.ts';
import { allocatePasid, releasePasid } from './pasid.ts';
import { closeEntry } from './programming.ts';
import { translate } from './translation.ts';

const CLAUSE = declare({
  without: {
    id: 'ims.guest-pasid.no-viommu',
    title: 'A guest without a virtual IOMMU, or whose mdev is not attached, has no PASIDs: ENODEV.',
    source: '"/dev/ioasid" RFC of 2021, 4 and 5.5',
  },
  invalid: {
    id: 'ims.guest-pasid.invalid',
    title: 'A guest PASID of 0 or of more than 20 bits is EINVAL.',
    source: 'INVALID_IOASID in "docs: Document IOASID APIs", 2020',
  },
  bound: {
    id: 'ims.guest-pasid.already-bound',
    title: 'A guest PASID that its VM has bound already is EBUSY; another VM may use the same number.',
    source: 'ioasid_attach_spid, "docs: Document IOASID APIs", 2020',
  },
  bind: {
    id: 'ims.guest-pasid.bind',
    title: 'A guest PASID gets a host PASID of its own, whatever its number.',
    source: '"/dev/ioasid" RFC of 2021, 4: the number of the guest is never the number of the host',
  },
  unknown: {
    id: 'ims.guest-pasid.free-twice',
    title: 'Giving back a guest PASID that is not bound is harmless.',
    source: 'the life cycle in "docs: Document IOASID APIs", 2020',
  },
  free: {
    id: 'ims.guest-pasid.free',
    title: 'A guest PASID that is given back translates to nothing from then on, and giving back never fails.',
    source: 'the life cycle in "docs: Document IOASID APIs", 2020',
  },
  closedFirst: {
    id: 'ims.guest-pasid.closed-first',
    title: "Every entry that carries a PASID is closed before the PASID can be anybody else's.",
    source: 'the life cycle in "docs: Document IOASID APIs", 2020; DSA 3.0, 7.5.7 (W4)',
  },
});

/** The guest has set up a PASID in its virtual IOMMU. */
export function bindPasid(parent: ParentState, mdev: Mdev, guestPasid: number): 0 | Errno {
  const { viommu, vm } = mdev.facts;
  if (viommu !== true || mdev.defaultPasid === 0) {
    cite(CLAUSE.without);
    return 'ENODEV';
  }
  if (guestPasid === 0 || guestPasid > PASID_MAX) {
    cite(CLAUSE.invalid);
    return 'EINVAL';
  }
  const bindings = parent.bindings.get(vm) ?? new Map<number, number>();
  if (bindings.has(guestPasid)) {
    cite(CLAUSE.bound);
    return 'EBUSY';
  }
  const pasid = allocatePasid(parent, vm, guestPasid);
  if (pasid === 'ENOSPC') return pasid;
  cite(CLAUSE.bind);
  parent.bindings.set(vm, new Map([...bindings, [guestPasid, pasid]]));
  if (parent.driver.permSync === 'immediate') synchroniseThose(parent, vm, guestPasid);
  return 0;
}

/** Source: the discussion of the mail of June 2021. */
function synchroniseThose(parent: ParentState, vm: number, guestPasid: number): void {
  for (const mdev of mdevsOf(parent, vm)) {
    for (const vector of imsVectors(mdev)) {
      const { perm, trigger } = vectorAt(mdev, vector);
      if (trigger !== null && perm.pasidEnable && perm.pasid === guestPasid) synchronise(parent, mdev, vector);
    }
  }
}

/** The guest gives a PASID back. */
export function freePasid(parent: ParentState, mdev: Mdev, guestPasid: number): void {
  if (translate(parent, mdev, guestPasid) === null) {
    cite(CLAUSE.unknown);
    return;
  }
  unbind(parent, mdev.facts.vm, guestPasid);
}

/** Every guest PASID of a VM is given back. Source: "docs: Document IOASID APIs", 2020, of the set of a VM. */
export function freeAllPasids(parent: ParentState, vm: number): void {
  const bound = [...(parent.bindings.get(vm)?.keys() ?? [])].sort((left, right) => left - right);
  for (const guestPasid of bound) unbind(parent, vm, guestPasid);
}

function unbind(parent: ParentState, vm: number, guestPasid: number): void {
  const bindings = new Map(parent.bindings.get(vm));
  const pasid = bindings.get(guestPasid);
  if (pasid === undefined) throw new Error(`VM ${vm} has not bound PASID ${guestPasid}`);
  cite(CLAUSE.free);
  bindings.delete(guestPasid);
  parent.bindings.set(vm, bindings);
  for (const mdev of mdevsOf(parent, vm)) {
    for (const vector of imsVectors(mdev)) leavePasid(parent, mdev, vector, pasid);
  }
  releasePasid(parent, pasid);
}

/** The entry of a vector carries it no more. */
function leavePasid(parent: ParentState, mdev: Mdev, vector: number, pasid: number): void {
  const { entry, trigger } = vectorAt(mdev, vector);
  if (entry === null || entryAt(parent, entry).pasid !== pasid) return;
  cite(CLAUSE.closedFirst);
  if (parent.driver.permSync === 'immediate' && trigger !== null) {
    synchronise(parent, mdev, vector);
    return;
  }
  closeEntry(parent, entry);
  replay(parent, mdev, vector, false);
}
