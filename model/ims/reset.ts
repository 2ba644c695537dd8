import { cite, declare } from '../cite.ts';
import { quiesce, stopQueues } from './completion.ts';
import { freshVector, type Mdev, type ParentState, replaceVector, setEntry, vectorAt } from './parent.ts';
import { closeEntry, programEntry, settleMask } from './programming.ts';

const CLAUSE = declare({
  registers: {
    id: 'ims.reset.registers',
    title: 'A reset of an mdev ends its descriptors and handles and puts MSIX_PERM, masks and pending bits back.',
    source: 'Reset Device in DSA 3.0, 5.8; vidxd_reset, idxd drivers of 2020 to 2023',
  },
  rewritten: {
    id: 'ims.reset.rewritten',
    title: 'The entry of a vector that keeps its trigger carries the default PASID after a reset.',
    source: 'MSIX_PERM is 0 then, DSA 3.0, 9.2; the idxd drivers of 2021 to 2023 left the old one (W10)',
  },
  closed: {
    id: 'ims.reset.closed',
    title: 'An entry without a trigger is after a reset as it was when it was allocated.',
    source: 'ours: the virtual device is as it was when MSI-X was set up',
  },
});

/** VFIO_DEVICE_RESET, or the virtual command Reset Device. Triggers stay. */
export function resetMdev(parent: ParentState, mdev: Mdev): void {
  cite(CLAUSE.registers);
  stopQueues(parent, mdev);
  // Another mdev of the VM may have descriptors on these entries: what they owe arrives before the masks are set.
  for (const { entry } of mdev.vectors) if (entry !== null) quiesce(parent, entry);
  for (const [vector, { trigger, entry }] of [...mdev.vectors.entries()]) {
    replaceVector(mdev, vector, { ...freshVector(parent.tableHidden), trigger, entry });
    if (entry !== null) resetEntry(parent, mdev, vector, entry);
  }
}

function resetEntry(parent: ParentState, mdev: Mdev, vector: number, entry: number): void {
  setEntry(parent, entry, { pending: false, ignore: false, handle: false });
  const { trigger } = vectorAt(mdev, vector);
  const isDefault = trigger !== null || parent.driver.allocation === 'all-default';
  cite(trigger === null ? CLAUSE.closed : CLAUSE.rewritten);
  if (isDefault && mdev.defaultPasid !== 0) programEntry(parent, entry, mdev.defaultPasid);
  else closeEntry(parent, entry);
  settleMask(parent, entry);
}
