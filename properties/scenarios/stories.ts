import type { PciFunction } from '#vocabulary';
import { DROPS, EDU, LATCHES, NVME } from './devices.ts';

/** A published story as a scenario; its text on each profile is kept as a golden file. */
export interface Story {
  readonly id: string;
  readonly says: string;
  readonly source: string;
  readonly device: PciFunction;
  readonly operations: readonly string[];
}

const COVER_LETTER = 'cover letter of dynamic MSI-X for vfio-pci, R. Chatre, March 2023';
const VIRTUALIZATION_MAIL = 'question on MSI-X virtualization in VFIO, K. Tian, 2021';
const REPLY = 'reply on dynamic MSI-X for vfio-pci, A. Williamson, April 2023';
const AUTOMASKED = 'VFIO_IRQ_INFO_AUTOMASKED, include/uapi/linux/vfio.h';
const RESTORED = 'vfio_pci_ioctl_reset, pci_restore_msi_state, Linux 6.1 and 6.12';
const MESSAGE_IN_D0 = '__pci_write_msi_msg, Linux 6.1 and 6.12';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const SET_MSI = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const UNMASK_INTX = 'vfio.setIrqs INTX NONE|UNMASK 0+1 []';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';

export const STORIES: readonly Story[] = [
  {
    id: 'range-0-7',
    says: 'Five of ten vectors are in use; the user asks for 0 to 7.',
    source: COVER_LETTER,
    device: LATCHES,
    operations: [
      `${SET} 0+5 [e0 e1 e2 e3 e4]`,
      `${SET} 0+8 [e10 e11 e12 e13 e14 e15 e16 e17]`,
      'device.raise 0',
      'device.raise 7',
    ],
  },
  {
    id: 'range-0-7-fails-at-5',
    says: 'Five of ten vectors are in use; the user asks for 0 to 7 and vector 5 fails.',
    source: COVER_LETTER,
    device: LATCHES,
    operations: [
      `${SET} 0+5 [e0 e1 e2 e3 e4]`,
      `${SET} 0+8 [e10 e11 e12 e13 e14 bad e16 e17]`,
      'device.raise 0',
      'device.raise 7',
    ],
  },
  {
    id: 'growth-by-tear-down-dropping',
    says: 'MSI-X grows from one vector to two by tear-down; the device raises in the gap and forgets.',
    source: VIRTUALIZATION_MAIL,
    device: DROPS,
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', DISABLE, `${SET} 0+2 [e0 e1]`],
  },
  {
    id: 'growth-by-tear-down-latching',
    says: 'MSI-X grows from one vector to two by tear-down; the device raises in the gap and keeps the event pending.',
    source: VIRTUALIZATION_MAIL,
    device: LATCHES,
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', DISABLE, `${SET} 0+2 [e0 e1]`],
  },
  {
    id: 'growth-by-adding',
    says: 'One vector is added to one in use; the device raises meanwhile. There is no gap to lose the event in.',
    source: COVER_LETTER,
    device: DROPS,
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', `${SET} 1+1 [e1]`, 'device.raise 1'],
  },
  {
    id: 'intx-signalled-until-deasserted',
    says: 'INTx stays asserted: each unmask signals it again, so a level is never lost.',
    source: AUTOMASKED,
    device: EDU,
    operations: [
      'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e0]',
      'device.assertIntx',
      UNMASK_INTX,
      UNMASK_INTX,
      'device.deassertIntx',
      UNMASK_INTX,
      'device.assertIntx',
    ],
  },
  {
    id: 'msi-swap-fails',
    says: 'An MSI vector gets a bad eventfd. Its old one is gone by then, and without masks so is the next event.',
    source: REPLY,
    device: EDU,
    operations: [
      `${SET_MSI} 0+1 [e0]`,
      `${SET_MSI} 0+1 [bad]`,
      'device.raise 0',
      `${SET_MSI} 0+1 [e1]`,
      'device.raise 0',
    ],
  },
  {
    id: 'device-reset',
    says: 'The device is reset with two vectors in use, and comes back with its irqs, messages, masks and triggers.',
    source: RESTORED,
    device: NVME,
    operations: [`${SET} 0+2 [e0 e1]`, 'vfio.reset', 'vfio.setIrqs MSIX NONE|TRIGGER 0+2 []'],
  },
  {
    id: 'added-in-d3hot',
    says: 'The user asks for a second vector in D3hot, where no message reaches the table, and again in D0.',
    source: MESSAGE_IN_D0,
    device: NVME,
    operations: [
      `${SET} 0+1 [e0]`,
      'vfio.configWrite power 3',
      `${SET} 1+1 [e1]`,
      'vfio.configWrite power 0',
      `${SET} 1+1 [e1]`,
    ],
  },
];
