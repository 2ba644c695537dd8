import type { Random } from 'fast-check';
import type {
  DataElement,
  EventfdName,
  VfioClose,
  VfioCloseEventfd,
  VfioGetIrqInfo,
  VfioOpen,
  VfioSetIrqs,
  VfioWriteEventfd,
} from '#vocabulary';
import {
  IRQ_INFO_BYTES,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} from '#vocabulary';
import { drawBools, drawDescriptors, drawEventfd, NEGATIVE_DESCRIPTORS, repeated } from './descriptors.ts';
import { TRIGGER_BOOL, TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { drawIntxRequest } from './intx.ts';
import { spoil } from './malformed.ts';
import type { DeviceMemory, Memory } from './memory.ts';
import { deviceMemory, indexOf, tableOf } from './memory.ts';
import type { RangeShape, Request } from './mix.ts';
import { renamed } from './names.ts';
import type { Family } from './pci-function.ts';
import { chance, pick } from './random.ts';
import type { DeviceSwarm, Swarm } from './swarm.ts';
import { deviceSwarm } from './swarm.ts';
import { drawRange, drawVector } from './vector.ts';

/** Not what an index may be, but what a program may write. */
const INDICES: readonly number[] = [0, 1, 3, 4, 5, 0xffffffff];
const INDICES_WITH_MSIX: readonly number[] = [...INDICES, VFIO_PCI_MSIX_IRQ_INDEX];

const WRONG_INFO_SIZES: readonly number[] = [0, IRQ_INFO_BYTES - 1, IRQ_INFO_BYTES + 4];

export function drawOpen(device: number): VfioOpen {
  return { kind: 'vfio.open', device };
}

export function drawClose(device: number): VfioClose {
  return { kind: 'vfio.close', device };
}

export function drawCloseEventfd(random: Random, swarm: Swarm, memory: Memory): VfioCloseEventfd {
  return { kind: 'vfio.closeEventfd', eventfd: drawSomeEventfd(random, swarm, memory, 35) };
}

/** Mostly one that unmasks: another eventfd that is written to only signals. */
export function drawWriteEventfd(random: Random, swarm: Swarm, memory: Memory): VfioWriteEventfd {
  return { kind: 'vfio.writeEventfd', eventfd: drawSomeEventfd(random, swarm, memory, 85) };
}

function drawSomeEventfd(random: Random, swarm: Swarm, { unmaskers }: Memory, unmaskPercent: number): EventfdName {
  return unmaskers.length > 0 && chance(random, unmaskPercent) ? pick(random, unmaskers) : drawEventfd(random, swarm);
}

export function drawGetIrqInfo(random: Random, swarm: Swarm, memory: Memory, device: number): VfioGetIrqInfo {
  const index = drawInfoIndex(random, deviceSwarm(swarm, device), deviceMemory(memory, device));
  if (!chance(random, swarm.malformedPercent)) return { kind: 'vfio.getIrqInfo', device, index };
  if (chance(random, 30)) return { kind: 'vfio.getIrqInfo', device, index, unreadable: true };
  return { kind: 'vfio.getIrqInfo', device, index, argsz: pick(random, WRONG_INFO_SIZES) };
}

function drawInfoIndex(random: Random, own: DeviceSwarm, { msix }: DeviceMemory): number {
  if (!chance(random, 60)) return pick(random, msix.size > 0 ? INDICES : INDICES_WITH_MSIX);
  return indexOf(pick(random, own.families));
}

export function drawSetIrqs(random: Random, swarm: Swarm, memory: Memory, device: number): VfioSetIrqs {
  const own = deviceSwarm(swarm, device);
  const told = deviceMemory(memory, device);
  const request = pick(random, own.requests);
  const family = drawFamily(random, own, told, request);
  const shape = pick(random, swarm.ranges);
  const operation =
    family === 'intx' && request !== 'request'
      ? drawIntxRequest(random, swarm, memory, device)
      : drawRequest(random, swarm, memory, device, request, shape, family);
  if (!chance(random, swarm.malformedPercent)) return operation;
  const size = sizeOf(told, operation.index);
  const spoilt = spoil(random, operation, size);
  // Two things wrong at once: the order of the checks decides. What was a trigger may be an unmask eventfd now.
  return renamed(chance(random, 30) ? spoil(random, spoilt, size) : spoilt);
}

function sizeOf({ msix, msi }: DeviceMemory, index: number): number {
  if (index === VFIO_PCI_MSIX_IRQ_INDEX) return msix.size;
  return index === VFIO_PCI_MSI_IRQ_INDEX ? msi.size : 1;
}

/** Mostly what is on: all else is refused until that is off. */
function drawFamily(random: Random, own: DeviceSwarm, { enabled }: DeviceMemory, request: Request): Family {
  return enabled !== undefined && chance(random, request === 'disable' ? 80 : 60)
    ? enabled
    : pick(random, own.families);
}

/** What a device that is used goes on with. */
function currentFamily(random: Random, swarm: Swarm, memory: Memory, device: number): Family {
  return deviceMemory(memory, device).enabled ?? pick(random, deviceSwarm(swarm, device).families);
}

/** A well-formed VFIO_DEVICE_SET_IRQS of the given shape; what has no range takes none. */
export function drawRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  device: number,
  request: Request,
  shape: RangeShape,
  family: Family = currentFamily(random, swarm, memory, device),
): VfioSetIrqs {
  if (request === 'request') return drawRequestTrigger(random, swarm, memory, device);
  if (family === 'intx') return drawIntxRequest(random, swarm, memory, device, request);
  const table = tableOf(deviceMemory(memory, device), family);
  const kind = 'vfio.setIrqs';
  const index = indexOf(family);
  switch (request) {
    case 'arm': {
      // With the table off the range decides how much is allocated: mostly so little that there is room to grow.
      const { start, count } = drawRange(random, table, table.top === 0 && chance(random, 50) ? 'fromZero' : shape);
      const data = drawDescriptors(random, swarm, start, count);
      return { kind, device, flags: TRIGGER_EVENTFD, index, start, count, data };
    }
    case 'remove': {
      const { start, count } = drawRange(random, table, shape);
      const data = repeated(pick(random, NEGATIVE_DESCRIPTORS), count);
      return { kind, device, flags: TRIGGER_EVENTFD, index, start, count, data };
    }
    case 'loopbackNone': {
      const { start, count } = drawRange(random, table, shape);
      return { kind, device, flags: TRIGGER_NONE, index, start, count, data: [] };
    }
    case 'loopbackBool': {
      const { start, count } = drawRange(random, table, shape);
      return { kind, device, flags: TRIGGER_BOOL, index, start, count, data: drawBools(random, count) };
    }
    case 'disable': {
      // The start is not looked at, as long as it is one.
      const start = chance(random, 80) ? 0 : drawVector(random, table);
      return { kind, device, flags: TRIGGER_NONE, index, start, count: 0, data: [] };
    }
  }
}

const REQUEST_FLAGS: readonly number[] = [TRIGGER_EVENTFD, TRIGGER_EVENTFD, TRIGGER_NONE, TRIGGER_BOOL];

/** There is one vector; the others are refused. */
const REQUEST_COUNTS: readonly number[] = [1, 1, 1, 1, 1, 1, 0, 2];

/** Anything with the trigger of REQ, or of ERR where there is one. */
function drawRequestTrigger(random: Random, swarm: Swarm, memory: Memory, device: number): VfioSetIrqs {
  const { express } = deviceMemory(memory, device).pciFunction;
  const index = chance(random, express === true ? 50 : 5) ? VFIO_PCI_ERR_IRQ_INDEX : VFIO_PCI_REQ_IRQ_INDEX;
  const flags = pick(random, REQUEST_FLAGS);
  const count = pick(random, REQUEST_COUNTS);
  const start = chance(random, 5) ? 1 : 0;
  const data = drawRequestData(random, swarm, flags, start, count);
  return { kind: 'vfio.setIrqs', device, flags, index, start, count, data };
}

function drawRequestData(random: Random, swarm: Swarm, flags: number, start: number, count: number): DataElement[] {
  if (flags === TRIGGER_NONE) return [];
  if (flags === TRIGGER_BOOL) return drawBools(random, count);
  if (chance(random, 30)) return repeated(pick(random, NEGATIVE_DESCRIPTORS), count);
  return drawDescriptors(random, swarm, start, count);
}
