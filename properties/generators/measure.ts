import type { Config, DataElement, Operation, RawOperation, Scenario, VfioGetIrqInfo, VfioSetIrqs } from '#vocabulary';
import {
  CONFIG_FIELDS,
  dataElementBytes,
  IRQ_INFO_BYTES,
  IRQ_SET_BYTES,
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  VFIO_PCI_MSIX_IRQ_INDEX,
  WINDOWS,
} from '#vocabulary';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { disorder, guestOddity, guestValues } from './guest-measure.ts';
import { mdevConfigOddity, mdevOddity, mdevValues, parentSize } from './mdev-measure.ts';
import { nameNumber } from './names.ts';
import { attributes } from './pci-function.ts';

/**
 * How far a scenario is from the simplest: whole numbers from 0 up, compared from the left. The number of names comes
 * before the names, so that where all before it is equal the lists are equally long. Hence there is no endless
 * descent, and a shrinker that only goes down ends.
 */
export type Measure = readonly number[];

/**
 * In this order: operations, devices, data that does not fit its count, data elements, sum of counts, sum of vectors,
 * sum of other numbers, oddities of the operations, oddities of their data, attributes of the machine and its devices,
 * sum of table sizes, size of what mdevs share, the VM of each device, sum of VMs that are asked for, the device that
 * comes first, sum of device numbers, pairs in disorder, eventfd names, and each of these; descriptors, and each of
 * these.
 */
export function measure({ config, operations }: Scenario): Measure {
  const sums: Sums = { ...NOTHING };
  const names: number[] = [];
  const descriptors: number[] = [];
  for (const operation of operations) {
    if ('descriptor' in operation) descriptors.push(operation.descriptor);
    sums.odd += oddity(operation);
    if ('device' in operation) sums.devices += operation.device;
    addNumbers(sums, names, operation);
  }
  return [
    operations.length,
    config.devices.length,
    sums.misfits,
    sums.data,
    sums.counts,
    sums.vectors,
    sums.values,
    sums.odd,
    sums.oddData,
    configOddity(config) + mdevConfigOddity(config),
    config.devices.reduce((sum, { msixVectors, msiVectors = 0 }) => sum + msixVectors + msiVectors, 0),
    parentSize(config),
    ...config.devices.map(({ mdev }) => mdev?.vm ?? 0),
    sums.vms,
    operations.find((operation) => 'device' in operation)?.device ?? 0,
    sums.devices,
    disorder({ config, operations }),
    names.length,
    ...names,
    descriptors.length,
    ...descriptors,
  ];
}

const NOTHING = {
  ...{ misfits: 0, data: 0, counts: 0, vectors: 0, values: 0 },
  ...{ odd: 0, oddData: 0, devices: 0, vms: 0 },
};

type Sums = Record<keyof typeof NOTHING, number>;

function addNumbers(sums: Sums, names: number[], operation: Operation): void {
  if (!isGuestOperation(operation) && !isMdevOperation(operation)) {
    addRawNumbers(sums, names, operation);
    return;
  }
  sums.vectors += 'vector' in operation ? operation.vector : 0;
  sums.values += isGuestOperation(operation) ? guestValues(operation) : mdevValues(operation);
  sums.vms += operation.kind === 'host.crash' ? operation.vm : 0;
}

function addRawNumbers(sums: Sums, names: number[], operation: RawOperation): void {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      sums.misfits += isMisfit(operation) ? 1 : 0;
      sums.data += operation.data.length;
      sums.counts += operation.count;
      sums.vectors += operation.start;
      for (const element of operation.data) {
        sums.oddData += dataOddity(element);
        if (isEventfdName(element)) names.push(nameNumber(element));
      }
      return;
    case 'vfio.tableWrite':
      sums.vectors += operation.vector;
      sums.values += operation.value;
      return;
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise':
    case 'device.arm':
      sums.vectors += operation.vector;
      return;
    case 'vfio.configWrite':
      sums.values += operation.value;
      return;
    case 'host.limitVectors':
      sums.values += operation.count;
      return;
    case 'host.failAllocation':
      sums.values += operation.nth;
      return;
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      names.push(nameNumber(operation.eventfd));
      return;
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.reset':
    case 'vfio.configRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return;
  }
}

function configOddity({ devices, interruptRemapping }: Config): number {
  const oddities = devices.map((device) => attributes(device) + (device.whileOff === 'drops' ? 1 : 0));
  return oddities.reduce((sum, oddity) => sum + oddity, interruptRemapping === undefined ? 0 : 1);
}

/** Whether `left` is strictly simpler than `right`. */
export function isSimpler(left: Measure, right: Measure): boolean {
  const place = left.findIndex((number, at) => number !== right[at]);
  return place !== -1 && (left[place] ?? 0) < (right[place] ?? 0);
}

/** The data is not as long as the count says; or there is some, and the flags speak of none. */
export function isMisfit({ data, count, flags }: VfioSetIrqs): boolean {
  return data.length !== (dataElementBytes(flags) === 0 ? 0 : count);
}

/** Data that is not an eventfd, from plain to odd; any other number needs a second look. */
const ODD_DATA: readonly DataElement[] = [-1, 1, 0, 'bad', 'notEventfd'];

function dataOddity(element: DataElement): number {
  if (isEventfdName(element)) return 0;
  const place = ODD_DATA.indexOf(element);
  return 1 + (place === -1 ? ODD_DATA.length : place);
}

/** What is not as in the plainest operation of its kind. */
function oddity(operation: Operation): number {
  if (isMdevOperation(operation)) return mdevOddity(operation);
  return isGuestOperation(operation) ? guestOddity(operation) : rawOddity(operation);
}

function rawOddity(operation: RawOperation): number {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return indexOddity(operation.index) + flagsOddity(operation.flags) + memoryOddity(operation);
    case 'vfio.getIrqInfo':
      return indexOddity(operation.index) + memoryOddity(operation);
    case 'vfio.configWrite':
    case 'vfio.configRead':
      return CONFIG_FIELDS.indexOf(operation.field);
    case 'device.arm':
      return 1 + WINDOWS.indexOf(operation.window);
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'device.raise':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
    case 'host.limitVectors':
    case 'host.failAllocation':
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

function memoryOddity(operation: VfioSetIrqs | VfioGetIrqInfo): number {
  return argszOddity(operation) + (operation.unreadable === undefined ? 0 : 1);
}

function argszOddity(operation: VfioSetIrqs | VfioGetIrqInfo): number {
  if (operation.argsz === undefined) return 0;
  return operation.argsz === neededBytes(operation) ? 1 : 2;
}

/** The argsz that is right, or the largest there is: for VFIO_DEVICE_SET_IRQS by the count, whatever data there is. */
export function neededBytes(operation: VfioSetIrqs | VfioGetIrqInfo): number {
  if (operation.kind === 'vfio.getIrqInfo') return IRQ_INFO_BYTES;
  return Math.min(0xffffffff, IRQ_SET_BYTES + operation.count * dataElementBytes(operation.flags));
}

function countBits(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
