import type { HostTraits, PciFunction } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { emptyMsiDomain, type HostVectors, type MsiDomain } from '../irq/msi-domain.ts';
import { resetMsixFunction } from '../pci/msix-function.ts';
import type { Eventfd, Eventfds } from './eventfd.ts';
import { msiDisable } from './msi-disable.ts';

const CLAUSE = declare({
  closed: {
    id: 'vfio.device.closed',
    title: 'A call on a descriptor that is not open is EBADF.',
    source: '__fget_light, Linux 6.1 and 6.12',
  },
  firstOpen: {
    id: 'vfio.device.first-open',
    title: 'The first open finds no interrupts set up.',
    source: 'vfio_pci_core_enable, Linux 6.1 and 6.12',
  },
  furtherOpen: {
    id: 'vfio.device.further-open',
    title: 'A further descriptor shares the interrupt state of the first.',
    source: 'vfio_device_open, Linux 6.1 and 6.12',
  },
  notLastClose: {
    id: 'vfio.device.not-last-close',
    title: 'Closing one of several descriptors changes nothing.',
    source: 'vfio_device_fops_release, Linux 6.1 and 6.12',
  },
  lastClose: {
    id: 'vfio.device.last-close',
    title: 'The last close disables the interrupts, then drops the ERR and REQ triggers; pending bits stay.',
    source: 'vfio_pci_core_disable, vfio_pci_core_close_device, Linux 6.1 and 6.12',
  },
});

/** One device as vfio-pci holds it (struct vfio_pci_core_device). */
export interface VfioDevice {
  readonly config: PciFunction;
  readonly host: HostTraits;
  readonly domain: MsiDomain;
  readonly eventfds: Eventfds;
  /** Open descriptors. */
  descriptors: number;
  /** The index whose interrupts are set up. */
  irqType: 'none' | 'msix';
  /** The eventfd of each requested vector. */
  readonly triggers: Map<number, Eventfd>;
  /** The eventfd of the REQ index. */
  reqTrigger: Eventfd | null;
}

/** A device opened once. Source: vfio_pci_core_enable, Linux 6.1 and 6.12. */
export function openedDevice(
  config: PciFunction,
  host: HostTraits,
  hostVectors: HostVectors,
  eventfds: Eventfds,
  touched: Set<number>,
): VfioDevice {
  return {
    config,
    host,
    domain: emptyMsiDomain(resetMsixFunction(config, touched), hostVectors, touched),
    eventfds,
    descriptors: 1,
    irqType: 'none',
    triggers: new Map(),
    reqTrigger: null,
  };
}

/** VFIO_GROUP_GET_DEVICE_FD. */
export function open(device: VfioDevice): 0 {
  cite(device.descriptors === 0 ? CLAUSE.firstOpen : CLAUSE.furtherOpen);
  device.descriptors += 1;
  return 0;
}

/** close(2) on the descriptor opened last. */
export function close(device: VfioDevice): 0 | 'EBADF' {
  if (isClosed(device)) return 'EBADF';
  device.descriptors -= 1;
  if (device.descriptors > 0) {
    cite(CLAUSE.notLastClose);
    return 0;
  }
  cite(CLAUSE.lastClose);
  if (device.irqType === 'msix') msiDisable(device);
  device.reqTrigger = null;
  return 0;
}

/** Whether the user has no descriptor to make a call on. */
export function isClosed(device: VfioDevice): boolean {
  if (device.descriptors > 0) return false;
  cite(CLAUSE.closed);
  return true;
}
