import {
  type Errno,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  type VfioSetIrqs,
} from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { boolAt, elementAt } from './data.ts';
import type { VfioDevice } from './device.ts';
import { type Eventfd, eventfdLookup, isNegative } from './eventfd.ts';
import { intxDisable, intxEnable, intxMask, intxUnmask, sendIntx } from './intx.ts';
import { virqfdDisable, virqfdEnable } from './virqfd.ts';

const CLAUSE = declare({
  disable: {
    id: 'vfio.intx-trigger.disable',
    title: 'DATA_NONE with count 0 disables INTx.',
    source: 'vfio_pci_set_intx_trigger, Linux 6.1 and 6.12',
  },
  otherType: {
    id: 'vfio.intx-trigger.other-type',
    title: 'While MSI or MSI-X is set up TRIGGER, MASK and UNMASK on INTx are EINVAL.',
    source: 'vfio_pci_set_intx_trigger, vfio_pci_set_intx_mask, Linux 6.1 and 6.12',
  },
  notOne: {
    id: 'vfio.intx-trigger.not-one',
    title: 'A count other than 1 is EINVAL, but to disable.',
    source: 'vfio_pci_set_intx_trigger, vfio_pci_set_intx_mask, Linux 6.1 and 6.12',
  },
  notEnabled: {
    id: 'vfio.intx-trigger.not-enabled',
    title: 'To mask, unmask or loop back while INTx is not set up is EINVAL.',
    source: 'vfio_pci_set_intx_trigger, vfio_pci_set_intx_unmask, Linux 6.1 and 6.12',
  },
  lookedUpFirst: {
    id: 'vfio.intx-trigger.looked-up-first',
    title: 'An eventfd that cannot be used changes nothing: the old trigger stays.',
    source: 'vfio_pci_set_intx_trigger, Linux 6.1.84 and later, 6.9 and later',
  },
  swap: {
    id: 'vfio.intx-trigger.swap',
    title: 'A trigger takes the place of another, or of none; masked stays masked, and nothing is signalled.',
    source: 'vfio_intx_set_signal, Linux 6.1.84 and later, 6.9 and later',
  },
  loopback: {
    id: 'vfio.intx-trigger.loopback',
    title: 'DATA_NONE, or a DATA_BOOL that is not 0, signals the trigger and masks nothing.',
    source: 'vfio_pci_set_intx_trigger, Linux 6.1 and 6.12',
  },
  boolZero: {
    id: 'vfio.intx-trigger.bool-zero',
    title: 'A DATA_BOOL of 0 does nothing.',
    source: 'vfio_pci_set_intx_trigger, vfio_pci_set_intx_mask, Linux 6.1 and 6.12',
  },
  maskByEventfd: {
    id: 'vfio.intx-trigger.mask-by-eventfd',
    title: 'To mask by an eventfd is ENOTTY.',
    source: 'vfio_pci_set_intx_mask, Linux 6.1 and 6.12',
  },
});

/** SET_IRQS TRIGGER on the INTx index. */
export function setIntxTrigger(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  const enabled = device.irqType === 'intx';
  if (enabled && call.count === 0 && (call.flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
    cite(CLAUSE.disable);
    intxDisable(device);
    return 0;
  }
  if (!enabled && device.irqType !== 'none') {
    cite(CLAUSE.otherType);
    return 'EINVAL';
  }
  if (call.count !== 1) {
    cite(CLAUSE.notOne);
    return 'EINVAL';
  }
  if ((call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return setTrigger(device, call);
  if (!enabled) {
    cite(CLAUSE.notEnabled);
    return 'EINVAL';
  }
  if (!isAsked(call)) return 0;
  cite(CLAUSE.loopback);
  sendIntx(device);
  return 0;
}

function setTrigger(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  const element = elementAt(call, 0);
  let trigger: Eventfd | null = null;
  if (!isNegative(element)) {
    const found = eventfdLookup(device.eventfds, element);
    if (typeof found === 'string') {
      cite(CLAUSE.lookedUpFirst);
      return found;
    }
    trigger = found;
  }
  if (device.irqType === 'none') return intxEnable(device, trigger);
  cite(CLAUSE.swap);
  device.intx.trigger = trigger;
  return 0;
}

/** SET_IRQS MASK and UNMASK on the INTx index. Source: vfio_pci_set_intx_mask, vfio_pci_set_intx_unmask. */
export function setIntxMask(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  if (device.irqType !== 'intx') {
    cite(device.irqType === 'none' ? CLAUSE.notEnabled : CLAUSE.otherType);
    return 'EINVAL';
  }
  if (call.count !== 1) {
    cite(CLAUSE.notOne);
    return 'EINVAL';
  }
  const masks = (call.flags & VFIO_IRQ_SET_ACTION_MASK) !== 0;
  if ((call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return masks ? maskByEventfd() : unmaskByEventfd(device, call);
  if (!isAsked(call)) return 0;
  if (masks) intxMask(device);
  else intxUnmask(device);
  return 0;
}

function maskByEventfd(): 'ENOTTY' {
  cite(CLAUSE.maskByEventfd);
  return 'ENOTTY';
}

/** Source: vfio_pci_set_intx_unmask, Linux 6.1 and 6.12. */
function unmaskByEventfd(device: VfioDevice, call: VfioSetIrqs): 0 | Errno {
  const element = elementAt(call, 0);
  if (!isNegative(element)) return virqfdEnable(device, element, () => intxUnmask(device));
  virqfdDisable(device);
  return 0;
}

/** Whether the data, NONE or BOOL, asks for anything. */
function isAsked(call: VfioSetIrqs): boolean {
  if ((call.flags & VFIO_IRQ_SET_DATA_BOOL) === 0 || boolAt(call, 0)) return true;
  cite(CLAUSE.boolZero);
  return false;
}
