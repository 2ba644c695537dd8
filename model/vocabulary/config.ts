/** What a profile stands for: a host, or a host with a VMM on top. */
export interface Platform {
  readonly host: HostTraits;
  /** How the driver of its mediated devices behaves. Left out where the devices are passed through by vfio-pci. */
  readonly mdev?: MdevTraits;
  /** Shows every device to a guest. Left out where the scenario itself is the user of vfio. */
  readonly vmm?: VmmTraits;
}

/** A platform whose devices a VMM shows to a guest. */
export type GuestPlatform = Platform & Required<Pick<Platform, 'vmm'>>;

/**
 * The fixed facts of one machine: how its host and its VMM behave and which devices it has.
 * A scenario carries its Config, so it means the same on every system.
 */
export interface Config extends Platform {
  /** Left out where interrupts are remapped. Without, x86 has no MSI of more than one vector. */
  readonly interruptRemapping?: false;
  /** What the mediated devices share. Given where the platform has `mdev`, and then every device is one. */
  readonly parent?: Parent;
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

/** What a driver of mediated devices does where published ones differ. Rules ask these, never a version. */
export interface MdevTraits {
  /**
   * When an IMS entry becomes a vector's. `per-vector`: with its trigger, until it loses that. `all-closed`,
   * `all-default`: all at the first trigger, until MSI-X is disabled; closed, or with the default PASID.
   */
  readonly allocation: 'per-vector' | 'all-closed' | 'all-default';
  /**
   * When a written MSIX_PERM reaches the entry: when the vector gets a trigger (again); also when it is unmasked; or
   * at once, and then bindPasid and freePasid do too.
   */
  readonly permSync: 'atEnable' | 'atUnmask' | 'immediate';
  /** What becomes of a vector whose MSIX_PERM names a guest PASID that is not bound. */
  readonly noTranslation: 'fail' | 'closed' | 'default';
  readonly defaultPasid: 'per-mdev' | 'per-domain';
  /** What Release Interrupt Handle takes: the handle (DSA before 1.2), or the vector. */
  readonly releaseBy: 'handle' | 'index';
}

/** The device that mediated devices are parts of: one IMS table and one space of PASIDs for all of them. */
export interface Parent {
  /** Size of the IMS table, 1 to IMS_ENTRIES_MAX. */
  readonly entries: number;
  /** The highest PASID, 1 to PASID_MAX. */
  readonly pasids: number;
  /** The most entries that one mdev may have. */
  readonly quota: number;
  /** What a descriptor may name: a handle that was requested, or any index in the table. */
  readonly handles: 'requested' | 'index';
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
  /**
   * A mediated device. Vector 0 is the driver's own, each other one is backed by an IMS entry. It drops events while
   * MSI-X is off, can be reset, and has neither MSI nor INTx.
   */
  readonly mdev?: MdevFacts;
}

/** What is given of a mediated device beside its vectors. */
export interface MdevFacts {
  /** The VM that it belongs to, by a number of its own. */
  readonly vm: number;
  /** Its VM has a virtual IOMMU, and so PASIDs of its own. */
  readonly viommu?: true;
}

/** The largest MSI-X table: the 11 bits of Table Size in Message Control (PCIe 6.0, 7.7.2.2). */
export const MSIX_VECTORS_MAX = 2048;

/** The largest IMS table: handles have 16 bits (DSA 3.0, 9.2). */
export const IMS_ENTRIES_MAX = 65536;

/** The sizes of an MSI capability (PCIe 6.0, 7.7.1.2, Multiple Message Capable). */
export const MSI_VECTORS: readonly number[] = [1, 2, 4, 8, 16, 32];
