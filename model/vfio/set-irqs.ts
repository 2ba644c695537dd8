import {
  dataElementBytes,
  type Errno,
  IRQ_SET_BYTES,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { setCtxTriggerSingle } from './ctx-trigger-single.ts';
import type { VfioDevice } from './device.ts';
import { setIntxMask, setIntxTrigger } from './intx-trigger.ts';
import { IRQ_INDICES, irqCount } from './irq-info.ts';
import { setMsiTrigger } from './msi-trigger.ts';

const CLAUSE = declare({
  unreadableHeader: {
    id: 'vfio.set-irqs.unreadable-header',
    title: 'A header that cannot be read is EFAULT, before anything else.',
    source: 'vfio_pci_ioctl_set_irqs, Linux 6.1 and 6.12',
  },
  malformedHeader: {
    id: 'vfio.set-irqs.malformed-header',
    title: 'An argsz below 20, an index of 5 or more, a range that wraps, or an unknown flag is EINVAL.',
    source: 'vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12',
  },
  outOfRange: {
    id: 'vfio.set-irqs.out-of-range',
    title: 'A range that starts or ends beyond what the index has is EINVAL, even an empty one, even to disable.',
    source: 'vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12',
  },
  dataType: {
    id: 'vfio.set-irqs.data-type',
    title: 'Anything but exactly one type of data is EINVAL.',
    source: 'vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12',
  },
  shortData: {
    id: 'vfio.set-irqs.short-data',
    title: 'An argsz that does not cover the data of the range is EINVAL.',
    source: 'vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12',
  },
  unreadableData: {
    id: 'vfio.set-irqs.unreadable-data',
    title: 'Data that cannot be read is EFAULT, before an unsupported action is noticed.',
    source: 'vfio_pci_ioctl_set_irqs, Linux 6.1 and 6.12',
  },
  noHandler: {
    id: 'vfio.set-irqs.no-handler',
    title: 'An action the index does not have, no action, or several at once is ENOTTY.',
    source: 'vfio_pci_set_irqs_ioctl, Linux 6.1 and 6.12',
  },
});

const UINT32_MAX = 0xffffffff;

/**
 * VFIO_DEVICE_SET_IRQS: header, data, then the handler of index and action. Returns 0, an errno, or what is neither:
 * a positive number.
 */
export function setIrqs(device: VfioDevice, call: VfioSetIrqs): number | Errno {
  const invalid = validate(call, irqCount, device);
  if (invalid !== null) return invalid;
  const action = call.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
  const masks = action === VFIO_IRQ_SET_ACTION_MASK || action === VFIO_IRQ_SET_ACTION_UNMASK;
  if (call.index === VFIO_PCI_INTX_IRQ_INDEX && masks) return setIntxMask(device, call);
  if (action !== VFIO_IRQ_SET_ACTION_TRIGGER) {
    cite(CLAUSE.noHandler);
    return 'ENOTTY';
  }
  return setTrigger(device, call);
}

/** Source: vfio_pci_set_irqs_ioctl, Linux 6.1 and 6.12. */
function setTrigger(device: VfioDevice, call: VfioSetIrqs): number | Errno {
  switch (call.index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return setIntxTrigger(device, call);
    case VFIO_PCI_MSI_IRQ_INDEX:
      return setMsiTrigger(device, 'msi', call);
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return setMsiTrigger(device, 'msix', call);
    case VFIO_PCI_ERR_IRQ_INDEX:
      return setCtxTriggerSingle(device, 'errTrigger', call);
    case VFIO_PCI_REQ_IRQ_INDEX:
      return setCtxTriggerSingle(device, 'reqTrigger', call);
  }
  throw new Error(`index ${call.index} was asked although validation refuses it`);
}

/**
 * What every driver has checked before it looks at a call itself. Returns an errno, or null.
 * @param countOf how many interrupts an index of the driver's device has, which is below IRQ_INDICES: a function that
 * is made once, where one that knows its device would be made for each call
 * Source: vfio_set_irqs_validate_and_prepare, Linux 6.1 and 6.12.
 */
export function validate<Device>(
  call: VfioSetIrqs,
  countOf: (device: Device, index: number) => number,
  device: Device,
): Errno | null {
  return validateHeader(call, countOf, device) ?? validateData(call);
}

function validateHeader<Device>(
  call: VfioSetIrqs,
  countOf: (device: Device, index: number) => number,
  device: Device,
): Errno | null {
  if (call.unreadable === true) {
    cite(CLAUSE.unreadableHeader);
    return 'EFAULT';
  }
  if (
    (call.argsz ?? IRQ_SET_BYTES) < IRQ_SET_BYTES ||
    call.index >= IRQ_INDICES ||
    call.count >= UINT32_MAX - call.start ||
    (call.flags & ~(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK)) !== 0
  ) {
    cite(CLAUSE.malformedHeader);
    return 'EINVAL';
  }
  const available = countOf(device, call.index);
  if (call.start >= available || call.start + call.count > available) {
    cite(CLAUSE.outOfRange);
    return 'EINVAL';
  }
  return null;
}

function validateData(call: VfioSetIrqs): Errno | null {
  const type = call.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
  if (type !== VFIO_IRQ_SET_DATA_NONE && type !== VFIO_IRQ_SET_DATA_BOOL && type !== VFIO_IRQ_SET_DATA_EVENTFD) {
    cite(CLAUSE.dataType);
    return 'EINVAL';
  }
  const elementBytes = dataElementBytes(type);
  const bytes = call.count * elementBytes;
  // Behind the header as much can be read.
  const mappedBytes = call.data.length * elementBytes;
  const argsz = call.argsz ?? IRQ_SET_BYTES + mappedBytes;
  if (argsz - IRQ_SET_BYTES < bytes) {
    cite(CLAUSE.shortData);
    return 'EINVAL';
  }
  if (mappedBytes < bytes) {
    cite(CLAUSE.unreadableData);
    return 'EFAULT';
  }
  return null;
}
