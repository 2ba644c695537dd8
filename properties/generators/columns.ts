import type {
  Config,
  DataElement,
  GuestTableWrite,
  Operation,
  PciFunction,
  Scenario,
  Support,
  VfioSetIrqs,
} from '#vocabulary';
import {
  isEventfdName,
  MSI_VECTORS,
  MSIX_ENTRY_BYTES,
  MSIX_VECTORS_MAX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { isSupportedConfig } from './pci-function.ts';
import { resized } from './simplify.ts';

/** Vectors that a scenario could as well not have. */
interface Columns {
  readonly device: number;
  readonly first: number;
  readonly count: number;
}

/**
 * The scenario without some of its vectors, as though the table had never had them: ranges close up, their data loses
 * the elements, higher vectors move down, all operations together, those of MSI and MSI-X alike. So what must stay in
 * step does: a range and the raise of its second vector, the end of one range and the beginning of the next.
 * Each candidate drops vectors between two neighbouring places at which anything begins, ends or changes; highest
 * first.
 */
export function* withoutVectors(scenario: Scenario, support: Support): Generator<Scenario> {
  for (let device = 0; device < scenario.config.devices.length; device++) {
    const places = findPlaces(scenario, device);
    for (let place = places.length - 2; place >= 0; place--) {
      const first = places[place] as number;
      const gap = (places[place + 1] as number) - first;
      for (const count of gapCounts(gap, scenario.config.devices[device] as PciFunction, support)) {
        // All but the first of a gap: what begins there still does.
        yield withoutColumns(scenario, support, { device, first: count < gap ? first + 1 : first, count });
      }
    }
  }
}

/** How many vectors to drop of a gap, each once: all, all but one, half, one; as many as a smaller table has less. */
function gapCounts(gap: number, pciFunction: PciFunction, { functions }: Support): number[] {
  const { msiVectors = 0 } = pciFunction;
  const excesses =
    functions === 'any'
      ? MSI_VECTORS.map((vectors) => msiVectors - vectors)
      : functions.map((other) => sizeOf(pciFunction) - sizeOf(other));
  const counts = new Set([gap, gap - 1, gap >> 1, 1, ...excesses]);
  return [...counts].filter((count) => count > 0 && count <= gap);
}

/** Ascending, each once: 0, the vectors and the ends of ranges, where data changes its kind, the ends of the tables. */
function findPlaces({ config, operations }: Scenario, device: number): number[] {
  const { msixVectors, msiVectors = 0 } = config.devices[device] as PciFunction;
  const places = new Set([0, msixVectors, msiVectors]);
  for (const operation of operations) {
    if (!('device' in operation) || operation.device !== device) continue;
    switch (operation.kind) {
      case 'vfio.setIrqs':
        if (isRange(operation)) addRange(places, operation);
        break;
      case 'vfio.tableRead':
      case 'vfio.tableWrite':
      case 'vfio.pbaRead':
      case 'device.raise':
      case 'device.arm':
      case 'guest.mask':
      case 'guest.unmask':
      case 'guest.tableRead':
      case 'guest.readPba':
      case 'guest.msixPerm':
      case 'guest.requestHandle':
        places.add(operation.vector);
        break;
      case 'guest.releaseHandle':
        if (releasesVector(config)) places.add(operation.operand);
        break;
      case 'guest.tableWrite':
        places.add(operation.vector).add(lastEntry(operation));
        break;
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.reset':
      case 'vfio.configWrite':
      case 'vfio.configRead':
      case 'vfio.mapBar':
      case 'vfio.unmapBar':
      case 'device.assertIntx':
      case 'device.deassertIntx':
      case 'device.wipe':
      case 'guest.msixControl':
      case 'guest.configWrite':
      case 'guest.busMaster':
      case 'guest.reset':
      case 'guest.bindPasid':
      case 'guest.freePasid':
      case 'guest.submit':
      case 'device.armDescriptor':
      case 'host.createMdev':
      case 'host.removeMdev':
      case 'host.attach':
      case 'host.detach':
        break;
    }
  }
  return [...places].sort((left, right) => left - right);
}

/** Whether Release Interrupt Handle names a vector. */
function releasesVector({ mdev }: Config): boolean {
  return mdev?.releaseBy === 'index';
}

/** The entry that a write ends in: the vector's own, or the next one. */
function lastEntry({ vector, offset, width }: GuestTableWrite): number {
  return offset + width > MSIX_ENTRY_BYTES ? vector + 1 : vector;
}

function addRange(places: Set<number>, { start, count, data }: VfioSetIrqs): void {
  places.add(start).add(start + count);
  for (let place = 1; place < data.length; place++) {
    if (!isAlike(data[place - 1] as DataElement, data[place] as DataElement)) places.add(start + place);
  }
}

function isAlike(left: DataElement, right: DataElement): boolean {
  return left === right || (isEventfdName(left) && isEventfdName(right));
}

/** About vectors of a table; numbers that only mean to be too large keep their value. */
function isRange({ index, start, count }: VfioSetIrqs): boolean {
  const isOfVectors = index === VFIO_PCI_MSIX_IRQ_INDEX || index === VFIO_PCI_MSI_IRQ_INDEX;
  return isOfVectors && start + count <= 2 * MSIX_VECTORS_MAX;
}

function withoutColumns({ config, operations }: Scenario, support: Support, columns: Columns): Scenario {
  return {
    config: withSmallerTable(config, support, columns),
    operations: operations.map((operation) =>
      'device' in operation && operation.device === columns.device
        ? withoutColumnsInOperation(operation, columns, releasesVector(config))
        : operation,
    ),
  };
}

/** Smaller tables, where there are such; else those that were. */
function withSmallerTable(config: Config, support: Support, columns: Columns): Config {
  const pciFunction = config.devices[columns.device] as PciFunction;
  const smaller = { ...config, devices: config.devices.with(columns.device, smallerFunction(pciFunction, columns)) };
  return isSupportedConfig(smaller, support) ? smaller : config;
}

function smallerFunction(pciFunction: PciFunction, columns: Columns): PciFunction {
  const msiVectors = moved(pciFunction.msiVectors ?? 0, columns);
  return {
    ...pciFunction,
    msixVectors: Math.max(Math.min(1, pciFunction.msixVectors), moved(pciFunction.msixVectors, columns)),
    ...(MSI_VECTORS.includes(msiVectors) ? { msiVectors } : {}),
  };
}

function withoutColumnsInOperation(operation: Operation, columns: Columns, isByVector: boolean): Operation {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return isRange(operation) ? withoutColumnsInRange(operation, columns) : operation;
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'device.raise':
    case 'device.arm':
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.tableWrite':
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.msixPerm':
    case 'guest.requestHandle':
      return { ...operation, vector: moved(operation.vector, columns) };
    case 'guest.releaseHandle':
      return isByVector ? { ...operation, operand: moved(operation.operand, columns) } : operation;
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.reset':
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
    case 'host.limitVectors':
    case 'host.failAllocation':
    case 'guest.msixControl':
    case 'guest.configWrite':
    case 'guest.busMaster':
    case 'guest.reset':
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.submit':
    case 'device.start':
    case 'device.complete':
    case 'device.armDescriptor':
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
    case 'host.crash':
      return operation;
  }
}

function withoutColumnsInRange(operation: VfioSetIrqs, columns: Columns): VfioSetIrqs {
  const { first, count } = columns;
  const start = moved(operation.start, columns);
  const data = operation.data.filter((_, place) => {
    const vector = operation.start + place;
    return vector < first || vector >= first + count;
  });
  return resized(operation, start, moved(operation.start + operation.count, columns) - start, data);
}

/** Where a vector is once the columns are gone. */
function moved(vector: number, { first, count }: Columns): number {
  if (vector < first) return vector;
  return vector < first + count ? first : vector - count;
}

/** Vectors of the larger of a function's tables: both lose the same ones. */
function sizeOf({ msixVectors, msiVectors = 0 }: PciFunction): number {
  return Math.max(msixVectors, msiVectors);
}
