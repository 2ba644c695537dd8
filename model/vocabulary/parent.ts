/** Bits of the control word of an IMS entry (DSA 3.0, 9.2). The PASID is in the 20 bits from PASID_SHIFT on. */
export const IMS_MASK = 1;
/** Read only: the hardware has kept an interrupt while the entry was masked. */
export const IMS_PENDING = 2;
export const IMS_IGNORE = 4;
export const IMS_PASID_ENABLE = 8;
export const PASID_SHIFT = 12;

/** An IMS entry as it is now, and whose it is. A clean one without an owner: control IMS_MASK, data 0, no handle. */
export interface ImsEntry {
  /** Its index in the table. */
  readonly entry: number;
  /** IMS_MASK, IMS_PENDING, IMS_IGNORE, IMS_PASID_ENABLE, and the host PASID shifted by PASID_SHIFT: 32 bits. */
  readonly control: number;
  /** Message Data: the `hostIrq` it makes, or 0. */
  readonly data: number;
  /** Place in the Config of the mdev whose it is; -1 for nobody's. */
  readonly device: number;
  /** The vector it backs; -1 for none. */
  readonly vector: number;
  /** Whether descriptors may name it: a handle was requested and not revoked. Always false for `handles: 'index'`. */
  readonly handle: boolean;
}

/** A host PASID as it is now. */
export interface HostPasid {
  /** 1 or more. */
  readonly pasid: number;
  /** `free-pending`: given back while something still refers to it: it translates nothing and is nobody's to reuse. */
  readonly state: 'free' | 'active' | 'free-pending';
  /** The VM it belongs to; -1 for a free one. */
  readonly vm: number;
  /** The guest PASID it stands for; 0 for a default PASID and a free one. */
  readonly guest: number;
  /** One for whoever allocated it, and for each mdev that has it as default; one for each entry and each descriptor. */
  readonly references: number;
}

/** An mdev as it is now. */
export interface MdevState {
  /** Its place in the Config. */
  readonly device: number;
  readonly life: 'gone' | 'created' | 'open';
  /** The host PASID that marks its entries and descriptors where the guest names none; 0 while it is not attached. */
  readonly defaultPasid: number;
}

/** MSIX_PERM of one vector as the guest reads it. */
export interface MsixPerm {
  readonly device: number;
  readonly vector: number;
  /** IMS_IGNORE, IMS_PASID_ENABLE, and the guest PASID shifted by PASID_SHIFT: 32 bits. */
  readonly value: number;
}

/** A descriptor as it is now. */
export interface Descriptor {
  readonly descriptor: number;
  /** `over`: completed, refused or abandoned. */
  readonly phase: 'queued' | 'started' | 'over';
  /** The mdev it was submitted to; -1 when over. */
  readonly device: number;
  /** The host PASID it carries; 0 when over. */
  readonly pasid: number;
  /** The entry it was checked against; -1 before it is started, without completion interrupt, and when over. */
  readonly entry: number;
}

/**
 * What can be read of the parent of the mdevs without changing anything. Each list has what is not as the observation
 * before said, ascending by its number, or by device and then vector. Before the first observation every entry is clean
 * and nobody's, every PASID free, every mdev gone, every MSIX_PERM 0 and every descriptor over.
 */
export interface ParentObservation {
  readonly entries: readonly ImsEntry[];
  readonly pasids: readonly HostPasid[];
  readonly mdevs: readonly MdevState[];
  readonly perms: readonly MsixPerm[];
  readonly descriptors: readonly Descriptor[];
}
