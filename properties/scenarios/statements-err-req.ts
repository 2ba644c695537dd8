import { LATCHES } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs REQ EVENTFD|TRIGGER';
const NONE = 'vfio.setIrqs REQ NONE|TRIGGER';

/** ERR and REQ: one trigger each, beside whatever interrupts are set up. */
export const ERR_REQ_STATEMENTS: readonly Script[] = [
  {
    id: 'K67',
    says: 'an eventfd below -1 on REQ is nothing, or EINVAL',
    device: LATCHES,
    lines: [[`${SET} 0+1 [-2]`, 'ok', 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K68',
    says: 'REQ without a trigger takes a BOOL and a -1, and refuses a loopback and to be cleared',
    device: LATCHES,
    lines: [
      ['vfio.setIrqs REQ BOOL|TRIGGER 0+1 [1]', 'ok'],
      [`${NONE} 0+1 []`, 'EINVAL'],
      [`${NONE} 0+0 []`, 'EINVAL'],
      [`${SET} 0+1 [-1]`, 'ok'],
    ],
    end: [OFF],
  },
  {
    id: 'K69',
    says: 'swapping in a closed descriptor leaves REQ its old trigger',
    device: LATCHES,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${SET} 0+1 [bad]`, 'EBADF'],
      [`${NONE} 0+1 []`, 'ok, e0 +1'],
    ],
    end: [OFF],
  },
  {
    id: 'K70',
    says: 'a conventional function refuses an ERR trigger: EINVAL',
    device: LATCHES,
    lines: [['vfio.setIrqs ERR EVENTFD|TRIGGER 0+1 [e0]', 'EINVAL']],
    end: [OFF],
  },
  {
    id: 'K71',
    says: 'a conventional function refuses to mask ERR as an index it lacks, before the action is found unsupported',
    device: LATCHES,
    lines: [['vfio.setIrqs ERR NONE|MASK 0+1 []', 'EINVAL']],
    end: [OFF],
  },
];
