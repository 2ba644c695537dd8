import { type Errno, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_NONE, type VfioSetIrqs } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { boolAt, elementAt } from './data.ts';
import type { VfioDevice } from './device.ts';
import { eventfdLookup, isNegative, signal } from './eventfd.ts';

const CLAUSE = declare({
  noneWithoutTrigger: {
    id: 'vfio.ctx-trigger-single.none-without-trigger',
    title: 'DATA_NONE on ERR or REQ without a trigger is EINVAL.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  noneClears: {
    id: 'vfio.ctx-trigger-single.none-clears',
    title: 'DATA_NONE with count 0 drops the trigger of ERR or REQ.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  loopback: {
    id: 'vfio.ctx-trigger-single.loopback',
    title: 'DATA_NONE, or a DATA_BOOL that is not 0, signals the trigger of ERR or REQ.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  boolWithoutEffect: {
    id: 'vfio.ctx-trigger-single.bool-without-effect',
    title: 'A DATA_BOOL of 0, or without a trigger, succeeds and does nothing.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  emptyData: {
    id: 'vfio.ctx-trigger-single.empty-data',
    title: 'DATA_BOOL or DATA_EVENTFD with count 0 is EINVAL on ERR and REQ.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  minusOneClears: {
    id: 'vfio.ctx-trigger-single.minus-one-clears',
    title: 'Eventfd -1 drops the trigger of ERR or REQ.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  belowMinusOneIgnored: {
    id: 'vfio.ctx-trigger-single.below-minus-one-ignored',
    title: 'An eventfd below -1 succeeds and does nothing.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12 before 6.12.63',
  },
  belowMinusOneRefused: {
    id: 'vfio.ctx-trigger-single.below-minus-one-refused',
    title: 'An eventfd below -1 is EINVAL.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.12.63 and later',
  },
  keptOnError: {
    id: 'vfio.ctx-trigger-single.kept-on-error',
    title: 'An eventfd that cannot be used leaves the trigger of ERR or REQ as it was.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
  set: {
    id: 'vfio.ctx-trigger-single.set',
    title: 'A good eventfd becomes the trigger of ERR or REQ, in place of an older one.',
    source: 'vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12',
  },
});

/** Where the trigger of an index is kept. */
type Slot = 'errTrigger' | 'reqTrigger';

/** SET_IRQS TRIGGER on the ERR and REQ indices. Both are independent of the interrupt type and of each other. */
export function setCtxTriggerSingle(device: VfioDevice, slot: Slot, call: VfioSetIrqs): 0 | Errno {
  if ((call.flags & VFIO_IRQ_SET_DATA_NONE) !== 0) return none(device, slot, call);
  if (call.count === 0) {
    cite(CLAUSE.emptyData);
    return 'EINVAL';
  }
  return (call.flags & VFIO_IRQ_SET_DATA_BOOL) !== 0 ? bool(device, slot, call) : eventfd(device, slot, call);
}

function none(device: VfioDevice, slot: Slot, call: VfioSetIrqs): 0 | Errno {
  const trigger = device[slot];
  if (trigger === null) {
    cite(CLAUSE.noneWithoutTrigger);
    return 'EINVAL';
  }
  if (call.count === 0) {
    cite(CLAUSE.noneClears);
    device[slot] = null;
    return 0;
  }
  cite(CLAUSE.loopback);
  signal(device.eventfds, trigger);
  return 0;
}

function bool(device: VfioDevice, slot: Slot, call: VfioSetIrqs): 0 {
  const trigger = device[slot];
  if (trigger === null || !boolAt(call, 0)) {
    cite(CLAUSE.boolWithoutEffect);
    return 0;
  }
  cite(CLAUSE.loopback);
  signal(device.eventfds, trigger);
  return 0;
}

function eventfd(device: VfioDevice, slot: Slot, call: VfioSetIrqs): 0 | Errno {
  const element = elementAt(call, 0);
  if (isNegative(element)) return negative(device, slot, Number(element) | 0);
  const found = eventfdLookup(device.eventfds, element);
  if (typeof found === 'string') {
    cite(CLAUSE.keptOnError);
    return found;
  }
  cite(CLAUSE.set);
  device[slot] = found;
  return 0;
}

function negative(device: VfioDevice, slot: Slot, descriptor: number): 0 | Errno {
  if (descriptor === -1) {
    cite(CLAUSE.minusOneClears);
    device[slot] = null;
    return 0;
  }
  switch (device.host.belowMinusOne) {
    case 'ignored':
      cite(CLAUSE.belowMinusOneIgnored);
      return 0;
    case 'refused':
      cite(CLAUSE.belowMinusOneRefused);
      return 'EINVAL';
  }
}
