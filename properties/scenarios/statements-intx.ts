import { EDU } from './devices.ts';
import { OFF, type Script } from './script.ts';

const SET = 'vfio.setIrqs INTX EVENTFD|TRIGGER';
const LOOPBACK = 'vfio.setIrqs INTX NONE|TRIGGER 0+1 []';
const MASK = 'vfio.setIrqs INTX NONE|MASK 0+1 []';
const UNMASK = 'vfio.setIrqs INTX NONE|UNMASK 0+1 []';
const LISTENING = `${OFF}, INTx-handler`;
const MASKED_AND_ASSERTED = `${OFF}, INTx-disable INTx-status INTx-handler`;

/** INTx: a level, masked by each signal, with triggers that are swapped whole or not at all. */
export const INTX_STATEMENTS: readonly Script[] = [
  {
    id: 'K59',
    says: 'a closed descriptor in the call that enables INTx is EBADF and enables nothing',
    device: EDU,
    lines: [[`${SET} 0+1 [bad]`, 'EBADF']],
    end: [OFF],
  },
  {
    id: 'K60',
    says: 'INTx is enabled by -1, with a handler and no trigger',
    device: EDU,
    lines: [[`${SET} 0+1 [-1]`, 'ok']],
    end: [LISTENING],
  },
  {
    id: 'K61',
    says: 'a trigger that comes after the interrupt hears nothing until an unmask, and then each time',
    device: EDU,
    lines: [
      [`${SET} 0+1 [-1]`, 'ok'],
      ['device.assertIntx', 'ok'],
      [`${SET} 0+1 [e0]`, 'ok'],
      [UNMASK, 'ok, e0 +1'],
      [UNMASK, 'ok, e0 +1'],
      ['device.deassertIntx', 'ok'],
      [UNMASK, 'ok'],
    ],
    end: [LISTENING],
  },
  {
    id: 'K62',
    says: 'swapping in a closed descriptor leaves INTx its old trigger',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      [`${SET} 0+1 [bad]`, 'EBADF'],
      ['device.assertIntx', 'ok, e0 +1'],
    ],
    end: [MASKED_AND_ASSERTED],
  },
  {
    id: 'K63',
    says: 'a second unmask eventfd is EBUSY',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.setIrqs INTX EVENTFD|UNMASK 0+1 [e1]', 'ok'],
      ['vfio.setIrqs INTX EVENTFD|UNMASK 0+1 [e2]', 'EBUSY'],
    ],
    end: [LISTENING],
  },
  {
    id: 'K64',
    says: 'INTx cannot be masked by an eventfd',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.setIrqs INTX EVENTFD|MASK 0+1 [e1]', 'ENOTTY'],
    ],
    end: [LISTENING],
  },
  {
    id: 'K65',
    says: 'while the user has Interrupt Disable set nothing is signalled; clearing it signals what is asserted',
    device: EDU,
    lines: [
      [`${SET} 0+1 [e0]`, 'ok'],
      ['vfio.configWrite intxDisable 1', 'ok'],
      [LOOPBACK, 'ok'],
      ['device.assertIntx', 'ok'],
      [UNMASK, 'ok'],
      ['vfio.configWrite intxDisable 0', 'ok, e0 +1'],
    ],
    end: [MASKED_AND_ASSERTED],
  },
  {
    id: 'K66',
    says: 'to mask, unmask or loop back while INTx is not enabled is EINVAL',
    device: EDU,
    lines: [
      [MASK, 'EINVAL'],
      [UNMASK, 'EINVAL'],
      [LOOPBACK, 'EINVAL'],
    ],
    end: [OFF],
  },
];
