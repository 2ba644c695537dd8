import type { Config, Event, MdevFacts, MdevTraits, Parent } from '#vocabulary';
import { VectorSet } from '../vector-set.ts';
import type { Eventfd, Eventfds } from '../vfio/eventfd.ts';
import { noEventfds } from '../vfio/eventfd.ts';
import { StateMap } from './state-map.ts';

/** An IMS entry that somebody has. The others are clean: masked, closed, without a message. */
export interface Entry {
  readonly device: number;
  readonly vector: number;
  readonly mask: boolean;
  readonly pending: boolean;
  readonly ignore: boolean;
  /** The host PASID that it checks; 0 while PASID Enable is off, and nothing passes. */
  readonly pasid: number;
  /** Message Data; 0 while no irq of the host is requested. */
  readonly data: number;
  /** Whether a handle leads to it. */
  readonly handle: boolean;
}

/** MSIX_PERM of a vector, as the guest wrote it. */
export interface Perm {
  readonly pasidEnable: boolean;
  readonly pasid: number;
  readonly ignore: boolean;
}

/** A vector as the driver shows it to the guest, and what is behind it. */
export interface Vector {
  readonly perm: Perm;
  /** The mask bit of the entry in the table that the guest sees. */
  readonly masked: boolean;
  /** The driver has kept an interrupt for the guest. */
  readonly pending: boolean;
  readonly trigger: Eventfd | null;
  /** The IMS entry that backs it. */
  readonly entry: number | null;
  /** The handle that the guest was told, and has not released. */
  readonly told: number | null;
}

/** One mediated device. */
export interface Mdev {
  /** Its place in the Config. */
  readonly index: number;
  readonly facts: MdevFacts;
  gone: boolean;
  /** Open descriptors. */
  descriptors: number;
  /** 0 while it is not attached. */
  defaultPasid: number;
  /** MSI-X is set up: SET_IRQS has given it triggers since it was disabled. */
  setUp: boolean;
  readonly vectors: Vector[];
  /** Vectors to look at for the next observation. */
  readonly touched: VectorSet;
}

/** A host PASID that is not free. */
export interface PasidState {
  readonly vm: number;
  /** The guest PASID that it stands for; 0 for a default one. */
  readonly guest: number;
  /** Whoever allocated it, and the mdevs that have it as default. None: it is free-pending. */
  readonly holders: number;
  /** Entries and descriptors that carry it. */
  readonly users: number;
}

/** A descriptor in flight. */
export interface Work {
  readonly device: number;
  /** The host PASID it carries. */
  readonly pasid: number;
  /** What the guest calls it: 0 for its default one. */
  readonly guestPasid: number;
  readonly handle: number;
  readonly rci: boolean;
  readonly started: boolean;
  /** The entry it was checked against. */
  readonly entry: number | null;
}

/**
 * A device with IMS and all mdevs on it, their driver included. What is in the maps and lists never changes, it is
 * replaced: so a state is copied by copying those.
 */
export interface ParentState {
  readonly hardware: Parent;
  readonly driver: MdevTraits;
  /** A vector can be added while others have triggers. */
  readonly dynamic: boolean;
  /** The table that the guest sees is the VMM's, and the driver never hears of its masks. */
  readonly tableHidden: boolean;
  readonly entries: StateMap<Entry>;
  readonly pasids: StateMap<PasidState>;
  /** Host PASIDs by VM and guest PASID. */
  readonly bindings: Map<number, ReadonlyMap<number, number>>;
  readonly mdevs: Mdev[];
  readonly work: StateMap<Work>;
  readonly eventfds: Eventfds;
  /** The request of an irq from now on that fails, once; 0 when none does. */
  failing: number;
  /** What happened in the current step; null where nothing did. */
  events: Event[] | null;
}

const NO_PERM: Perm = { pasidEnable: false, pasid: 0, ignore: false };

/** Source: DSA 3.0, 9.2: MSIX_PERM is 0 after any reset; PCIe 6.0, 7.7.2.4: an entry is masked. */
export function freshVector(tableHidden: boolean): Vector {
  return { perm: NO_PERM, masked: !tableHidden, pending: false, trigger: null, entry: null, told: null };
}

/** A parent without mdevs: those of the Config are still to be created. Source: ours, where a scenario starts. */
export function initialParent(config: Config, hardware: Parent, driver: MdevTraits): ParentState {
  const tableHidden = config.vmm !== undefined;
  return {
    hardware,
    driver,
    dynamic: config.host.dynamicMsix,
    tableHidden,
    entries: new StateMap(),
    pasids: new StateMap(),
    bindings: new Map(),
    mdevs: config.devices.map(({ msixVectors, mdev }, index): Mdev => {
      if (mdev === undefined) throw new Error(`device ${index} is no mediated device`);
      const vectors = Array.from({ length: msixVectors }, () => freshVector(tableHidden));
      const touched = new VectorSet(null);
      return { index, facts: mdev, gone: true, descriptors: 0, defaultPasid: 0, setUp: false, vectors, touched };
    }),
    work: new StateMap(),
    eventfds: noEventfds(),
    failing: 0,
    events: null,
  };
}

/** The mdev at a place of the Config. Source: ours, how operations name devices. */
export function mdevAt(parent: ParentState, index: number): Mdev {
  const mdev = parent.mdevs[index];
  if (mdev === undefined) throw new Error(`the Config has no device ${index}`);
  return mdev;
}

/** Source: ours, how operations name vectors. */
export function vectorAt(mdev: Mdev, vector: number): Vector {
  const found = mdev.vectors[vector];
  if (found === undefined) throw new Error(`device ${mdev.index} has no vector ${vector}`);
  return found;
}

/** An entry that somebody has. Source: ours. */
export function entryAt(parent: ParentState, index: number): Entry {
  const entry = parent.entries.get(index);
  if (entry === undefined) throw new Error(`nobody has entry ${index}`);
  return entry;
}

/** Source: ours: states are replaced, not changed. Fields are written out: copies by spread may differ in shape. */
export function setVectorState(mdev: Mdev, vector: number, change: Partial<Vector>): void {
  const before = vectorAt(mdev, vector);
  const { perm = before.perm, masked = before.masked, pending = before.pending } = change;
  const { trigger = before.trigger, entry = before.entry, told = before.told } = change;
  replaceVector(mdev, vector, { perm, masked, pending, trigger, entry, told });
}

/** Source: ours: states are replaced, not changed. */
export function replaceVector(mdev: Mdev, vector: number, state: Vector): void {
  mdev.touched.add(vector);
  mdev.vectors[vector] = state;
}

/** Source: ours: states are replaced, not changed. */
export function setEntry(parent: ParentState, index: number, change: Partial<Entry>): void {
  const before = entryAt(parent, index);
  const { device = before.device, vector = before.vector, mask = before.mask, pending = before.pending } = change;
  const { ignore = before.ignore, pasid = before.pasid, data = before.data, handle = before.handle } = change;
  parent.entries.set(index, { device, vector, mask, pending, ignore, pasid, data, handle });
  // What is pending there shows in the vector.
  mdevAt(parent, device).touched.add(vector);
}

/** The mdevs of a VM, in the order of the Config. Source: ours. */
export function mdevsOf(parent: ParentState, vm: number): readonly Mdev[] {
  return parent.mdevs.filter(({ facts }) => facts.vm === vm);
}

/** All vectors but vector 0: each is backed by an entry. Source: vidxd_setup_ims_entries, idxd drivers of 2020. */
export function imsVectors({ vectors }: Mdev): readonly number[] {
  return vectors.map((_, vector) => vector).slice(1);
}
