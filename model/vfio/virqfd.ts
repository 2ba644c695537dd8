import type { DataElement } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import type { VfioDevice } from './device.ts';
import { type Eventfd, eventfdLookup, unwatch, watch } from './eventfd.ts';

const CLAUSE = declare({
  attach: {
    id: 'vfio.virqfd.attach',
    title: 'An eventfd is attached: from now on a write to it unmasks INTx and is consumed.',
    source: 'vfio_virqfd_enable, virqfd_wakeup, Linux 6.1 and 6.12',
  },
  busy: {
    id: 'vfio.virqfd.busy',
    title: 'A second unmask eventfd is EBUSY, if it can be used at all.',
    source: 'vfio_virqfd_enable, Linux 6.1 and 6.12',
  },
  detach: {
    id: 'vfio.virqfd.detach',
    title: 'A negative eventfd detaches the unmask eventfd; without one it does nothing.',
    source: 'vfio_virqfd_disable, Linux 6.1 and 6.12',
  },
  autoDetach: {
    id: 'vfio.virqfd.auto-detach',
    title: 'An unmask eventfd that the user closes is detached.',
    source: 'virqfd_wakeup (EPOLLHUP), Linux 6.1 and 6.12',
  },
});

/** @param wake what a write to the eventfd does. */
export function virqfdEnable(
  device: VfioDevice,
  element: DataElement,
  wake: () => void,
): 0 | 'EBADF' | 'EBUSY' | 'EINVAL' {
  const found = eventfdLookup(device.eventfds, element);
  if (typeof found === 'string') return found;
  if (device.intx.unmask !== null) {
    cite(CLAUSE.busy);
    return 'EBUSY';
  }
  cite(CLAUSE.attach);
  attachVirqfd(device, found, wake);
  return 0;
}

/** From now on a write to the eventfd is an unmask. Source: virqfd_wakeup, Linux 6.1 and 6.12. */
export function attachVirqfd(device: VfioDevice, eventfd: Eventfd, wake: () => void): void {
  device.intx.unmask = eventfd;
  watch(eventfd, device, {
    written: wake,
    closed: () => {
      cite(CLAUSE.autoDetach);
      device.intx.unmask = null;
    },
  });
}

/** Source: vfio_virqfd_disable, Linux 6.1 and 6.12. */
export function virqfdDisable(device: VfioDevice): void {
  cite(CLAUSE.detach);
  if (device.intx.unmask !== null) unwatch(device.intx.unmask, device);
  device.intx.unmask = null;
}
