import { DROPS, LATCHES } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const NONE = 'vfio.setIrqs MSIX NONE|TRIGGER';
const BOOL = 'vfio.setIrqs MSIX BOOL|TRIGGER';
const ENABLE_5 = `${SET} 0+5 [e0 e1 e2 e3 e4]`;
const ARMED_5 = 'irqs 0-4, armed 0-4, pending none, on';

/** Triggers of MSI-X: enabling, ranges, swaps, added vectors, running out of host vectors, pending events. */
export const MSIX_STATEMENTS: readonly Script[] = [
  {
    id: 'K12',
    says: 'to disable what is not enabled is EINVAL',
    device: LATCHES,
    lines: [[`${NONE} 0+0 []`, 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K13',
    says: 'a loopback while nothing is enabled is EINVAL',
    device: LATCHES,
    lines: [
      [`${NONE} 0+1 []`, 'EINVAL'],
      [`${BOOL} 0+1 [1]`, 'EINVAL'],
    ],
    end: [OFF],
  },
  {
    id: 'K14',
    says: 'to enable no vector is ERANGE',
    device: LATCHES,
    lines: [[`${SET} 0+0 []`, 'ERANGE']],
    end: [OFF],
  },
  {
    id: 'K15',
    says: 'an empty range at 3 enables three vectors, or is EINVAL where the whole range is looked at first',
    device: LATCHES,
    lines: [[`${SET} 3+0 []`, 'EINVAL', 'ok']],
    end: [OFF, 'irqs 0-2, armed none, pending none, on'],
  },
  {
    id: 'K16',
    says: 'eventfds of -1 enable MSI-X and arm nothing',
    device: LATCHES,
    lines: [[`${SET} 0+5 [-1 -1 -1 -1 -1]`, 'ok']],
    end: ['irqs 0-4, armed none, pending none, on'],
  },
  {
    id: 'K17',
    says: 'disabling ignores start',
    device: LATCHES,
    lines: [
      [`${SET} 0+5 [-1 -1 -1 -1 -1]`, 'ok'],
      [`${NONE} 4+0 []`, 'ok'],
    ],
    end: [OFF],
  },
  {
    id: 'K18',
    says: 'enabling vector 5 alone allocates 0 to 5 and arms 5',
    device: LATCHES,
    lines: [[`${SET} 5+1 [e0]`, 'ok']],
    end: ['irqs 0-5, armed 5, pending none, on'],
  },
  {
    id: 'K19',
    says: 'a closed descriptor in the call that enables undoes it all',
    device: LATCHES,
    lines: [[`${SET} 0+5 [e0 e1 bad e3 e4]`, 'EBADF']],
    end: [OFF],
  },
  {
    id: 'K20',
    says: 'a pipe in the call that enables is EINVAL and undoes it all',
    device: LATCHES,
    lines: [[`${SET} 0+3 [e0 notEventfd e2]`, 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K21',
    says: 'a range beyond the allocation is refused whole, or extends it',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 0+8 [e10 e11 e12 e13 e14 e15 e16 e17]`, 'EINVAL', 'ok', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1', 'ok, e10 +1', 'ok'],
      ['device.raise 7', 'ok', 'ok, e17 +1', 'ok'],
    ],
    end: [
      'irqs 0-4, armed 0-4, pending 7, on',
      'irqs 0-7, armed 0-7, pending none, on',
      'irqs 0-4, armed none, pending 0 7, on',
    ],
  },
  {
    id: 'K22',
    says: 'a closed descriptor at 2 disarms 0 to 2, and 3 and 4 keep their old eventfds',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 0+5 [e10 e11 bad e13 e14]`, 'EBADF'],
      ['device.raise 3', 'ok, e3 +1'],
      ['device.raise 4', 'ok, e4 +1'],
    ],
    end: ['irqs 0-4, armed 3-4, pending none, on'],
  },
  {
    id: 'K23',
    says: 'what the disarmed vectors raised is delivered when they are armed again',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 0+5 [e10 e11 bad e13 e14]`, 'EBADF'],
      ['device.raise 0', 'ok'],
      ['device.raise 1', 'ok'],
      ['device.raise 2', 'ok'],
      [`${SET} 0+3 [e5 e6 e7]`, 'ok, e5 +1, e6 +1, e7 +1'],
    ],
    end: [ARMED_5],
  },
  {
    id: 'K24',
    says: 'swapping in a closed descriptor leaves the vector without a trigger',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 3+1 [bad]`, 'EBADF'],
      ['device.raise 3', 'ok'],
    ],
    end: ['irqs 0-4, armed 0-2 4, pending 3, on'],
  },
  {
    id: 'K25',
    says: '-1 on a vector beyond the allocation is EINVAL, or does nothing',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 8+1 [-1]`, 'EINVAL', 'ok'],
    ],
    end: [ARMED_5],
  },
  {
    id: 'K26',
    says: 'a closed descriptor beyond the allocation is EINVAL, or EBADF with the irq allocated and kept',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 8+1 [bad]`, 'EINVAL', 'EBADF', 'EINVAL'],
    ],
    end: [ARMED_5, 'irqs 0-4 8, armed 0-4, pending none, on', ARMED_5],
  },
  {
    id: 'K27',
    says: 'adding vector 9 is EINVAL, or allocates that one alone',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 9+1 [e9]`, 'EINVAL', 'ok', 'EINVAL'],
    ],
    end: [ARMED_5, 'irqs 0-4 9, armed 0-4 9, pending none, on', ARMED_5],
  },
  {
    id: 'K28',
    says: 'an added vector keeps its irq when its trigger is removed',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 9+1 [e9]`, 'EINVAL', 'ok', 'EINVAL'],
      [`${SET} 9+1 [-1]`, 'EINVAL', 'ok'],
    ],
    end: [ARMED_5, 'irqs 0-4 9, armed 0-4, pending none, on', ARMED_5],
  },
  {
    id: 'K29',
    says: 'a loopback beyond the allocation is EINVAL, or signals what is armed',
    device: LATCHES,
    lines: [
      [`${SET} 0+5 [e0 e1 -1 -1 e4]`, 'ok'],
      [`${NONE} 0+10 []`, 'EINVAL', 'ok, e0 +1, e1 +1, e4 +1'],
    ],
    end: ['irqs 0-4, armed 0-1 4, pending none, on'],
  },
  {
    id: 'K30',
    says: 'a BOOL loopback signals where the byte is not 0',
    device: LATCHES,
    lines: [
      [`${SET} 0+3 [e0 e1 e2]`, 'ok'],
      [`${BOOL} 0+3 [1 0 2]`, 'ok, e0 +1, e2 +1'],
    ],
    end: ['irqs 0-2, armed 0-2, pending none, on'],
  },
  {
    id: 'K31',
    says: 'an empty range beyond the allocation is EINVAL, or nothing',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      [`${SET} 9+0 []`, 'EINVAL', 'ok'],
      [`${BOOL} 9+0 []`, 'EINVAL', 'ok'],
    ],
    end: [ARMED_5],
  },
  {
    id: 'K32',
    says: 'while MSI-X is on the other indices are EINVAL and change nothing',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      ['vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e9]', 'EINVAL'],
      ['vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e9]', 'EINVAL'],
      ['vfio.setIrqs MSI NONE|TRIGGER 0+0 []', 'EINVAL'],
      ['vfio.setIrqs INTX NONE|TRIGGER 0+0 []', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_5],
  },
  {
    id: 'K33',
    says: 'two vectors may share an eventfd, which counts both',
    device: LATCHES,
    lines: [
      [`${SET} 0+2 [e0 e0]`, 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
      ['device.raise 1', 'ok, e0 +1'],
      [`${NONE} 0+2 []`, 'ok, e0 +2'],
    ],
    end: ['irqs 0-1, armed 0-1, pending none, on'],
  },
  {
    id: 'K34',
    says: 'closing an eventfd in use is no error, and its signals go nowhere',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.closeEventfd e0', 'ok'],
      ['device.raise 0', 'ok'],
      [`${NONE} 0+1 []`, 'ok'],
    ],
    end: ['irqs 0, armed 0, pending none, on'],
  },
  {
    id: 'K39',
    says: 'without a host vector left a range inside the allocation is ENOSPC and disarmed up to the failure',
    device: LATCHES,
    lines: [
      [`${SET} 0+8 [e0 e1 e2 e3 e4 -1 -1 -1]`, 'ok'],
      ['host.limitVectors 0', 'ok'],
      [`${SET} 0+8 [e0 e1 e2 e3 e4 e5 e6 e7]`, 'ENOSPC'],
    ],
    end: ['irqs 0-7, armed none, pending none, on'],
  },
  {
    id: 'K40',
    says: 'without a host vector left a range beyond the allocation is EINVAL, or ENOSPC with one irq more',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      ['host.limitVectors 0', 'ok'],
      [`${SET} 0+8 [e10 e11 e12 e13 e14 e15 e16 e17]`, 'EINVAL', 'ENOSPC', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1', 'ok'],
    ],
    end: [ARMED_5, 'irqs 0-5, armed none, pending 0, on', 'irqs 0-4, armed none, pending 0, on'],
  },
  {
    id: 'K41',
    says: 'enabling more vectors than the host has left is ENOSPC and undone',
    device: LATCHES,
    lines: [
      ['host.limitVectors 3', 'ok'],
      [`${SET} 0+8 [e0 e1 e2 e3 e4 e5 e6 e7]`, 'ENOSPC'],
      [`${SET} 0+3 [e0 e1 e2]`, 'ok'],
    ],
    end: ['irqs 0-2, armed 0-2, pending none, on'],
  },
  {
    id: 'K42',
    says: 'two events without a trigger are one signal when the trigger comes',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${SET} 0+1 [-1]`, 'ok'],
      ['device.raise 0', 'ok'],
      ['device.raise 0', 'ok'],
      [`${SET} 0+1 [e1]`, 'ok, e1 +1'],
    ],
    end: ['irqs 0, armed 0, pending none, on'],
  },
  {
    id: 'K43',
    says: 'an event of a vector that is not allocated stays pending, and arrives when the vector is added',
    device: LATCHES,
    lines: [
      [ENABLE_5, 'ok'],
      ['device.raise 7', 'ok'],
      [`${SET} 7+1 [e7]`, 'EINVAL', 'ok, e7 +1', 'EINVAL'],
    ],
    end: [
      'irqs 0-4, armed 0-4, pending 7, on',
      'irqs 0-4 7, armed 0-4 7, pending none, on',
      'irqs 0-4, armed 0-4, pending 7, on',
    ],
  },
  {
    id: 'K44',
    says: 'what a dropping function raises while MSI-X is off never arrives',
    device: DROPS,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${NONE} 0+0 []`, 'ok'],
      ['device.raise 0', 'ok'],
      [`${SET} 0+1 [e0]`, 'ok'],
    ],
    end: ['irqs 0, armed 0, pending none, on'],
  },
  {
    id: 'K45',
    says: 'a pending bit outlives MSI-X being off',
    device: DROPS,
    lines: [
      [ENABLE_5, 'ok'],
      ['device.raise 5', 'ok'],
      [`${NONE} 0+0 []`, 'ok'],
      [`${SET} 0+6 [e0 e1 e2 e3 e4 e5]`, 'ok, e5 +1'],
    ],
    end: ['irqs 0-5, armed 0-5, pending none, on'],
  },
  {
    id: 'K46',
    says: 'adding and removing other vectors loses nothing of vector 0',
    device: DROPS,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
      [`${SET} 1+1 [e1]`, 'EINVAL', 'ok', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1'],
      [`${SET} 9+1 [e9]`, 'EINVAL', 'ok', 'EINVAL'],
      ['device.raise 0', 'ok, e0 +1'],
      [`${SET} 1+9 [-1 -1 -1 -1 -1 -1 -1 -1 -1]`, 'EINVAL', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [
      'irqs 0, armed 0, pending none, on',
      'irqs 0-1 9, armed 0, pending none, on',
      'irqs 0, armed 0, pending none, on',
    ],
  },
];
