/**
 * What a guest does to a device that a VMM shows it. All accesses are little-endian and none of them fails: what has
 * no effect has none. A vector beyond the table is EINVAL, as there is nothing to access.
 */

/** Writes Message Control of the MSI-X capability: 16 bits, Enable and Function Mask as given, the rest 0. */
export interface GuestMsixControl {
  readonly kind: 'guest.msixControl';
  readonly device: number;
  readonly enable: boolean;
  readonly functionMask: boolean;
}

/** Writes bytes of configuration space from some byte of the MSI-X capability on, which has 12. */
export interface GuestConfigWrite {
  readonly kind: 'guest.configWrite';
  readonly device: number;
  /** 0 to 11 bytes. Message Control is bytes 2 and 3. */
  readonly offset: number;
  /** 1, 2 or 4 bytes; those behind the capability are not its own. */
  readonly width: number;
  /** 32 bits, of which the low `width` bytes are written. */
  readonly value: number;
}

/** Writes 1 to Vector Control of an entry: 32 bits, so the reserved bits become 0. */
export interface GuestMask {
  readonly kind: 'guest.mask';
  readonly device: number;
  readonly vector: number;
}

/** Writes 0 to Vector Control of an entry: 32 bits. */
export interface GuestUnmask {
  readonly kind: 'guest.unmask';
  readonly device: number;
  readonly vector: number;
}

/** Writes bytes of the MSI-X table from some byte of an entry on; they may end in the next entry. */
export interface GuestTableWrite {
  readonly kind: 'guest.tableWrite';
  readonly device: number;
  readonly vector: number;
  /** 0 to 15 bytes: Message Address, Message Upper Address, Message Data and Vector Control, 4 bytes each. */
  readonly offset: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly width: number;
  /** 32 bits, of which the low `width` bytes are written. */
  readonly value: number;
  /** The upper 32 bits of an 8-byte write; 0 when left out. */
  readonly high?: number;
}

/** Reads 32 bits of an entry of the MSI-X table. */
export interface GuestTableRead {
  readonly kind: 'guest.tableRead';
  readonly device: number;
  readonly vector: number;
  /** 0, 4, 8 or 12 bytes. */
  readonly offset: number;
}

/** Reads the 32 bits of the PBA in which the vector's is. */
export interface GuestReadPba {
  readonly kind: 'guest.readPba';
  readonly device: number;
  readonly vector: number;
}

/** Writes Bus Master Enable of Command. */
export interface GuestBusMaster {
  readonly kind: 'guest.busMaster';
  readonly device: number;
  readonly enable: boolean;
}

/**
 * The device is reset by the machine it is in, as by a reset of the whole system. Its table is masked and empty
 * afterwards, and its bus master is off.
 */
export interface GuestReset {
  readonly kind: 'guest.reset';
  readonly device: number;
}

export type GuestOperation =
  | GuestMsixControl
  | GuestConfigWrite
  | GuestMask
  | GuestUnmask
  | GuestTableWrite
  | GuestTableRead
  | GuestReadPba
  | GuestBusMaster
  | GuestReset;

/** Bytes of the MSI-X capability (PCIe 6.0, 7.7.2). */
export const MSIX_CAPABILITY_BYTES = 12;
/** Bytes of an entry of the MSI-X table (PCIe 6.0, 7.7.2). */
export const MSIX_ENTRY_BYTES = 16;

/** The widths in bytes of a write to configuration space, and of one to the table. */
export const CONFIG_WIDTHS: readonly number[] = [1, 2, 4];
export const TABLE_WIDTHS: readonly number[] = [1, 2, 4, 8];

/** The message of an MSI-X entry: what the function writes, and where. Three numbers of 32 bits. */
export interface Message {
  readonly address: number;
  /** The upper 32 bits of the address. */
  readonly high: number;
  readonly data: number;
}

/**
 * The message that the guest has given a vector before the scenario begins: each has its own, in the second mebibyte
 * of memory. After `guest.reset` every message is 0.
 */
export function firstMessage(device: number, vector: number): Message {
  return { address: 0x100000 + device * 0x10000 + vector * 4, high: 0, data: 0x4000 + vector };
}
