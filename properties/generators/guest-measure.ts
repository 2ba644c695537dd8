import type { Config, GuestOperation, Operation, OperationKind, Scenario } from '#vocabulary';

/** The widths of a write, the plainest first. */
const PLAIN_WIDTHS: readonly number[] = [4, 8, 2, 1];

/** The numbers of an operation that are neither vectors nor places. */
export function guestValues(operation: GuestOperation): number {
  switch (operation.kind) {
    case 'guest.configWrite':
      return operation.value;
    case 'guest.tableWrite':
      return operation.value + (operation.high ?? 0);
    case 'guest.msixControl':
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.busMaster':
    case 'guest.reset':
      return 0;
  }
}

/** What is not as in the plainest operation of its kind; a plain write stands before one that names its bytes. */
export function guestOddity(operation: GuestOperation): number {
  switch (operation.kind) {
    case 'guest.msixControl':
      return (operation.enable ? 0 : 1) + (operation.functionMask ? 1 : 0);
    case 'guest.configWrite':
      return 2 + PLAIN_WIDTHS.indexOf(operation.width) + operation.offset;
    case 'guest.tableWrite': {
      const { offset, width, high } = operation;
      return 2 + PLAIN_WIDTHS.indexOf(width) + placeOddity(offset) + (high === undefined ? 0 : 1);
    }
    case 'guest.tableRead':
      return placeOddity(operation.offset);
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
    case 'guest.busMaster':
      return 0;
    case 'guest.reset':
      return 2;
  }
}

function placeOddity(offset: number): number {
  return offset % 4 === 0 ? offset / 4 : 4 + offset;
}

/** Pairs of operations that do not stand as a reader expects them. None where the user of vfio alone is to be seen. */
export function disorder({ config, operations }: Scenario): number {
  if (!isRanked(config)) return 0;
  // How many operations of each rank came before: as many pairs as with each of them, and quickly so.
  const met = Array<number>(RANKS).fill(0);
  let pairs = 0;
  for (const operation of operations) {
    const own = rank(operation);
    for (let above = own + 1; above < RANKS; above++) pairs += met[above] ?? 0;
    met[own] = (met[own] ?? 0) + 1;
  }
  return pairs;
}

/** Whether the order of operations that could as well stand in another says something. */
export function isRanked({ mdev, vmm }: Config): boolean {
  return vmm !== undefined || mdev !== undefined;
}

/**
 * What is about more comes first, where the order does not matter: the host, the device, MSI-X, a PASID, a vector; then
 * what becomes of a descriptor.
 */
const RANKED: Partial<Record<OperationKind, number>> = {
  'guest.busMaster': 1,
  'guest.msixControl': 2,
  'guest.bindPasid': 3,
  'guest.msixPerm': 4,
  'guest.submit': 6,
  'device.start': 7,
  'device.complete': 8,
};

/** The place of what is not in the table, and how many places there are. */
const ORDINARY = 5;
const RANKS = 9;

export function rank({ kind }: Operation): number {
  return kind.startsWith('host.') ? 0 : (RANKED[kind] ?? ORDINARY);
}
