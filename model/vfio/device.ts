import type { HostTraits, PciFunction } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { emptyMsiDomain, type HostVectors, type MsiDomain } from '../irq/msi-domain.ts';
import { type FunctionState, initialFunction } from '../pci/function.ts';
import { resetFunction } from '../pci/function-reset.ts';
import { VectorMap } from '../vector-map.ts';
import type { VectorSet } from '../vector-set.ts';
import type { Eventfd, Eventfds } from './eventfd.ts';
import { intxDisable } from './intx.ts';
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
  mapped: {
    id: 'vfio.device.mapped',
    title: 'A mapping of a BAR holds the device as a descriptor does: interrupts go on until it is unmapped.',
    source: 'vfio_pci_core_mmap, vfio_device_fops_release, Linux 6.1 and 6.12',
  },
  lastClose: {
    id: 'vfio.device.last-close',
    title: 'The last close puts the function in D0, disables the interrupts, then drops the ERR and REQ triggers.',
    source: 'vfio_pci_core_disable, vfio_pci_core_close_device, Linux 6.1 and 6.12',
  },
  resetAround: {
    id: 'vfio.device.reset-around',
    title: 'A function that can be reset is, at the first open and the last close; the others keep their pending bits.',
    source: 'vfio_pci_core_enable, vfio_pci_core_disable, Linux 6.1 and 6.12',
  },
});

/** The INTx interrupt of a device (struct vfio_pci_irq_ctx). */
export interface IntxContext {
  /** Masked by the handler, by the user, or through Interrupt Disable; the physical bit is the same. */
  masked: boolean;
  trigger: Eventfd | null;
  /** The eventfd that unmasks when it is written. */
  unmask: Eventfd | null;
}

/** What the user sees of configuration space and is not the hardware's (vconfig). */
export interface VirtualConfig {
  /** Interrupt Disable (virq_disabled). */
  intxDisable: boolean;
  memory: boolean;
  msiEnable: boolean;
}

/** One device as vfio-pci holds it (struct vfio_pci_core_device). */
export interface VfioDevice {
  readonly config: PciFunction;
  readonly host: HostTraits;
  readonly domain: MsiDomain;
  readonly pci: FunctionState;
  readonly eventfds: Eventfds;
  /** Whether a vector can be added while MSI-X is on (has_dyn_msix). */
  readonly addsVectors: boolean;
  /** Open descriptors. */
  descriptors: number;
  /** Mappings of BAR 0. */
  mappings: number;
  /** The index whose interrupts are set up. */
  irqType: 'none' | 'intx' | 'msi' | 'msix';
  /** The eventfd of each requested MSI or MSI-X vector. */
  readonly triggers: VectorMap<Eventfd>;
  readonly intx: IntxContext;
  readonly virtual: VirtualConfig;
  errTrigger: Eventfd | null;
  reqTrigger: Eventfd | null;
}

/** A device opened once. Source: vfio_pci_core_enable, Linux 6.1 and 6.12. */
export function openedDevice(
  config: PciFunction,
  host: HostTraits,
  hostVectors: HostVectors,
  eventfds: Eventfds,
  touched: VectorSet,
): VfioDevice {
  const pci = initialFunction(config, touched);
  return {
    config,
    host,
    domain: emptyMsiDomain(pci, hostVectors, touched),
    pci,
    eventfds,
    // vfio_pci_core_enable, Linux 6.5 and later.
    addsVectors: host.dynamicMsix && config.msixVectors > 0,
    descriptors: 1,
    mappings: 0,
    irqType: 'none',
    triggers: new VectorMap(),
    intx: { masked: false, trigger: null, unmask: null },
    virtual: { intxDisable: false, memory: true, msiEnable: false },
    errTrigger: null,
    reqTrigger: null,
  };
}

/** VFIO_GROUP_GET_DEVICE_FD. The first user turns bus mastering on, without which no message arrives. */
export function open(device: VfioDevice): void {
  const first = !isHeld(device);
  device.descriptors += 1;
  if (!first) {
    cite(CLAUSE.furtherOpen);
    return;
  }
  cite(CLAUSE.firstOpen);
  resetWhereItCan(device);
  device.pci.busMaster = true;
}

/** close(2) on the descriptor opened last. */
export function close(device: VfioDevice): 0 | 'EBADF' {
  if (isClosed(device)) return 'EBADF';
  device.descriptors -= 1;
  if (device.descriptors > 0) cite(CLAUSE.notLastClose);
  else if (device.mappings > 0) cite(CLAUSE.mapped);
  else lastClose(device);
  return 0;
}

/** mmap(2) of BAR 0. Source: vfio_pci_core_mmap, Linux 6.1 and 6.12. */
export function mapBar(device: VfioDevice): 0 | 'EBADF' {
  if (isClosed(device)) return 'EBADF';
  device.mappings += 1;
  return 0;
}

/** munmap(2) of a mapping; without one nothing happens. Source: vfio_device_fops_release, Linux 6.1 and 6.12. */
export function unmapBar(device: VfioDevice): void {
  if (device.mappings === 0) return;
  device.mappings -= 1;
  if (!isHeld(device)) lastClose(device);
}

function isHeld({ descriptors, mappings }: VfioDevice): boolean {
  return descriptors > 0 || mappings > 0;
}

function lastClose(device: VfioDevice): void {
  cite(CLAUSE.lastClose);
  const { pci, virtual } = device;
  pci.inD3hot = false;
  disableInterrupts(device);
  device.errTrigger = null;
  device.reqTrigger = null;
  virtual.intxDisable = false;
  virtual.memory = true;
  virtual.msiEnable = false;
  resetWhereItCan(device);
  pci.busMaster = false;
  pci.intxDisable = false;
}

/** Source: vfio_pci_core_disable, Linux 6.1 and 6.12. */
function disableInterrupts(device: VfioDevice): void {
  switch (device.irqType) {
    case 'none':
      return;
    case 'intx':
      intxDisable(device);
      return;
    case 'msi':
    case 'msix':
      msiDisable(device);
      return;
  }
}

function resetWhereItCan({ config, pci }: VfioDevice): void {
  cite(CLAUSE.resetAround);
  if (config.reset === true) resetFunction(pci);
}

/** Whether the user has no descriptor to make a call on. */
export function isClosed(device: VfioDevice): boolean {
  if (device.descriptors > 0) return false;
  cite(CLAUSE.closed);
  return true;
}
