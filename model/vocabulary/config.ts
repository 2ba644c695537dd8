/** What a profile stands for: a host, or a host with a VMM on top. */
export interface Platform {
  readonly host: HostTraits;
  /** Shows every device to a guest. Left out where the scenario itself is the user of vfio. */
  readonly vmm?: VmmTraits;
}

/**
 * The fixed facts of one machine: how its host and its VMM behave and which devices it has.
 * A scenario carries its Config, so it means the same on every system.
 */
export interface Config extends Platform {
  /** Left out where interrupts are remapped. Without, x86 has no MSI of more than one vector. */
  readonly interruptRemapping?: false;
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

/** What a VMM does where real ones differ. Rules ask these, never a version. */
export interface VmmTraits {
  /**
   * How the vectors of a guest come to have interrupts on the host.
   * `vector-0-first`: vector 0 when the guest enables MSI-X, further ones by tearing all down and setting up more.
   * `as-irq-info-says`: none at first; one by one where NORESIZE is clear, else by tearing down.
   * `all-at-enable`: the whole table when the guest enables MSI-X.
   */
  readonly allocation: 'vector-0-first' | 'as-irq-info-says' | 'all-at-enable';
  /** Who takes a vector's signals to the guest: the VMM's own event loop, or KVM. */
  readonly delivery: 'userspace' | 'irqfd';
}

/** A PCI function, passed through by vfio-pci. What it lacks is left out. */
export interface PciFunction {
  /** Size of the MSI-X table, 1 to 2048 vectors; 0 for a function without MSI-X. */
  readonly msixVectors: number;
  /** What the function does with an event while MSI-X is off: sets the pending bit, or forgets the event. */
  readonly whileOff: 'latches' | 'drops';
  /** Vectors of the MSI capability: 1, 2, 4, 8, 16 or 32, without per-vector masking. */
  readonly msiVectors?: number;
  /** Has an INTx pin that DisINTx turns off (PCI 2.3). */
  readonly intx?: true;
  /** PCI Express, and so an ERR index; else conventional PCI. */
  readonly express?: true;
  /** Can be reset alone. */
  readonly reset?: true;
  /** Has the power management capability, and so D3hot. */
  readonly powerManagement?: true;
  /** Has no events of its own that anyone could cause: nothing makes it raise. */
  readonly silent?: true;
}

/** The largest MSI-X table: the 11 bits of Table Size in Message Control (PCIe 6.0, 7.7.2.2). */
export const MSIX_VECTORS_MAX = 2048;

/** The sizes of an MSI capability (PCIe 6.0, 7.7.1.2, Multiple Message Capable). */
export const MSI_VECTORS: readonly number[] = [1, 2, 4, 8, 16, 32];
