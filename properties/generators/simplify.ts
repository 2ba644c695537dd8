import type {
  DataElement,
  EventfdName,
  Operation,
  PciFunction,
  RawOperation,
  Support,
  VfioConfigWrite,
  VfioGetIrqInfo,
  VfioSetIrqs,
} from '#vocabulary';
import {
  CONFIG_FIELDS,
  dataElementBytes,
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  MSIX_VECTORS_MAX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  WINDOWS,
} from '#vocabulary';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { simplifyGuestOperation } from './guest-simplify.ts';
import { simplifyMdevOperation } from './mdev-simplify.ts';
import { isMisfit, neededBytes } from './measure.ts';
import { attachesUnmask, nameLike, renamed } from './names.ts';
import { smaller } from './smaller.ts';

/** Data up to this long is tried element by element. */
const SHORT_DATA = 4;

const UINT32_MAX = 0xffffffff;

/** An argsz this far off is meant for the count. */
const NEARLY_BYTES = 4;

/** Ways to write one operation more simply. Some are no simpler: who asks compares. */
export function* simplifyOperation(
  operation: Operation,
  devices: readonly PciFunction[],
  support: Support,
): Generator<Operation> {
  if ('device' in operation && operation.device > 0) yield { ...operation, device: 0 };
  if (isGuestOperation(operation)) yield* simplifyGuestOperation(operation);
  else if (isMdevOperation(operation)) {
    for (const simpler of simplifyMdevOperation(operation)) if (support.operations.has(simpler.kind)) yield simpler;
  } else yield* simplifyRawOperation(operation, devices, support);
}

function* simplifyRawOperation(
  operation: RawOperation,
  devices: readonly PciFunction[],
  support: Support,
): Generator<RawOperation> {
  switch (operation.kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return;
    case 'vfio.getIrqInfo':
      yield* simplifyMemory(operation);
      yield* simplifyIndex(operation, devices);
      return;
    case 'vfio.setIrqs':
      // What attached an unmask eventfd may be a trigger now.
      for (const simpler of simplifySetIrqs(operation, devices)) yield renamed(simpler);
      return;
    case 'vfio.configWrite':
      yield* simplifyConfigWrite(operation);
      return;
    case 'vfio.configRead':
      for (const field of CONFIG_FIELDS) yield { ...operation, field };
      return;
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      yield { ...operation, eventfd: nameLike(operation.eventfd) };
      return;
    case 'vfio.tableWrite':
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      for (const value of [0, 1, 0xfffffffe]) yield { ...operation, value };
      return;
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise':
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      return;
    case 'device.arm':
      if (support.operations.has('device.raise')) {
        yield { kind: 'device.raise', device: operation.device, vector: operation.vector };
      }
      for (const window of WINDOWS) yield { ...operation, window };
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      return;
    case 'host.limitVectors':
      for (const count of smaller(operation.count)) yield { ...operation, count };
      return;
    case 'host.failAllocation':
      for (const nth of smaller(operation.nth)) if (nth > 0) yield { ...operation, nth };
      return;
  }
}

/** Towards the value 0, and towards the first field, whose values all fields have. */
function* simplifyConfigWrite(operation: VfioConfigWrite): Generator<VfioConfigWrite> {
  const value = Math.min(1, operation.value);
  for (const field of CONFIG_FIELDS) {
    if (field !== 'power') yield { ...operation, field, value };
  }
  yield { ...operation, value: 0 };
  if (operation.field === 'msixControl') {
    for (const kept of [0x4000, 0x8000]) yield { ...operation, value: operation.value & kept };
  }
}

function* simplifyMemory<O extends VfioGetIrqInfo | VfioSetIrqs>(operation: O): Generator<O> {
  const { argsz, unreadable, ...plain } = operation;
  if (argsz !== undefined && unreadable !== undefined) yield plain as O;
  if (argsz !== undefined) yield (unreadable === undefined ? plain : { ...plain, unreadable }) as O;
  if (unreadable !== undefined) yield (argsz === undefined ? plain : { ...plain, argsz }) as O;
  if (argsz !== undefined) yield { ...operation, argsz: Math.min(neededBytes(operation), argsz) };
}

function* simplifyIndex<O extends VfioGetIrqInfo | VfioSetIrqs>(
  operation: O,
  devices: readonly PciFunction[],
): Generator<O> {
  const hasMsix = (devices[operation.device]?.msixVectors ?? 0) > 0;
  if (hasMsix && operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) yield { ...operation, index: VFIO_PCI_MSIX_IRQ_INDEX };
  // The first index that no device has.
  if (operation.index > 5) yield { ...operation, index: 5 };
}

function* simplifySetIrqs(operation: VfioSetIrqs, devices: readonly PciFunction[]): Generator<VfioSetIrqs> {
  // An mdev that loses a trigger may as well lose them all.
  if (devices[operation.device]?.mdev !== undefined && operation.data.includes(-1))
    yield { ...operation, flags: TRIGGER_NONE, start: 0, count: 0, data: [] };
  yield* simplifyMemory(operation);
  yield* simplifyIndex(operation, devices);
  yield* simplifyFlags(operation);
  yield* simplifyRange(operation);
  yield* simplifyData(operation);
}

/** Towards a plain trigger or a loopback, else one bit less. */
function* simplifyFlags(operation: VfioSetIrqs): Generator<VfioSetIrqs> {
  const { flags } = operation;
  if (flags === TRIGGER_EVENTFD) return;
  yield { ...operation, flags: TRIGGER_EVENTFD };
  if (flags === TRIGGER_NONE) return;
  yield { ...operation, flags: TRIGGER_NONE, data: [] };
  for (let bit = 0; bit < 32; bit++) {
    const mask = (1 << bit) >>> 0;
    if ((flags & mask) !== 0) yield { ...operation, flags: (flags ^ mask) >>> 0 };
  }
}

function* simplifyRange(operation: VfioSetIrqs): Generator<VfioSetIrqs> {
  const { start, count } = operation;
  for (const kept of smaller(count)) {
    yield slice(operation, 0, kept);
    // A start is 32 bits wide, whatever the range that begins there.
    if (kept > 0 && start + count - kept <= UINT32_MAX) yield slice(operation, count - kept, kept);
  }
  if (count > 2 && count <= SHORT_DATA) {
    for (let place = 1; place < count - 1; place++) if (start + place <= UINT32_MAX) yield slice(operation, place, 1);
  }
  for (const less of smaller(start)) yield { ...operation, start: less };
}

/** The `count` vectors from place `from` on, with their data. */
function slice(operation: VfioSetIrqs, from: number, count: number): VfioSetIrqs {
  return resized(operation, operation.start + from, count, operation.data.slice(from, from + count));
}

/** The operation with another range. An argsz that is right for the count, or nearly, stays so: one byte short, say. */
export function resized(
  operation: VfioSetIrqs,
  start: number,
  count: number,
  data: readonly DataElement[],
): VfioSetIrqs {
  const part = { ...operation, start, count, data };
  if (operation.argsz === undefined) return part;
  const excessBytes = operation.argsz - neededBytes(operation);
  if (Math.abs(excessBytes) > NEARLY_BYTES) return part;
  return { ...part, argsz: Math.max(0, neededBytes(part) + excessBytes) };
}

function* simplifyData(operation: VfioSetIrqs): Generator<VfioSetIrqs> {
  const { data, flags } = operation;
  const name = attachesUnmask(operation) ? 'e100' : 'e0';
  const plain: readonly DataElement[] = dataElementBytes(flags) === 1 ? [1, 0] : [name, -1, 'bad'];
  if (isMisfit(operation) && operation.count <= MSIX_VECTORS_MAX) {
    const fitting = dataElementBytes(flags) === 0 ? 0 : operation.count;
    yield {
      ...operation,
      data: Array.from({ length: fitting }, (_, place) => data[place] ?? (plain[0] as DataElement)),
    };
  }
  if (data.length > SHORT_DATA) {
    yield { ...operation, data: data.map((element) => (isEventfdName(element) ? name : element)) };
    yield { ...operation, data: data.map((element) => (isEventfdName(element) ? element : name)) };
    return;
  }
  for (let place = 0; place < data.length; place++) {
    for (const element of plain) yield { ...operation, data: data.with(place, element) };
  }
}

/** Every use of an eventfd under another name. */
export function renameEventfds(operation: Operation, rename: (name: EventfdName) => EventfdName): Operation {
  return isGuestOperation(operation) || isMdevOperation(operation) ? operation : renameRawEventfds(operation, rename);
}

function renameRawEventfds(operation: RawOperation, rename: (name: EventfdName) => EventfdName): RawOperation {
  switch (operation.kind) {
    case 'vfio.setIrqs':
      return {
        ...operation,
        data: operation.data.map((element) => (isEventfdName(element) ? rename(element) : element)),
      };
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return { ...operation, eventfd: rename(operation.eventfd) };
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.reset':
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.raise':
    case 'device.arm':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
    case 'host.limitVectors':
    case 'host.failAllocation':
      return operation;
  }
}
