import type { Parent, PciFunction } from '#vocabulary';

/** Mediated devices and what they share. Where a script does not say how handles are named, it is said of both ways. */
export interface MdevMachine {
  readonly parent: Omit<Parent, 'handles'> & Partial<Pick<Parent, 'handles'>>;
  readonly devices: readonly PciFunction[];
}

/** A virtual function with a virtual IOMMU in front of it. */
export function mdev(vectors: number, vm: number): PciFunction {
  return { msixVectors: vectors, whileOff: 'drops', reset: true, mdev: { vm, viommu: true } };
}

/** Few entries and few PASIDs, so that a number that is given back is soon another's. */
const SMALL: MdevMachine['parent'] = { entries: 4, pasids: 7, quota: 4 };

/** A of VM 0 and B of VM 1, each with vector 0 and one completion vector. Their default PASIDs are 1 and 2. */
export const A_AND_B: MdevMachine = { parent: SMALL, devices: [mdev(2, 0), mdev(2, 1)] };

/** The same with two completion vectors in A. */
export const A3_AND_B: MdevMachine = { parent: SMALL, devices: [mdev(3, 0), mdev(2, 1)] };

/** The same with three. */
export const A4_AND_B: MdevMachine = { parent: SMALL, devices: [mdev(4, 0), mdev(2, 1)] };

/** A and B, and two entries for both. */
const SCARCE: MdevMachine['parent'] = { ...SMALL, entries: 2 };
export const TWO_ENTRIES: MdevMachine = { parent: SCARCE, devices: [mdev(2, 0), mdev(2, 1)] };

/** The same with three completion vectors in A, and with two in B. */
export const TWO_ENTRIES_A4: MdevMachine = { parent: SCARCE, devices: [mdev(4, 0), mdev(2, 1)] };
export const TWO_ENTRIES_B3: MdevMachine = { parent: SCARCE, devices: [mdev(2, 0), mdev(3, 1)] };

/** A without a virtual IOMMU. */
export const NO_VIOMMU: MdevMachine = {
  parent: SMALL,
  devices: [{ msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm: 0 } }, mdev(2, 1)],
};

/** A and B, both of VM 0. */
export const ONE_VM: MdevMachine = { parent: SMALL, devices: [mdev(2, 0), mdev(2, 0)] };

/** A with vectors whose numbers have nine bits, and so have the indices of their entries. */
export const WIDE: MdevMachine = {
  parent: { entries: 300, pasids: 7, quota: 300 },
  devices: [mdev(258, 0), mdev(2, 1)],
};
