import type { GuestMsixPerm } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { replay } from './interrupt.ts';
import { entryAt, type Mdev, type ParentState, setEntry, setVectorState, vectorAt } from './parent.ts';
import { closeEntry, programEntry, settleMask } from './programming.ts';
import { wantedPasid } from './translation.ts';

const CLAUSE = declare({
  stored: {
    id: 'ims.msix-perm.stored',
    title: 'MSIX_PERM keeps PASID, PASID Enable and Ignore as the guest writes them, of one vector alone.',
    source: 'DSA 3.0, 9.2; vidxd_mmio_write, idxd drivers of 2020 to 2023',
  },
  vector0: {
    id: 'ims.msix-perm.vector-0',
    title: 'MSIX_PERM of vector 0 is kept and does nothing.',
    source: 'the discussion of the VFIO MSI-X virtualization mail, June 2021: vector 0 has no entry',
  },
  ignore: {
    id: 'ims.msix-perm.ignore',
    title: 'Ignore reaches an open entry at once.',
    source: 'DSA 3.0, 7.5.4: mask and ignore are written through',
  },
  late: {
    id: 'ims.msix-perm.late',
    title: 'A vector that has its trigger keeps its PASID when MSIX_PERM is written, until it is looked at again.',
    source: 'the idxd drivers with vSVM, 2021; the ordering remark in the mail of June 2021 (W7)',
  },
  atOnce: {
    id: 'ims.msix-perm.at-once',
    title: 'Where the driver applies MSIX_PERM at once, the entry of a vector that has its trigger follows the write.',
    source: 'the first proposal in the discussion of the VFIO MSI-X virtualization mail, June 2021',
  },
  closed: {
    id: 'ims.msix-perm.closed',
    title: 'A vector whose MSIX_PERM names a PASID that is not bound when it is looked at has its entry closed.',
    source: 'the driver of 2026, which leaves an entry closed until it can be programmed',
  },
});

/** A trapped write of MSIX_PERM. */
export function writePerm(
  parent: ParentState,
  mdev: Mdev,
  { vector, pasidEnable, pasid, ignore }: GuestMsixPerm,
): void {
  cite(CLAUSE.stored);
  setVectorState(mdev, vector, { perm: { pasidEnable, pasid, ignore } });
  const { entry, trigger } = vectorAt(mdev, vector);
  if (vector === 0) cite(CLAUSE.vector0);
  if (entry === null) return;
  if (entryAt(parent, entry).pasid !== 0) {
    cite(CLAUSE.ignore);
    setEntry(parent, entry, { ignore });
  }
  if (trigger === null) return;
  if (parent.driver.permSync !== 'immediate') {
    cite(CLAUSE.late);
    return;
  }
  cite(CLAUSE.atOnce);
  synchronise(parent, mdev, vector);
}

/** Has the entry of a vector that has its trigger carry what MSIX_PERM says now. Source: DSA 3.0, 7.5.4. */
export function synchronise(parent: ParentState, mdev: Mdev, vector: number): void {
  const { entry } = vectorAt(mdev, vector);
  if (entry === null) throw new Error(`vector ${vector} of device ${mdev.index} has a trigger and no entry`);
  applyPerm(parent, mdev, vector, entry, wantedPasid(parent, mdev, vector));
  replay(parent, mdev, vector, settleMask(parent, entry));
}

/** The entry carries the PASID and the Ignore of its vector, or is closed. */
export function applyPerm(parent: ParentState, mdev: Mdev, vector: number, entry: number, pasid: number | null): void {
  if (pasid === null) {
    cite(CLAUSE.closed);
    closeEntry(parent, entry);
    return;
  }
  programEntry(parent, entry, pasid);
  setEntry(parent, entry, { ignore: vectorAt(mdev, vector).perm.ignore });
}
