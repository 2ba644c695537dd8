import type { PciFunction } from '#vocabulary';
import type { MdevConfig } from './mdev-config.ts';

/** What this scenario has asked of one mdev so far: a guess at its state, never knowledge of it. */
export interface MdevMemory {
  readonly pciFunction: PciFunction;
  /** Vectors of its table, 0 the driver's own. */
  readonly size: number;
  readonly vm: number;
  readonly viommu: boolean;
  /** Open descriptors. */
  descriptors: number;
  isGone: boolean;
  isAttached: boolean;
  /** MSI-X is set up by vfio, or turned on by the guest of a VMM. */
  isSetUp: boolean;
  /** Vectors with a trigger. */
  readonly armed: Set<number>;
  readonly unmasked: Set<number>;
  /** The guest PASID in MSIX_PERM, by vector; where it is disabled there is none. */
  readonly perms: Map<number, number>;
  /** The guest PASID that the entry of a vector may carry; 0 for the default one. */
  readonly carried: Map<number, number>;
  /** The handle that the guest was told, by vector. */
  readonly told: Map<number, number>;
}

/** A descriptor that was submitted and has not ended, as far as one can guess. */
export interface Flight {
  readonly device: number;
  readonly handle: number;
  /** The handle is looked at. */
  readonly rci: boolean;
  isStarted: boolean;
}

/** What this scenario has asked so far of a machine with mdevs. */
export interface ParentMemory {
  readonly config: MdevConfig;
  /** One per device, in the order of the Config. */
  readonly mdevs: readonly MdevMemory[];
  /** Whose each entry may be: a `place`, or NOBODY. */
  readonly entries: number[];
  /** Guest PASIDs that are bound, by VM. */
  readonly bound: Map<number, Set<number>>;
  /** By the number of the descriptor. */
  readonly inFlight: Map<number, Flight>;
}

export const NOBODY = -1;

/** A vector of an mdev in one number. */
export function placeOf(device: number, vector: number): number {
  return device * 0x1000 + vector;
}

export function deviceOfPlace(place: number): number {
  return Math.floor(place / 0x1000);
}

export function emptyParentMemory(config: MdevConfig): ParentMemory {
  return {
    config,
    mdevs: config.devices.map((pciFunction) => ({
      pciFunction,
      size: pciFunction.msixVectors,
      vm: pciFunction.mdev?.vm ?? 0,
      viommu: pciFunction.mdev?.viommu === true,
      descriptors: 1,
      isGone: false,
      isAttached: true,
      isSetUp: false,
      armed: new Set<number>(),
      unmasked: new Set<number>(),
      perms: new Map<number, number>(),
      carried: new Map<number, number>(),
      told: new Map<number, number>(),
    })),
    entries: Array<number>(config.parent.entries).fill(NOBODY),
    bound: new Map(config.devices.map(({ mdev }) => [mdev?.vm ?? 0, new Set<number>()])),
    inFlight: new Map(),
  };
}

export function mdevMemory(memory: ParentMemory, device: number): MdevMemory {
  return memory.mdevs[device] as MdevMemory;
}

/** The guest PASIDs that are bound in the VM of a device. */
export function boundIn(memory: ParentMemory, device: number): ReadonlySet<number> {
  return memory.bound.get(mdevMemory(memory, device).vm) ?? new Set();
}

/** How many PASIDs of the host may be in use. */
export function pasidsInUse({ config, mdevs, bound }: ParentMemory): number {
  const attached = mdevs.filter(({ isAttached }) => isAttached).map(({ vm }) => vm);
  const defaults = config.mdev.defaultPasid === 'per-mdev' ? attached.length : new Set(attached).size;
  return [...bound.values()].reduce((sum, { size }) => sum + size, defaults);
}

/** The index of a vector's entry, or undefined where it has none. */
export function entryOf({ entries }: ParentMemory, device: number, vector: number): number | undefined {
  const entry = entries.indexOf(placeOf(device, vector));
  return entry === NOBODY ? undefined : entry;
}

/** The lowest entry that is nobody's, or undefined where there is none. */
export function freeEntry({ entries }: ParentMemory): number | undefined {
  const entry = entries.indexOf(NOBODY);
  return entry === NOBODY ? undefined : entry;
}

/** The numbers of the descriptors that may be queued, or begun; ascending by submission. */
export function flights({ inFlight }: ParentMemory, isWanted: (flight: Flight) => boolean = isAny): number[] {
  const wanted: number[] = [];
  inFlight.forEach((flight, descriptor) => {
    if (isWanted(flight)) wanted.push(descriptor);
  });
  return wanted;
}

function isAny(): boolean {
  return true;
}
