import { EDU, LATCHES } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const NONE = 'vfio.setIrqs MSIX NONE|TRIGGER';

/** What GET_IRQ_INFO tells, and what SET_IRQS refuses whatever the index does. */
export const CALL_STATEMENTS: readonly Script[] = [
  {
    id: 'K01',
    says: 'GET_IRQ_INFO reports NORESIZE for MSI-X unless vectors can be added',
    device: LATCHES,
    lines: [['vfio.getIrqInfo MSIX', 'flags 9 count 10', 'flags 1 count 10', 'flags 9 count 10']],
    end: [OFF],
  },
  {
    id: 'K02',
    says: 'a function without MSI-X has the index with count 0 and NORESIZE',
    device: EDU,
    lines: [['vfio.getIrqInfo MSIX', 'flags 9 count 0']],
    end: [OFF],
  },
  {
    id: 'K03',
    says: 'a function without a pin has INTx with count 0',
    device: LATCHES,
    lines: [['vfio.getIrqInfo INTX', 'flags 7 count 0']],
    end: [OFF],
  },
  {
    id: 'K04',
    says: 'a malformed GET_IRQ_INFO is EINVAL, an unreadable one EFAULT',
    device: LATCHES,
    lines: [
      ['vfio.getIrqInfo MSIX argsz=15', 'EINVAL'],
      ['vfio.getIrqInfo 5', 'EINVAL'],
      ['vfio.getIrqInfo MSIX unreadable', 'EFAULT'],
    ],
    end: [OFF],
  },
  {
    id: 'K05',
    says: 'a conventional function has no ERR index',
    device: LATCHES,
    lines: [['vfio.getIrqInfo ERR', 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K06',
    says: 'a short argsz, an unknown index or flag, no or two kinds of data are EINVAL',
    device: LATCHES,
    lines: [
      [`${NONE} 0+1 [] argsz=19`, 'EINVAL'],
      ['vfio.setIrqs 5 NONE|TRIGGER 0+1 []', 'EINVAL'],
      ['vfio.setIrqs MSIX NONE|TRIGGER|0x40 0+1 []', 'EINVAL'],
      ['vfio.setIrqs MSIX TRIGGER 0+1 []', 'EINVAL'],
      ['vfio.setIrqs MSIX NONE|EVENTFD|TRIGGER 0+1 [e0]', 'EINVAL'],
    ],
    end: [OFF],
  },
  {
    id: 'K07',
    says: 'no action or two actions are ENOTTY',
    device: LATCHES,
    lines: [
      ['vfio.setIrqs MSIX NONE 0+1 []', 'ENOTTY'],
      ['vfio.setIrqs MSIX NONE|MASK|TRIGGER 0+1 []', 'ENOTTY'],
    ],
    end: [OFF],
  },
  {
    id: 'K08',
    says: 'a range beyond the table is EINVAL, even an empty one',
    device: LATCHES,
    lines: [
      [`${NONE} 10+0 []`, 'EINVAL'],
      [`${SET} 9+2 [e0 e1]`, 'EINVAL'],
      [`${NONE} 0+11 []`, 'EINVAL'],
    ],
    end: [OFF],
  },
  {
    id: 'K09',
    says: 'an argsz that does not cover the eventfds is EINVAL',
    device: LATCHES,
    lines: [[`${SET} 0+2 [e0 e1] argsz=27`, 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K10',
    says: 'data that cannot be read is EFAULT before the action is found unsupported',
    device: LATCHES,
    lines: [['vfio.setIrqs MSIX EVENTFD|MASK 0+1 [] argsz=24', 'EFAULT']],
    end: [OFF],
  },
  {
    id: 'K11',
    says: 'MSI-X and REQ cannot be masked or unmasked',
    device: LATCHES,
    lines: [
      ['vfio.setIrqs MSIX NONE|MASK 0+1 []', 'ENOTTY'],
      ['vfio.setIrqs MSIX NONE|UNMASK 0+1 []', 'ENOTTY'],
      ['vfio.setIrqs REQ NONE|MASK 0+1 []', 'ENOTTY'],
      ['vfio.setIrqs REQ NONE|UNMASK 0+1 []', 'ENOTTY'],
    ],
    end: [OFF],
  },
];
