import type { Errno } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { stopQueues } from './completion.ts';
import { freeAllPasids } from './guest-pasid.ts';
import { freshVector, type Mdev, mdevsOf, type ParentState, replaceVector } from './parent.ts';
import { allocatePasid, holdPasid, releasePasid } from './pasid.ts';
import { disableAll } from './set-irqs.ts';

const CLAUSE = declare({
  create: {
    id: 'ims.life.create',
    title: 'An mdev that is made has all vectors masked, MSIX_PERM 0, no entry and no PASID.',
    source: 'DSA 3.0, 9.2; vidxd_init, idxd drivers of 2020 to 2023',
  },
  attach: {
    id: 'ims.life.attach-default',
    title: 'An mdev that is attached gets a default PASID of its own.',
    source: 'the VFIO MSI-X virtualization mail of 2021; iommufd_device_bind_pasid, RFC of October 2023',
  },
  domain: {
    id: 'ims.life.domain-default',
    title: "Where the default PASID is the domain's, the mdevs of a VM share it: nothing separates those.",
    source: 'iommu_aux_get_pasid, as the idxd drivers of 2020 and 2021 used it (W22)',
  },
  attached: {
    id: 'ims.life.already-attached',
    title: 'Attaching what is attached is EBUSY, detaching what is not EINVAL.',
    source: 'ours: a call that changes nothing is told so',
  },
  detach: {
    id: 'ims.life.detach',
    title: 'Detaching ends the descriptors and closes the entries of an mdev before its default PASID is given back.',
    source: 'DSA 3.0, 7.5.7; the driver of 2026 (W16)',
  },
  vmGone: {
    id: 'ims.life.last-detach',
    title: 'With the last mdev of a VM that is detached, the guest PASIDs of the VM are given back.',
    source: '"docs: Document IOASID APIs", 2020: the set of a VM that is gone',
  },
  open: {
    id: 'ims.life.open',
    title: 'A further descriptor of an mdev shares the state of the first.',
    source: 'vfio_device_open, Linux 6.1',
  },
  closed: {
    id: 'ims.life.closed',
    title: 'A call on an mdev that nobody has open, or an access of a guest to it, is EBADF.',
    source: '__fget_light, Linux 6.1 and 6.12; a guest has no device without an open one',
  },
  close: {
    id: 'ims.life.last-close',
    title: 'The last close ends descriptors, entries, handles and triggers, whoever disabled them or did not.',
    source: 'idxd_vdcm_release, idxd drivers of 2020 to 2023; DSA 3.0, 7.5.7',
  },
  remove: {
    id: 'ims.life.remove',
    title: 'An mdev that is removed while it is open or attached is closed and detached first.',
    source: 'idxd_vdcm_remove, idxd drivers of 2020 to 2023',
  },
  crash: {
    id: 'ims.life.crash',
    title: 'When a VMM dies all its mdevs are closed and then detached.',
    source: 'exit_files, Linux; the comment in the idxd RFC of July 2020 names the case',
  },
  gone: {
    id: 'ims.life.gone',
    title: 'An mdev that is not there is ENODEV; one that is there cannot be made: EEXIST.',
    source: 'mdev_device_create, Linux 6.1 and 6.12',
  },
});

/** The parent makes an mdev. */
export function createMdev(mdev: Mdev): 0 | Errno {
  if (!mdev.gone) {
    cite(CLAUSE.gone);
    return 'EEXIST';
  }
  cite(CLAUSE.create);
  mdev.gone = false;
  return 0;
}

/** An mdev joins the domain of its VM. */
export function attach(parent: ParentState, mdev: Mdev): 0 | Errno {
  if (isGone(mdev)) return 'ENODEV';
  if (mdev.defaultPasid !== 0) {
    cite(CLAUSE.attached);
    return 'EBUSY';
  }
  const pasid = defaultPasidFor(parent, mdev);
  if (pasid === 'ENOSPC') return pasid;
  mdev.defaultPasid = pasid;
  return 0;
}

function defaultPasidFor(parent: ParentState, { facts: { vm } }: Mdev): number | 'ENOSPC' {
  if (parent.driver.defaultPasid === 'per-domain') {
    const shared = mdevsOf(parent, vm).find(({ defaultPasid }) => defaultPasid !== 0)?.defaultPasid;
    if (shared !== undefined) {
      cite(CLAUSE.domain);
      holdPasid(parent, shared);
      return shared;
    }
  }
  cite(CLAUSE.attach);
  return allocatePasid(parent, vm, 0);
}

/** An mdev leaves the domain of its VM. */
export function detach(parent: ParentState, mdev: Mdev): 0 | Errno {
  if (isGone(mdev)) return 'ENODEV';
  if (mdev.defaultPasid === 0) {
    cite(CLAUSE.attached);
    return 'EINVAL';
  }
  leaveDomain(parent, mdev);
  return 0;
}

function leaveDomain(parent: ParentState, mdev: Mdev): void {
  cite(CLAUSE.detach);
  stopQueues(parent, mdev);
  if (mdev.setUp) disableAll(parent, mdev);
  releasePasid(parent, mdev.defaultPasid);
  mdev.defaultPasid = 0;
  const { vm } = mdev.facts;
  if (mdevsOf(parent, vm).some(({ defaultPasid }) => defaultPasid !== 0)) return;
  cite(CLAUSE.vmGone);
  freeAllPasids(parent, vm);
}

/** The parent removes an mdev. */
export function removeMdev(parent: ParentState, mdev: Mdev): 0 | Errno {
  if (isGone(mdev)) return 'ENODEV';
  cite(CLAUSE.remove);
  if (mdev.descriptors > 0) lastClose(parent, mdev);
  if (mdev.defaultPasid !== 0) leaveDomain(parent, mdev);
  mdev.gone = true;
  return 0;
}

/** The VMM of a VM dies. */
export function crash(parent: ParentState, vm: number): void {
  cite(CLAUSE.crash);
  for (const mdev of mdevsOf(parent, vm)) if (mdev.descriptors > 0) lastClose(parent, mdev);
  for (const mdev of mdevsOf(parent, vm)) if (mdev.defaultPasid !== 0) leaveDomain(parent, mdev);
}

/** VFIO_GROUP_GET_DEVICE_FD. */
export function openMdev(mdev: Mdev): 0 | 'ENODEV' {
  if (isGone(mdev)) return 'ENODEV';
  if (mdev.descriptors > 0) cite(CLAUSE.open);
  mdev.descriptors += 1;
  return 0;
}

/** Closes one descriptor of an mdev that has one. Source: vfio_device_fops_release, Linux 6.1. */
export function closeMdev(parent: ParentState, mdev: Mdev): void {
  if (mdev.descriptors === 1) lastClose(parent, mdev);
  else mdev.descriptors -= 1;
}

function lastClose(parent: ParentState, mdev: Mdev): void {
  cite(CLAUSE.close);
  stopQueues(parent, mdev);
  if (mdev.setUp) disableAll(parent, mdev);
  for (const vector of mdev.vectors.keys()) replaceVector(mdev, vector, freshVector(parent.tableHidden));
  mdev.descriptors = 0;
}

/** Whether nobody has the mdev open: then there is neither a call nor a guest. */
export function isClosed({ descriptors }: Mdev): boolean {
  if (descriptors > 0) return false;
  cite(CLAUSE.closed);
  return true;
}

function isGone({ gone }: Mdev): boolean {
  if (gone) cite(CLAUSE.gone);
  return gone;
}
