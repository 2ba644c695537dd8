import {
  type DataElement,
  type Errno,
  hostIrq,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { boolAt, elementAt } from '../vfio/data.ts';
import { type Eventfd, eventfdLookup, isNegative, signal } from '../vfio/eventfd.ts';
import { validate } from '../vfio/set-irqs.ts';
import { allocateEntry, canAllocate, entriesOf, freeEntry } from './entry-table.ts';
import { checkMoved } from './handle.ts';
import { replay } from './interrupt.ts';
import { applyPerm } from './msix-perm.ts';
import { imsVectors, type Mdev, type ParentState, setEntry, setVectorState, vectorAt } from './parent.ts';
import { closeEntry, settleMask } from './programming.ts';
import { wantedPasid } from './translation.ts';

const CLAUSE = declare({
  otherAction: {
    id: 'ims.set-irqs.trigger-only',
    title: 'An mdev has triggers and nothing else: any other action is ENOTTY.',
    source: 'mdev_irqs.c of May 2021; "vfio/pci: Back guest interrupts from IMS", 2023',
  },
  disable: {
    id: 'ims.set-irqs.disable',
    title: 'DATA_NONE with count 0 takes every trigger and every entry from the mdev.',
    source: 'mdev_irqs.c of May 2021; "vfio/pci: Back guest interrupts from IMS", 2023',
  },
  notSetUp: {
    id: 'ims.set-irqs.not-set-up',
    title: 'To disable or to loop back while nothing is set up is EINVAL.',
    source: '"vfio/pci: Back guest interrupts from IMS", 2023',
  },
  fixed: {
    id: 'ims.set-irqs.fixed-size',
    title: 'Where the size is fixed, the call that sets MSI-X up must reach to the last vector, else EINVAL.',
    source: 'mdev_msix_enable, mdev_irqs.c of May 2021',
  },
  allClosed: {
    id: 'ims.set-irqs.all-closed',
    title: 'Where all entries are allocated at once they are closed until their vector gets its trigger.',
    source: 'the driver of 2026; the last paragraph of the VFIO MSI-X virtualization mail, 2021',
  },
  allDefault: {
    id: 'ims.set-irqs.all-default',
    title:
      'Where all entries are allocated with the default PASID they are masked until their vector gets its trigger.',
    source: 'the flow sketched on 23 June 2021 in the discussion of the VFIO MSI-X virtualization mail',
  },
  range: {
    id: 'ims.set-irqs.range',
    title: 'Every vector from start to start + count - 1 is set, and no other.',
    source: 'mdev_msix_set_vector_signals, mdev_irqs.c of May 2021, which ended at count (W20)',
  },
  rangeUndone: {
    id: 'ims.set-irqs.range-undone',
    title: 'At the first vector that fails, the vectors of the range up to it lose their triggers.',
    source: '"vfio/pci: Back guest interrupts from IMS", 2023',
  },
  enableUndone: {
    id: 'ims.set-irqs.enable-undone',
    title: 'When the call that sets MSI-X up cannot set a trigger, nothing is set up.',
    source: '"vfio/pci: Back guest interrupts from IMS", 2023',
  },
  unattached: {
    id: 'ims.set-irqs.not-attached',
    title: 'An IMS vector can have no trigger, and no entry with a default PASID, while there is none: EINVAL.',
    source: 'mdev_irqs.c of May 2021',
  },
  noPasid: {
    id: 'ims.set-irqs.no-translation',
    title: 'Where the driver has it so, a vector that names a PASID that is not bound is refused: ENXIO.',
    source: 'the idxd drivers with vSVM, 2021',
  },
  irqFails: {
    id: 'ims.set-irqs.irq-fails',
    title: 'When no irq of the host can be had, the vector has neither entry nor PASID from this call: ENOSPC.',
    source: 'ours: an injected fault (W14)',
  },
  sampled: {
    id: 'ims.set-irqs.sampled',
    title: 'MSIX_PERM is looked at when a vector gets its trigger, before its entry is unmasked for the first time.',
    source: 'the discussion of 10 June 2021 on the idxd series; d5c10e0fc864 (W8)',
  },
  swapped: {
    id: 'ims.set-irqs.swap-samples',
    title: 'A vector that gets another eventfd has MSIX_PERM looked at again; its entry stays the same.',
    source: 'mdev_irqs.c of May 2021; the idxd drivers with vSVM, 2021, which did not (W15)',
  },
  loopback: {
    id: 'ims.set-irqs.loopback',
    title: 'A loopback signals each trigger in the range (DATA_BOOL: where not 0).',
    source: 'mdev_irqs.c of May 2021',
  },
  freed: {
    id: 'ims.set-irqs.entry-freed',
    title: 'Where entries are allocated vector by vector, one goes back with its trigger.',
    source: '"vfio/pci: Back guest interrupts from IMS", 2023',
  },
});

/** VFIO_DEVICE_SET_IRQS on an mdev: header and data as on any device, then the triggers of MSI-X. */
export function setMdevIrqs(parent: ParentState, mdev: Mdev, call: VfioSetIrqs): 0 | Errno {
  const invalid = validate(call, irqCount, mdev);
  if (invalid !== null) return invalid;
  if ((call.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !== VFIO_IRQ_SET_ACTION_TRIGGER) {
    cite(CLAUSE.otherAction);
    return 'ENOTTY';
  }
  const isNone = (call.flags & VFIO_IRQ_SET_DATA_NONE) !== 0;
  if ((call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return setTriggers(parent, mdev, call);
  if (!mdev.setUp) {
    cite(CLAUSE.notSetUp);
    return 'EINVAL';
  }
  if (isNone && call.count === 0) {
    cite(CLAUSE.disable);
    disableAll(parent, mdev);
    return 0;
  }
  return loopback(parent, mdev, call, isNone);
}

/** Source: idxd_vdcm_ioctl, idxd drivers of 2020 to 2023. */
function irqCount({ vectors }: Mdev, index: number): number {
  return index === VFIO_PCI_MSIX_IRQ_INDEX ? vectors.length : 0;
}

function setTriggers(parent: ParentState, mdev: Mdev, call: VfioSetIrqs): 0 | Errno {
  const wasSetUp = mdev.setUp;
  if (!wasSetUp) {
    const refused = setUp(parent, mdev, call);
    if (refused !== 0) return refused;
  }
  const result = setRange(parent, mdev, call);
  if (result !== 0 && !wasSetUp) {
    cite(CLAUSE.enableUndone);
    disableAll(parent, mdev);
  }
  return result;
}

function setUp(parent: ParentState, mdev: Mdev, call: VfioSetIrqs): 0 | Errno {
  if (!parent.dynamic && call.start + call.count !== mdev.vectors.length) {
    cite(CLAUSE.fixed);
    return 'EINVAL';
  }
  const { allocation } = parent.driver;
  if (allocation !== 'per-vector') {
    const vectors = imsVectors(mdev);
    if (!canAllocate(parent, mdev, vectors.length)) return 'ENOSPC';
    if (allocation === 'all-default' && mdev.defaultPasid === 0 && vectors.length > 0) {
      cite(CLAUSE.unattached);
      return 'EINVAL';
    }
    for (const vector of vectors) allocateEarly(parent, mdev, vector);
  }
  mdev.setUp = true;
  return 0;
}

/** The entry of a vector that has no trigger yet. */
function allocateEarly(parent: ParentState, mdev: Mdev, vector: number): void {
  const entry = allocateEntry(parent, mdev, vector);
  if (entry === 'ENOSPC') throw new Error('there were enough entries a moment ago');
  if (parent.driver.allocation === 'all-closed') {
    cite(CLAUSE.allClosed);
    return;
  }
  cite(CLAUSE.allDefault);
  applyPerm(parent, mdev, vector, entry, mdev.defaultPasid);
}

function setRange(parent: ParentState, mdev: Mdev, call: VfioSetIrqs): 0 | Errno {
  for (let place = 0; place < call.count; place += 1) {
    cite(CLAUSE.range);
    const result = setVector(parent, mdev, call.start + place, elementAt(call, place));
    if (result !== 0) {
      cite(CLAUSE.rangeUndone);
      for (let undone = place; undone >= 0; undone -= 1) disableVector(parent, mdev, call.start + undone);
      return result;
    }
  }
  return 0;
}

/** Source: vfio_msi_set_vector_signal, Linux 6.1. */
function setVector(parent: ParentState, mdev: Mdev, vector: number, element: DataElement): 0 | Errno {
  if (isNegative(element)) {
    disableVector(parent, mdev, vector);
    return 0;
  }
  const eventfd = eventfdLookup(parent.eventfds, element);
  if (typeof eventfd === 'string') return eventfd;
  return vector === 0 ? setEmulated(parent, mdev, eventfd) : setBacked(parent, mdev, vector, eventfd);
}

/** Vector 0: an eventfd and nothing else. Source: vidxd_setup_ims_entries, idxd drivers of 2020 to 2023. */
function setEmulated(parent: ParentState, mdev: Mdev, trigger: Eventfd): 0 {
  setVectorState(mdev, 0, { trigger });
  replay(parent, mdev, 0, false);
  return 0;
}

function setBacked(parent: ParentState, mdev: Mdev, vector: number, trigger: Eventfd): 0 | Errno {
  if (mdev.defaultPasid === 0) {
    cite(CLAUSE.unattached);
    return 'EINVAL';
  }
  const pasid = wantedPasid(parent, mdev, vector);
  if (pasid === null && parent.driver.noTranslation === 'fail') {
    cite(CLAUSE.noPasid);
    return 'ENXIO';
  }
  const before = vectorAt(mdev, vector);
  const entry = before.entry ?? allocateEntry(parent, mdev, vector);
  if (entry === 'ENOSPC') return entry;
  if (before.trigger === null && requestFails(parent)) {
    cite(CLAUSE.irqFails);
    if (before.entry === null) freeEntry(parent, mdev, vector);
    return 'ENOSPC';
  }
  cite(before.trigger === null ? CLAUSE.sampled : CLAUSE.swapped);
  applyPerm(parent, mdev, vector, entry, pasid);
  setVectorState(mdev, vector, { trigger });
  setEntry(parent, entry, { data: hostIrq(mdev.index, vector) });
  replay(parent, mdev, vector, settleMask(parent, entry));
  checkMoved(parent, mdev, vector);
  return 0;
}

/** Whether this request of an irq is the one that fails. Source: ours, an injected fault. */
function requestFails(parent: ParentState): boolean {
  if (parent.failing === 0) return false;
  parent.failing -= 1;
  return parent.failing === 0;
}

/** A vector loses its trigger, and its descriptors with it. */
function disableVector(parent: ParentState, mdev: Mdev, vector: number): void {
  const { trigger, entry } = vectorAt(mdev, vector);
  if (trigger === null) return;
  if (entry !== null) closeEntry(parent, entry);
  setVectorState(mdev, vector, { trigger: null });
  if (entry === null) return;
  setEntry(parent, entry, { data: 0, handle: false });
  if (parent.driver.allocation !== 'per-vector') return;
  cite(CLAUSE.freed);
  freeEntry(parent, mdev, vector);
}

/** Every vector loses its trigger, and every entry goes back. Source: mdev_msix_disable, idxd series of May 2021. */
export function disableAll(parent: ParentState, mdev: Mdev): void {
  for (const vector of mdev.vectors.keys()) disableVector(parent, mdev, vector);
  if (entriesOf(mdev) > 0) for (const vector of imsVectors(mdev)) freeEntry(parent, mdev, vector);
  mdev.setUp = false;
}

function loopback(parent: ParentState, mdev: Mdev, call: VfioSetIrqs, all: boolean): 0 {
  cite(CLAUSE.loopback);
  for (let place = 0; place < call.count; place += 1) {
    const { trigger } = vectorAt(mdev, call.start + place);
    if (trigger !== null && (all || boolAt(call, place))) signal(parent.eventfds, trigger);
  }
  return 0;
}
