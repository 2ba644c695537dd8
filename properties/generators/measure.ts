import type { DataElement, Operation, Scenario, VfioSetIrqs } from '#vocabulary';
import { VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from './memory.ts';

/**
 * How far a scenario is from the simplest: whole numbers from 0 up, compared from the left. The number of eventfd names
 * comes before the names, so that where all before it is equal the lists are equally long. Hence there is no endless
 * descent, and a shrinker that only goes down ends.
 */
export type Measure = readonly number[];

/**
 * In this order: operations, devices, data elements, sum of counts, sum of vectors, sum of limits, oddities of the operations,
 * oddities of their data, devices that drop events, sum of table sizes, sum of device numbers, eventfd names, and each of these.
 */
export function measure({ config, operations }: Scenario): Measure {
  const sums = { data: 0, counts: 0, vectors: 0, limits: 0, odd: 0, oddData: 0, devices: 0 };
  const names: number[] = [];
  for (const operation of operations) {
    sums.odd += oddity(operation);
    if ('device' in operation) sums.devices += operation.device;
    switch (operation.kind) {
      case 'vfio.setIrqs':
        sums.data += operation.data.length;
        sums.counts += operation.count;
        sums.vectors += operation.start;
        for (const element of operation.data) {
          sums.oddData += dataOddity(element);
          if (isName(element)) names.push(nameNumber(element));
        }
        break;
      case 'device.raise':
      case 'device.arm':
        sums.vectors += operation.vector;
        break;
      case 'host.limitVectors':
        sums.limits += operation.count;
        break;
      case 'vfio.closeEventfd':
        names.push(nameNumber(operation.eventfd));
        break;
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
        break;
    }
  }
  return [
    operations.length,
    config.devices.length,
    sums.data,
    sums.counts,
    sums.vectors,
    sums.limits,
    sums.odd,
    sums.oddData,
    config.devices.filter(({ whileOff }) => whileOff === 'drops').length,
    config.devices.reduce((sum, { msixVectors }) => sum + msixVectors, 0),
    sums.devices,
    names.length,
    ...names,
  ];
}

/** Whether `left` is strictly simpler than `right`. */
export function isSimpler(left: Measure, right: Measure): boolean {
  const place = left.findIndex((number, at) => number !== right[at]);
  return place !== -1 && (left[place] ?? 0) < (right[place] ?? 0);
}

export function isName(element: DataElement): element is `e${number}` {
  return typeof element === 'string' && element !== 'bad' && element !== 'notEventfd';
}

/** 3 for `e3`. */
export function nameNumber(name: `e${number}`): number {
  return Number(name.slice(1));
}

/** Eventfds, then -1, then what is refused, then numbers that need a second look. */
function dataOddity(element: DataElement): number {
  if (isName(element)) return 0;
  switch (element) {
    case -1:
      return 1;
    case 1:
      return 2;
    case 0:
      return 3;
    case 'bad':
      return 4;
    case 'notEventfd':
      return 5;
    default:
      return 6;
  }
}

/** What is not as in the plainest operation of its kind. */
function oddity(operation: Operation): number {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return indexOddity(operation.index) + flagsOddity(operation.flags) + memoryOddity(operation);
    case 'vfio.getIrqInfo':
      return indexOddity(operation.index) + memoryOddity(operation);
    case 'device.arm':
      return 1;
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.closeEventfd':
    case 'device.raise':
    case 'host.limitVectors':
      return 0;
  }
}

function indexOddity(index: number): number {
  return index === VFIO_PCI_MSIX_IRQ_INDEX ? 0 : 1 + index;
}

function flagsOddity(flags: number): number {
  if (flags === TRIGGER_EVENTFD) return 0;
  return flags === TRIGGER_NONE ? 1 : 2 + countBits(flags);
}

function memoryOddity({ argsz, unreadable }: Pick<VfioSetIrqs, 'argsz' | 'unreadable'>): number {
  return (argsz === undefined ? 0 : 1) + (unreadable === undefined ? 0 : 1);
}

function countBits(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
