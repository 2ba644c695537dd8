import { EDU, XHCI } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const NONE = 'vfio.setIrqs MSI NONE|TRIGGER';
const ENABLE_4 = `${SET} 0+4 [e0 e1 e2 e3]`;
const ALL_4 = 'ok, e0 +1, e1 +1, e2 +1, e3 +1';
const ARMED_4 = 'irqs 0-3, armed 0-3, pending none, off, MSI-enable MSI-message';
const ARMED_1 = 'irqs 0, armed 0, pending none, off, MSI-enable MSI-message';

/** MSI: no vector can be added, nothing is masked, and nothing keeps an event. */
export const MSI_STATEMENTS: readonly Script[] = [
  {
    id: 'K35',
    says: 'an MSI range beyond the allocation is EINVAL: refused whole, or found out after all triggers are gone',
    device: XHCI,
    lines: [
      [ENABLE_4, 'ok'],
      [`${SET} 0+8 [e10 e11 e12 e13 e14 e15 e16 e17]`, 'EINVAL'],
      [`${NONE} 0+4 []`, ALL_4, 'ok'],
    ],
    end: [ARMED_4, 'irqs 0-3, armed none, pending none, off, MSI-enable'],
  },
  {
    id: 'K36',
    says: 'an MSI range across the end of the allocation is EINVAL, and costs nothing or the vectors inside it',
    device: XHCI,
    lines: [
      [ENABLE_4, 'ok'],
      [`${SET} 3+2 [e13 e14]`, 'EINVAL'],
      [`${NONE} 0+4 []`, ALL_4, 'ok, e0 +1, e1 +1, e2 +1'],
    ],
    end: [ARMED_4, 'irqs 0-3, armed 0-2, pending none, off, MSI-enable MSI-message'],
  },
  {
    id: 'K37',
    says: '-1 on MSI vectors inside and beyond the allocation is EINVAL, or removes the triggers inside',
    device: XHCI,
    lines: [
      [ENABLE_4, 'ok'],
      [`${SET} 0+8 [-1 -1 -1 -1 -1 -1 -1 -1]`, 'EINVAL', 'ok'],
    ],
    end: [ARMED_4, 'irqs 0-3, armed none, pending none, off, MSI-enable'],
  },
  {
    id: 'K38',
    says: 'without interrupt remapping four MSI vectors are refused by the number that there is: 1',
    device: XHCI,
    interruptRemapping: false,
    lines: [[ENABLE_4, 'returns 1']],
    end: [OFF],
  },
  {
    id: 'K72',
    says: 'while MSI is on its virtual Enable bit reads 0',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configRead msiEnable', 'reads 0'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K73',
    says: 'the user turns MSI off and on again; what is raised meanwhile is lost',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configWrite msiEnable 0', 'ok'],
      ['device.raise 0', 'ok'],
      ['vfio.configWrite msiEnable 1', 'ok'],
      ['device.raise 0', 'ok, e0 +1'],
    ],
    end: [ARMED_1],
  },
  {
    id: 'K74',
    says: 'while MSI is not set up its Enable bit cannot be set',
    device: EDU,
    lines: [
      ['vfio.configWrite msiEnable 1', 'ok'],
      ['vfio.configRead msiEnable', 'reads 0'],
    ],
    end: [OFF],
  },
  {
    id: 'K75',
    says: 'what MSI raises without a trigger is written to address 0 and lost',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${SET} 0+1 [-1]`, 'ok'],
      ['device.raise 0', 'ok'],
      [`${SET} 0+1 [e1]`, 'ok'],
    ],
    end: [ARMED_1],
  },
];
