import { firstMessage, type Message, type VmmCall, type VmmTraits, type Window } from '#vocabulary';
import { VectorMap } from '../vector-map.ts';
import { VectorSet } from '../vector-set.ts';
import type { Eventfds } from '../vfio/eventfd.ts';
import type { HostDevice } from './host-device.ts';

/** An entry of the table that the guest sees. */
export interface Entry extends Message {
  /** Vector Control; bit 0 masks. */
  readonly control: number;
}

/** A vector that the VMM has put to use (VFIOMSIVector). */
export interface UsedVector {
  /** Whether the event loop reads its interrupt eventfd. */
  hasHandler: boolean;
  /** The message by which KVM delivers it; null while the VMM does (virq < 0). */
  route: Message | null;
}

/** A message that the guest has received in this step, `count` times. */
export interface Delivered extends Message {
  readonly device: number;
  readonly count: number;
}

/** One device as its VMM shows it to the guest (PCIDevice and VFIOPCIDevice). */
export interface VirtualFunction {
  /** Its place in the Config. */
  readonly index: number;
  readonly vmm: VmmTraits;
  readonly device: HostDevice;

  // What the guest sees (hw/pci/msix.c).
  enable: boolean;
  functionMask: boolean;
  /** Function Mask, or MSI-X off, as of the last write to Message Control (msix_function_masked). */
  allMasked: boolean;
  busMaster: boolean;
  /** Entries that are not as at the start. */
  readonly entries: VectorMap<Entry>;
  /** What an entry is that is not in `entries`: as programmed before the scenario, or as after a reset. */
  blank: 'programmed' | 'reset';
  /** Vectors whose mask bit is clear. */
  readonly unmasked: VectorSet;
  /** The emulated pending bits. */
  readonly pba: VectorSet;

  // What the VMM does about it (hw/vfio/pci.c).
  interrupt: 'none' | 'intx' | 'msix';
  readonly vectors: VectorMap<UsedVector>;
  /** Events that wait in the interrupt eventfds, by vector; none is 0. */
  readonly waiting: VectorMap<number>;
  /** One more than the highest vector used since MSI-X was enabled (nr_vectors). */
  vectorCount: number;
  /** Vectors with an event that came while they were masked. */
  readonly pending: VectorSet;
  /** Whether a read of the PBA shows the emulated bits; else it shows the function's own. */
  pbaShown: boolean;
  /** Whether masking and unmasking has the VMM do something (the vector notifiers are set). */
  notifies: boolean;

  // What the current step adds.
  /** Windows that the reaction has opened; null where there are none. */
  opened: Window[] | null;
  /** Vectors to look at for the next observation of the guest. */
  readonly touched: VectorSet;
}

/** All devices of one VMM. */
export interface Vmm {
  readonly functions: readonly VirtualFunction[];
  /** The eventfds of the VMM, whose signals it takes. */
  readonly eventfds: Eventfds;
  /** Messages of this step, as they came. */
  delivered: Delivered[] | null;
  /** What was asked of the host in this step, in order. */
  calls: VmmCall[] | null;
  /** Has the device raise what it was armed with for a window. Returns how many events that were. */
  readonly raiseArmed: (index: number, window: Window) => number;
}

/**
 * A device that the VMM has reset, MSI-X off and masked.
 * Source: msix_init, vfio_msix_early_setup, QEMU 7.2 and 10.0.
 */
export function initialVirtualFunction(index: number, vmm: VmmTraits, device: HostDevice): VirtualFunction {
  const touched = new VectorSet(null);
  return {
    index,
    vmm,
    device,
    enable: false,
    functionMask: false,
    allMasked: true,
    busMaster: true,
    entries: new VectorMap(),
    blank: 'programmed',
    unmasked: new VectorSet(touched),
    pba: new VectorSet(touched),
    interrupt: 'none',
    vectors: new VectorMap(),
    waiting: new VectorMap(),
    vectorCount: 0,
    pending: new VectorSet(null),
    pbaShown: vmm.allocation === 'all-at-enable',
    notifies: false,
    opened: null,
    touched,
  };
}

const MASKED = 1;

/** Source: PCIe 6.0, 7.7.2.5 to 7.7.2.8. */
export function entryOf({ index, entries, blank }: VirtualFunction, vector: number): Entry {
  const written = entries.get(vector);
  if (written !== undefined) return written;
  if (blank === 'reset') return { address: 0, high: 0, data: 0, control: MASKED };
  const { address, high, data } = firstMessage(index, vector);
  return { address, high, data, control: MASKED };
}

/** Whether the guest lets a vector interrupt it. Source: msix_is_masked, QEMU 7.2 and 10.0. */
export function isMasked({ allMasked, unmasked }: VirtualFunction, vector: number): boolean {
  return allMasked || !unmasked.has(vector);
}

/** The vectors whose mask bit is clear. Source: the loops over vectors of hw/pci/msix.c, QEMU 7.2 and 10.0. */
export function unmaskedAscending({ unmasked }: VirtualFunction): readonly number[] {
  return unmasked.ascending();
}

/** Vectors in use. Source: the loops over msi_vectors of hw/vfio/pci.c, QEMU 7.2 and 10.0. */
export function usedAscending({ vectors }: VirtualFunction): readonly number[] {
  return vectors.ascending();
}

/**
 * Whether the VMM can add a vector while others are in use: it asks NORESIZE once, when it starts, if it asks at all.
 * Source: vfio_msix_early_setup, QEMU 8.2 and later (45d85f6228).
 */
export function addsVectors({ vmm, device }: VirtualFunction): boolean {
  return vmm.allocation === 'as-irq-info-says' && device.addsVectors;
}

/** Shows the emulated pending bits, or the function's own. Source: msix_pba_mmio, QEMU 2.6 and later (95239e1625). */
export function showPba(vf: VirtualFunction, shown: boolean): void {
  if (vf.pbaShown === shown) return;
  vf.pbaShown = shown;
  vf.touched.addAll(vf.pba);
  vf.touched.addAll(vf.device.pendingVectors());
}
