import { cite, declare } from '../cite.ts';
import { replay } from './interrupt.ts';
import { synchronise } from './msix-perm.ts';
import { type Mdev, type ParentState, setVectorState, vectorAt } from './parent.ts';
import { settleMask } from './programming.ts';

const CLAUSE = declare({
  mask: {
    id: 'ims.table-mask.mask',
    title: 'A mask bit that the guest sets is set in the entry of the vector as well.',
    source: 'DSA 3.0, 7.5.4',
  },
  noEntry: {
    id: 'ims.table-mask.no-entry',
    title: 'Masking or unmasking a vector without an entry or without a trigger touches no hardware.',
    source: 'vidxd_mmio_write of 2021 to 2023, which took -EINVAL for an index (W12)',
  },
  unmask: {
    id: 'ims.table-mask.unmask',
    title: 'A mask bit that the guest clears is cleared in the entry of the vector as well, if that is open.',
    source: 'DSA 3.0, 7.5.4',
  },
  synchronised: {
    id: 'ims.table-mask.synchronised',
    title: 'Where the driver looks at MSIX_PERM at unmask, it does before the entry is unmasked.',
    source: 'the second proposal in the discussion of the VFIO MSI-X virtualization mail, June 2021; PCIe 6.0, 6.1.4.2',
  },
});

/** The guest sets the mask bit of a vector, in a table that no VMM hides. */
export function maskVector(parent: ParentState, mdev: Mdev, vector: number): void {
  setVectorState(mdev, vector, { masked: true });
  const { entry, trigger } = vectorAt(mdev, vector);
  if (entry === null || trigger === null) {
    cite(CLAUSE.noEntry);
    return;
  }
  cite(CLAUSE.mask);
  settleMask(parent, entry);
}

/** The guest clears the mask bit of a vector. */
export function unmaskVector(parent: ParentState, mdev: Mdev, vector: number): void {
  if (!vectorAt(mdev, vector).masked) return;
  setVectorState(mdev, vector, { masked: false });
  const { entry, trigger } = vectorAt(mdev, vector);
  if (entry === null || trigger === null) {
    cite(CLAUSE.noEntry);
    replay(parent, mdev, vector, false);
    return;
  }
  cite(CLAUSE.unmask);
  if (parent.driver.permSync === 'atEnable') {
    replay(parent, mdev, vector, settleMask(parent, entry));
    return;
  }
  cite(CLAUSE.synchronised);
  synchronise(parent, mdev, vector);
}
