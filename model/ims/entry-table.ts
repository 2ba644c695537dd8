import { cite, declare } from '../cite.ts';
import { type Mdev, type ParentState, setVectorState, vectorAt } from './parent.ts';
import { closeEntry } from './programming.ts';

const CLAUSE = declare({
  lowest: {
    id: 'ims.entry-table.lowest-free',
    title: 'A vector gets the lowest entry that nobody has, so one that was freed is the next to be given, to anybody.',
    source: 'pci_ims_alloc_irq, msi_domain_alloc_irq_at, Linux 6.2 to 6.9 (c9e5bea27383)',
  },
  clean: {
    id: 'ims.entry-table.clean',
    title: 'An entry that is freed is masked and closed, without PASID, Ignore, pending bit, message and handle.',
    source: 'DSA 3.0, 7.5.7 and 9.2; ims_array_reset_slot in the IMS irq chip of 2020 (W5, W17)',
  },
  full: {
    id: 'ims.entry-table.full',
    title: 'Where every entry has an owner, ENOSPC.',
    source: 'ims_array_alloc_msi_store in the IMS irq chip of 2020; pci_ims_alloc_irq, Linux 6.2 to 6.9',
  },
  quota: {
    id: 'ims.entry-table.quota',
    title: 'An mdev that has as many entries as it may is refused another one: ENOSPC, and others are not starved.',
    source: 'ours: entries are shared, and one guest must not be able to take all',
  },
});

/** How many entries an mdev has. Source: ours, what a quota counts. */
export function entriesOf(mdev: Mdev): number {
  let count = 0;
  for (const { entry } of mdev.vectors) if (entry !== null) count += 1;
  return count;
}

/** A vector gets an entry. */
export function allocateEntry(parent: ParentState, mdev: Mdev, vector: number): number | 'ENOSPC' {
  if (entriesOf(mdev) >= parent.hardware.quota) {
    cite(CLAUSE.quota);
    return 'ENOSPC';
  }
  const index = lowestFree(parent);
  if (index === null) {
    cite(CLAUSE.full);
    return 'ENOSPC';
  }
  cite(CLAUSE.lowest);
  parent.entries.set(index, {
    device: mdev.index,
    vector,
    mask: true,
    pending: false,
    ignore: false,
    pasid: 0,
    data: 0,
    handle: false,
  });
  setVectorState(mdev, vector, { entry: index });
  return index;
}

/** Whether an mdev can have so many entries more, all of them or none. */
export function canAllocate(parent: ParentState, mdev: Mdev, count: number): boolean {
  if (entriesOf(mdev) + count > parent.hardware.quota) {
    cite(CLAUSE.quota);
    return false;
  }
  if (parent.entries.size + count > parent.hardware.entries) {
    cite(CLAUSE.full);
    return false;
  }
  return true;
}

/** A vector gives its entry back. */
export function freeEntry(parent: ParentState, mdev: Mdev, vector: number): void {
  const { entry } = vectorAt(mdev, vector);
  if (entry === null) return;
  cite(CLAUSE.clean);
  closeEntry(parent, entry);
  parent.entries.delete(entry);
  setVectorState(mdev, vector, { entry: null });
}

/** Source: find_first_zero_bit, Linux 6.2 to 6.9. */
function lowestFree({ entries, hardware }: ParentState): number | null {
  for (let index = 0; index < hardware.entries; index += 1) if (!entries.has(index)) return index;
  return null;
}
