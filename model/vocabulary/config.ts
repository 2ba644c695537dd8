/**
 * The fixed facts of one machine: how its host behaves and which devices it has.
 * A scenario carries its Config, so it means the same on every system.
 */
export interface Config {
  readonly host: HostTraits;
  /** At least one. Operations name a device by its place in this list. */
  readonly devices: readonly PciFunction[];
}

/** What a host's vfio-pci does where real kernels differ. Rules ask these, never a version. */
export interface HostTraits {
  /** A vector can be added while MSI-X is on; VFIO_IRQ_INFO_NORESIZE is then clear for MSI-X. */
  readonly dynamicMsix: boolean;
  /** When SET_IRQS meets a range that leaves the allocation: refuse it whole, or go vector by vector and find out. */
  readonly rangeCheck: 'whole-range-first' | 'vector-by-vector';
  /** An ERR or REQ eventfd below -1. */
  readonly belowMinusOne: 'ignored' | 'refused';
}

/** A PCI function with an MSI-X capability, passed through by vfio-pci. */
export interface PciFunction {
  /** Size of the MSI-X table, 1 to 2048 vectors. */
  readonly msixVectors: number;
  /** What the function does with an event while MSI-X is off: sets the pending bit, or forgets the event. */
  readonly whileOff: 'latches' | 'drops';
}

/** The largest MSI-X table: the 11 bits of Table Size in Message Control (PCIe 6.0, 7.7.2.2). */
export const MSIX_VECTORS_MAX = 2048;
