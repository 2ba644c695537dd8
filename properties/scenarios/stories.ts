import type { PciFunction } from '#vocabulary';

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

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';

export const STORIES: readonly Story[] = [
  {
    id: 'range-0-7',
    says: 'Five of ten vectors are in use; the user asks for 0 to 7.',
    source: COVER_LETTER,
    device: { msixVectors: 10, whileOff: 'latches' },
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
    device: { msixVectors: 10, whileOff: 'latches' },
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
    device: { msixVectors: 10, whileOff: 'drops' },
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', DISABLE, `${SET} 0+2 [e0 e1]`],
  },
  {
    id: 'growth-by-tear-down-latching',
    says: 'MSI-X grows from one vector to two by tear-down; the device raises in the gap and keeps the event pending.',
    source: VIRTUALIZATION_MAIL,
    device: { msixVectors: 10, whileOff: 'latches' },
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', DISABLE, `${SET} 0+2 [e0 e1]`],
  },
  {
    id: 'growth-by-adding',
    says: 'One vector is added to one in use; the device raises meanwhile. There is no gap to lose the event in.',
    source: COVER_LETTER,
    device: { msixVectors: 10, whileOff: 'drops' },
    operations: [`${SET} 0+1 [e0]`, 'device.arm 0 teardown-gap', `${SET} 1+1 [e1]`, 'device.raise 1'],
  },
];
