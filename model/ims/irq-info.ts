import {
  IRQ_INFO_BYTES,
  type Outcome,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioGetIrqInfo,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import type { Mdev, ParentState } from './parent.ts';

const CLAUSE = declare({
  unreadable: {
    id: 'ims.irq-info.unreadable',
    title: 'An argument that cannot be read is EFAULT.',
    source: 'idxd_vdcm_ioctl, idxd drivers of 2020 to 2023',
  },
  malformed: {
    id: 'ims.irq-info.malformed',
    title: 'An argsz below 16, or any index but MSI-X, is EINVAL.',
    source: 'idxd_vdcm_ioctl, idxd drivers of 2020 to 2023',
  },
  answer: {
    id: 'ims.irq-info.answer',
    title: 'MSI-X has as many interrupts as the virtual table has vectors, and NORESIZE where its size is fixed.',
    source: '"vfio/pci: Back guest interrupts from IMS", 2023; idxd_vdcm_ioctl of 2021',
  },
});

/** VFIO_DEVICE_GET_IRQ_INFO of an mdev. */
export function mdevIrqInfo(parent: ParentState, mdev: Mdev, call: VfioGetIrqInfo): Outcome {
  if (call.unreadable === true) {
    cite(CLAUSE.unreadable);
    return { kind: 'errno', errno: 'EFAULT' };
  }
  if ((call.argsz ?? IRQ_INFO_BYTES) < IRQ_INFO_BYTES || call.index !== VFIO_PCI_MSIX_IRQ_INDEX) {
    cite(CLAUSE.malformed);
    return { kind: 'errno', errno: 'EINVAL' };
  }
  cite(CLAUSE.answer);
  return { kind: 'irqInfo', flags: mdevInfoFlags(parent), count: mdev.vectors.length };
}

/** The flags of the MSI-X index. Source: idxd_vdcm_ioctl, idxd drivers of 2020 to 2023. */
export function mdevInfoFlags({ dynamic }: ParentState): number {
  return dynamic ? VFIO_IRQ_INFO_EVENTFD : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
}
