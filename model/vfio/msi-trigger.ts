import {
  type DataElement,
  type Errno,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  type VfioSetIrqs,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { requestIrq } from '../irq/irq-action.ts';
import { pciAllocMsiVectors, pciAllocMsixVectors, pciMsixAllocIrqAt } from '../irq/msi-domain.ts';
import type { MsiKind } from '../irq/msi-restore.ts';
import { boolAt, elementAt } from './data.ts';
import type { VfioDevice } from './device.ts';
import { eventfdLookup, isNegative, signal } from './eventfd.ts';
import { msiDisable, removeTrigger } from './msi-disable.ts';

const CLAUSE = declare({
  disable: {
    id: 'vfio.msi-trigger.disable',
    title: 'DATA_NONE with count 0 disables MSI or MSI-X; start is ignored.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1 and 6.12',
  },
  notEnabled: {
    id: 'vfio.msi-trigger.not-enabled',
    title: 'To disable or to loop back while the index is not set up is EINVAL.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1 and 6.12',
  },
  enable: {
    id: 'vfio.msi-trigger.enable',
    title: 'DATA_EVENTFD while nothing is set up enables the index for start + count vectors first.',
    source: 'vfio_pci_set_msi_trigger, vfio_msi_enable, Linux 6.1 and 6.12',
  },
  otherType: {
    id: 'vfio.msi-trigger.other-type',
    title: 'While another index is set up any call is EINVAL.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1 and 6.12',
  },
  fewer: {
    id: 'vfio.msi-trigger.fewer',
    title: 'Where fewer vectors than asked for can be had, the call returns how many and nothing is set up.',
    source: 'vfio_msi_enable, Linux 6.1 and 6.12',
  },
  enableUndone: {
    id: 'vfio.msi-trigger.enable-undone',
    title: 'When the call that enables an index cannot set a trigger, it is disabled again.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1 and 6.12',
  },
  loopbackBeyond: {
    id: 'vfio.msi-trigger.loopback-beyond',
    title: 'A loopback over a range that leaves the allocation is EINVAL and signals nothing.',
    source: 'vfio_pci_set_msi_trigger, Linux before 6.5',
  },
  loopback: {
    id: 'vfio.msi-trigger.loopback',
    title: 'A loopback signals each trigger in the range (DATA_BOOL: where not 0) and skips vectors without one.',
    source: 'vfio_pci_set_msi_trigger, Linux 6.1 and 6.12',
  },
  blockBeyond: {
    id: 'vfio.msi-trigger.block-beyond',
    title: 'A range that leaves the allocation is EINVAL as a whole and changes nothing, an empty one too.',
    source: 'vfio_msi_set_block, Linux before 6.5',
  },
  block: {
    id: 'vfio.msi-trigger.block',
    title: 'The vectors of a range are set one by one.',
    source: 'vfio_msi_set_block, Linux 6.1 and 6.12',
  },
  blockUndone: {
    id: 'vfio.msi-trigger.block-undone',
    title:
      'At the first vector that fails, the vectors of the range up to it lose their triggers; later ones keep theirs.',
    source: 'vfio_msi_set_block, Linux 6.1 and 6.12',
  },
  remove: {
    id: 'vfio.msi-trigger.remove',
    title: 'A negative eventfd removes the trigger; on a vector without one, allocated or not, it does nothing.',
    source: 'vfio_msi_set_vector_signal, Linux 6.1 and 6.12',
  },
  addVector: {
    id: 'vfio.msi-trigger.add-vector',
    title: 'A vector without a Linux irq gets one, which it keeps even when the rest of the call fails.',
    source: 'vfio_msi_alloc_irq, Linux 6.5 and later (dd27a7070104)',
  },
  cannotAddVector: {
    id: 'vfio.msi-trigger.cannot-add-vector',
    title: 'A vector without a Linux irq is EINVAL where none can be added, before the eventfd is looked at.',
    source: 'vfio_msi_alloc_irq, Linux 6.5 and later',
  },
  swapNotAtomic: {
    id: 'vfio.msi-trigger.swap-not-atomic',
    title: 'An old trigger is gone before the new eventfd is looked at.',
    source: 'vfio_msi_set_vector_signal, Linux 6.1 and 6.12',
  },
  set: {
    id: 'vfio.msi-trigger.set',
    title: 'A good eventfd becomes the trigger: the handler is requested with it.',
    source: 'vfio_msi_set_vector_signal, Linux 6.1 and 6.12',
  },
});

/** SET_IRQS TRIGGER on the MSI and MSI-X indices. Returns 0, an errno, or a positive number of vectors. */
export function setMsiTrigger(device: VfioDevice, kind: MsiKind, call: VfioSetIrqs): number | Errno {
  const enabled = device.irqType === kind;
  if (enabled && call.count === 0 && (call.flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
    cite(CLAUSE.disable);
    msiDisable(device);
    return 0;
  }
  if (!enabled && device.irqType !== 'none') {
    cite(CLAUSE.otherType);
    return 'EINVAL';
  }
  if ((call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0)
    return enabled ? msiSetBlock(device, call) : msiEnable(device, kind, call);
  if (!enabled) {
    cite(CLAUSE.notEnabled);
    return 'EINVAL';
  }
  return loopback(device, call);
}

function msiEnable(device: VfioDevice, kind: MsiKind, call: VfioSetIrqs): number | Errno {
  cite(CLAUSE.enable);
  const wanted = call.start + call.count;
  const refused =
    kind === 'msix' ? pciAllocMsixVectors(device.domain, wanted) : pciAllocMsiVectors(device.domain, wanted);
  if (refused !== 0) {
    if (typeof refused === 'number') cite(CLAUSE.fewer);
    return refused;
  }
  device.irqType = kind;
  const result = msiSetBlock(device, call);
  if (typeof result === 'string') {
    cite(CLAUSE.enableUndone);
    msiDisable(device);
  }
  return result;
}

function msiSetBlock(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  if (device.host.rangeCheck === 'whole-range-first') {
    // Where no vector can be added, the allocation is what enable made it: vectors 0 to its size - 1.
    const allocated = device.domain.allocated.size;
    if (call.start >= allocated || call.start + call.count > allocated) {
      cite(CLAUSE.blockBeyond);
      return 'EINVAL';
    }
  }
  cite(CLAUSE.block);
  for (let place = 0; place < call.count; place += 1) {
    const result = msiSetVectorSignal(device, call.start + place, elementAt(call, place));
    if (typeof result === 'string') {
      cite(CLAUSE.blockUndone);
      for (let undone = 0; undone <= place; undone += 1) removeTrigger(device, call.start + undone);
      return result;
    }
  }
  return 0;
}

function msiSetVectorSignal(device: VfioDevice, vector: number, element: DataElement): 0 | Errno {
  const hadTrigger = removeTrigger(device, vector);
  if (isNegative(element)) {
    cite(CLAUSE.remove);
    return 0;
  }
  if (!device.domain.allocated.has(vector)) {
    if (device.irqType !== 'msix' || !device.addsVectors) {
      cite(CLAUSE.cannotAddVector);
      return 'EINVAL';
    }
    const refused = pciMsixAllocIrqAt(device.domain, vector);
    if (typeof refused === 'string') return refused;
    cite(CLAUSE.addVector);
  }
  const eventfd = eventfdLookup(device.eventfds, element);
  if (typeof eventfd === 'string') {
    if (hadTrigger) cite(CLAUSE.swapNotAtomic);
    return eventfd;
  }
  const arrives = requestIrq(device.domain, vector);
  if (typeof arrives === 'string') return arrives;
  cite(CLAUSE.set);
  device.triggers.set(vector, eventfd);
  // The message of an event that was pending arrives while request_irq runs, with the handler in place.
  if (arrives) signal(device.eventfds, eventfd);
  return 0;
}

function loopback(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  if (device.host.rangeCheck === 'whole-range-first' && call.start + call.count > device.domain.allocated.size) {
    cite(CLAUSE.loopbackBeyond);
    return 'EINVAL';
  }
  cite(CLAUSE.loopback);
  const all = (call.flags & VFIO_IRQ_SET_DATA_NONE) !== 0;
  for (let place = 0; place < call.count; place += 1) {
    const trigger = device.triggers.get(call.start + place);
    if (trigger !== undefined && (all || boolAt(call, place))) signal(device.eventfds, trigger);
  }
  return 0;
}
