import {
  IRQ_INFO_BYTES,
  type Outcome,
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
  type VfioGetIrqInfo,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import type { VfioDevice } from './device.ts';

const CLAUSE = declare({
  unreadable: {
    id: 'vfio.irq-info.unreadable',
    title: 'An argument that cannot be read is EFAULT.',
    source: 'vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12',
  },
  malformed: {
    id: 'vfio.irq-info.malformed',
    title: 'An argsz below 16 or an index of 5 or more is EINVAL.',
    source: 'vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12',
  },
  errWithoutExpress: {
    id: 'vfio.irq-info.err-without-express',
    title: 'The ERR index of a conventional PCI function is EINVAL.',
    source: 'vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12',
  },
  answer: {
    id: 'vfio.irq-info.answer',
    title: 'Count is what the function has; every index but INTx reports EVENTFD and NORESIZE.',
    source: 'vfio_pci_get_irq_count, vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12',
  },
  dynamic: {
    id: 'vfio.irq-info.noresize-clear',
    title: 'NORESIZE is clear for MSI-X where a vector can be added while MSI-X is on.',
    source: 'vfio_pci_ioctl_get_irq_info, Linux 6.5 and later (6c8017c6a58d)',
  },
});

/** Number of indices of a PCI device (VFIO_PCI_NUM_IRQS). */
export const IRQ_INDICES = 5;

/** How many interrupts an index has. Source: vfio_pci_get_irq_count, Linux 6.1 and 6.12. */
export function irqCount(device: VfioDevice, index: number): number {
  switch (index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return device.config.intx === true ? 1 : 0;
    case VFIO_PCI_MSI_IRQ_INDEX:
      return device.config.msiVectors ?? 0;
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return device.config.msixVectors;
    case VFIO_PCI_ERR_IRQ_INDEX:
      return device.config.express === true ? 1 : 0;
    case VFIO_PCI_REQ_IRQ_INDEX:
      return 1;
  }
  throw new Error(`index ${index} was counted although it does not exist`);
}

/** VFIO_DEVICE_GET_IRQ_INFO. */
export function getIrqInfo(device: VfioDevice, call: VfioGetIrqInfo): Outcome {
  if (call.unreadable === true) {
    cite(CLAUSE.unreadable);
    return { kind: 'errno', errno: 'EFAULT' };
  }
  if ((call.argsz ?? IRQ_INFO_BYTES) < IRQ_INFO_BYTES || call.index >= IRQ_INDICES) {
    cite(CLAUSE.malformed);
    return { kind: 'errno', errno: 'EINVAL' };
  }
  if (call.index === VFIO_PCI_ERR_IRQ_INDEX && device.config.express !== true) {
    cite(CLAUSE.errWithoutExpress);
    return { kind: 'errno', errno: 'EINVAL' };
  }
  cite(CLAUSE.answer);
  return { kind: 'irqInfo', flags: irqInfoFlags(device, call.index), count: irqCount(device, call.index) };
}

function irqInfoFlags(device: VfioDevice, index: number): number {
  if (index === VFIO_PCI_INTX_IRQ_INDEX)
    return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
  if (index === VFIO_PCI_MSIX_IRQ_INDEX) {
    if (device.addsVectors) cite(CLAUSE.dynamic);
    return msixInfoFlags(device);
  }
  return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
}

/** The flags of the MSI-X index. Source: vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12. */
export function msixInfoFlags({ addsVectors }: VfioDevice): number {
  return addsVectors ? VFIO_IRQ_INFO_EVENTFD : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
}
