import { Heap } from 'mnemonist';
import { TypedFastBitSet } from 'typedfastbitset';
import { NumberSet } from '../../impl/optimised/number-set.ts';

/** Slots of which the lowest free one is allocated, and given back. All are free to begin with. */
export interface Allocator {
  /** The lowest free slot, which is taken from then on. */
  allocate(): number;
  /** Gives a slot back that is taken. */
  free(slot: number): void;
}

export interface NamedAllocator {
  readonly name: string;
  /** The largest table for which a turn ends within a second or so. */
  readonly slotsMax: number;
  readonly make: (slots: number) => Allocator;
}

/** Ours, which is what the IMS table of the optimised implementation allocates its entries from. */
export const OURS: NamedAllocator = {
  name: 'optimised',
  slotsMax: 1 << 20,
  make: (slots) => {
    const free = new NumberSet(slots);
    for (let slot = 0; slot < slots; slot += 1) free.add(slot);
    return {
      allocate: () => free.takeSmallest(),
      free: (slot) => free.add(slot),
    };
  },
};

/** What people would use instead. */
export const PEERS: readonly NamedAllocator[] = [
  {
    name: 'naive (Uint8Array.indexOf)',
    slotsMax: 2048,
    make: (slots) => {
      const taken = new Uint8Array(slots);
      return {
        allocate: () => {
          const slot = taken.indexOf(0);
          taken[slot] = 1;
          return slot;
        },
        free: (slot) => {
          taken[slot] = 0;
        },
      };
    },
  },
  {
    name: 'Map, looked through',
    slotsMax: 2048,
    make: (slots) => {
      const taken = new Map<number, true>();
      return {
        allocate: () => {
          let slot = 0;
          while (slot < slots && taken.has(slot)) slot += 1;
          taken.set(slot, true);
          return slot;
        },
        free: (slot) => void taken.delete(slot),
      };
    },
  },
  {
    name: 'mnemonist Heap',
    slotsMax: 1 << 20,
    make: (slots) => {
      const free = Heap.from(
        Array.from({ length: slots }, (_, slot) => slot),
        (left: number, right: number) => left - right,
      );
      return { allocate: () => free.pop() ?? -1, free: (slot) => void free.push(slot) };
    },
  },
  {
    name: 'typedfastbitset',
    slotsMax: 2048,
    make: (slots) => {
      const free = new TypedFastBitSet();
      for (let slot = 0; slot < slots; slot += 1) free.add(slot);
      return {
        allocate: () => {
          const { value } = free[Symbol.iterator]().next();
          const slot: number = value ?? -1;
          free.remove(slot);
          return slot;
        },
        free: (slot) => free.add(slot),
      };
    },
  },
];
