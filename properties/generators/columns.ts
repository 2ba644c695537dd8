import type { Config, DataElement, Operation, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import { MSIX_VECTORS_MAX, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { isName } from './measure.ts';
import { resized } from './simplify.ts';

/** Vectors that a scenario could as well not have. */
interface Columns {
  readonly device: number;
  readonly first: number;
  readonly count: number;
}

/**
 * The scenario without some of its vectors, as though the table had never had them: ranges close up, their data loses
 * the elements, higher vectors move down, all operations together. So what must stay in step does: a range and the
 * raise of its second vector, the end of one range and the beginning of the next.
 * Each candidate drops vectors between two neighbouring places at which anything begins, ends or changes; highest
 * first.
 */
export function* withoutVectors(scenario: Scenario, support: Support): Generator<Scenario> {
  for (let device = 0; device < scenario.config.devices.length; device++) {
    const places = findPlaces(scenario, device);
    for (let place = places.length - 2; place >= 0; place--) {
      const first = places[place] as number;
      const gap = (places[place + 1] as number) - first;
      for (const count of gapCounts(gap, tableSize(scenario, device), support)) {
        // All but the first of a gap: what begins there still does.
        yield withoutColumns(scenario, support, { device, first: count < gap ? first + 1 : first, count });
      }
    }
  }
}

/** How many vectors to drop of a gap, each once: all, all but one, half, one; as many as a smaller table has less. */
function gapCounts(gap: number, msixVectors: number, support: Support): number[] {
  const counts = new Set([gap, gap - 1, gap >> 1, 1]);
  if (support.msixVectors !== 'any') for (const size of support.msixVectors) counts.add(msixVectors - size);
  return [...counts].filter((count) => count > 0 && count <= gap);
}

/** Ascending, each once: 0, the vectors and the ends of ranges, where data changes its kind, the end of the table. */
function findPlaces({ config, operations }: Scenario, device: number): number[] {
  const places = new Set([0, tableSize({ config, operations }, device)]);
  for (const operation of operations) {
    if (!('device' in operation) || operation.device !== device) continue;
    switch (operation.kind) {
      case 'vfio.setIrqs':
        if (isRange(operation)) addRange(places, operation);
        break;
      case 'device.raise':
      case 'device.arm':
        places.add(operation.vector);
        break;
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
        break;
    }
  }
  return [...places].sort((left, right) => left - right);
}

function addRange(places: Set<number>, { start, count, data }: VfioSetIrqs): void {
  places.add(start).add(start + count);
  for (let place = 1; place < data.length; place++) {
    if (!isAlike(data[place - 1] as DataElement, data[place] as DataElement)) places.add(start + place);
  }
}

function isAlike(left: DataElement, right: DataElement): boolean {
  return left === right || (isName(left) && isName(right));
}

/** About vectors of a table; numbers that only mean to be too large keep their value. */
function isRange({ index, start, count }: VfioSetIrqs): boolean {
  return index === VFIO_PCI_MSIX_IRQ_INDEX && start + count <= 2 * MSIX_VECTORS_MAX;
}

function withoutColumns({ config, operations }: Scenario, support: Support, columns: Columns): Scenario {
  return {
    config: withSmallerTable(config, support, columns),
    operations: operations.map((operation) =>
      'device' in operation && operation.device === columns.device
        ? withoutColumnsInOperation(operation, columns)
        : operation,
    ),
  };
}

function withSmallerTable(config: Config, support: Support, columns: Columns): Config {
  const devices = config.devices.map((pciFunction, device) => {
    const msixVectors = moved(pciFunction.msixVectors, columns);
    return device === columns.device && isSupportedSize(msixVectors, support)
      ? { ...pciFunction, msixVectors }
      : pciFunction;
  });
  return { ...config, devices };
}

export function isSupportedSize(msixVectors: number, support: Support): boolean {
  return support.msixVectors === 'any' ? msixVectors > 0 : support.msixVectors.includes(msixVectors);
}

function withoutColumnsInOperation(operation: Operation, columns: Columns): Operation {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return isRange(operation) ? withoutColumnsInRange(operation, columns) : operation;
    case 'device.raise':
    case 'device.arm':
      return { ...operation, vector: moved(operation.vector, columns) };
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.closeEventfd':
    case 'host.limitVectors':
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

function tableSize({ config }: Scenario, device: number): number {
  return config.devices[device]?.msixVectors ?? 1;
}
