import type { Window } from './window.ts';

/**
 * What is asked of a mediated device (mdev) whose vectors are backed by Interrupt Message Storage. A guest reaches the
 * mdev driver through trapped registers, so a `guest.` operation here is the same with a VMM and without.
 * On an mdev that is not open every `guest.` operation is EBADF: no guest has it.
 */

/** Writes MSIX_PERM of a vector: 32 bits, of which PASID, PASID Enable and Ignore are kept (DSA 3.0, 9.2). */
export interface GuestMsixPerm {
  readonly kind: 'guest.msixPerm';
  readonly device: number;
  readonly vector: number;
  readonly pasidEnable: boolean;
  /** A guest PASID, 20 bits. */
  readonly pasid: number;
  /** Completions of the vector make no interrupt. */
  readonly ignore: boolean;
}

/** The guest sets up a PASID in its virtual IOMMU, and the host binds one of its own to it. */
export interface GuestBindPasid {
  readonly kind: 'guest.bindPasid';
  readonly device: number;
  /** Any 32-bit unsigned number; a guest PASID has 20 bits, and 0 is none. */
  readonly pasid: number;
}

/** The guest gives a PASID back. It always succeeds. */
export interface GuestFreePasid {
  readonly kind: 'guest.freePasid';
  readonly device: number;
  /** Any 32-bit unsigned number. */
  readonly pasid: number;
}

/** The virtual command Request Interrupt Handle (DSA 3.0, 5.8). Its value is the handle. */
export interface GuestRequestHandle {
  readonly kind: 'guest.requestHandle';
  readonly device: number;
  /** Index in the MSI-X table that the guest sees. */
  readonly vector: number;
  /** Asks for a handle of the IMS table, which a virtual device does not have. */
  readonly ims?: true;
}

/** The virtual command Release Interrupt Handle (DSA 3.0, 5.8). */
export interface GuestReleaseHandle {
  readonly kind: 'guest.releaseHandle';
  readonly device: number;
  /** A vector or a handle, 16 bits: `MdevTraits.releaseBy` says which. */
  readonly operand: number;
}

/** The guest submits a descriptor that asks for a completion interrupt, to a queue of its mdev. */
export interface GuestSubmit {
  readonly kind: 'guest.submit';
  readonly device: number;
  /** What the scenario calls it from here on. One that is in flight is EBUSY. */
  readonly descriptor: number;
  /** `dedicated`: carries the default PASID of the mdev. `shared`: carries what `pasid` is translated to (ENQCMD). */
  readonly queue: 'dedicated' | 'shared';
  /** A guest PASID, 20 bits; not looked at by the dedicated queue. */
  readonly pasid: number;
  /** 16 bits, whatever the guest likes. */
  readonly handle: number;
  /** Request Completion Interrupt; true when left out. Without, the handle is not looked at. */
  readonly rci?: false;
}

/** The hardware begins with a descriptor: handle and PASID are checked now. One that is not queued is EINVAL. */
export interface DeviceStart {
  readonly kind: 'device.start';
  readonly descriptor: number;
}

/** The hardware ends a descriptor that it has begun: its interrupt is made now. One that is not begun is EINVAL. */
export interface DeviceComplete {
  readonly kind: 'device.complete';
  readonly descriptor: number;
}

/**
 * The hardware will begin and end a descriptor, as far as it has not, during the next `guest.` operation on the mdev:
 * in the window if the VMM's reaction opens it, else right after the operation.
 */
export interface DeviceArmDescriptor {
  readonly kind: 'device.armDescriptor';
  readonly device: number;
  readonly descriptor: number;
  readonly window: Window;
}

/** The parent makes the mdev. */
export interface HostCreateMdev {
  readonly kind: 'host.createMdev';
  readonly device: number;
}

/** The parent removes the mdev, in whatever state it is. */
export interface HostRemoveMdev {
  readonly kind: 'host.removeMdev';
  readonly device: number;
}

/** The mdev is attached to the IOMMU domain of its VM, and has a default PASID from then on. */
export interface HostAttach {
  readonly kind: 'host.attach';
  readonly device: number;
}

export interface HostDetach {
  readonly kind: 'host.detach';
  readonly device: number;
}

/** The VMM of a VM dies: every mdev of it is closed and detached, and nobody has disabled anything. */
export interface HostCrash {
  readonly kind: 'host.crash';
  readonly vm: number;
}

/** What a guest asks of the mdev driver. */
export type GuestMdevOperation =
  | GuestMsixPerm
  | GuestBindPasid
  | GuestFreePasid
  | GuestRequestHandle
  | GuestReleaseHandle
  | GuestSubmit;

export type MdevOperation =
  | GuestMdevOperation
  | DeviceStart
  | DeviceComplete
  | DeviceArmDescriptor
  | HostCreateMdev
  | HostRemoveMdev
  | HostAttach
  | HostDetach
  | HostCrash;

/** The largest PASID: 20 bits. */
export const PASID_MAX = 0xfffff;

/** What the message of an IMS entry says: which interrupt of the host it is. It is made for one vector of one mdev. */
export function hostIrq(device: number, vector: number): number {
  return 0x100 + device * 0x800 + vector;
}
