import type { Random } from 'fast-check';
import type {
  DataElement,
  EventfdName,
  VfioClose,
  VfioCloseEventfd,
  VfioGetIrqInfo,
  VfioOpen,
  VfioSetIrqs,
} from '#vocabulary';
import {
  IRQ_INFO_BYTES,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} from '#vocabulary';
import { spoil } from './malformed.ts';
import type { Memory } from './memory.ts';
import { deviceMemory, TRIGGER_EVENTFD, TRIGGER_NONE } from './memory.ts';
import type { RangeShape, Request } from './mix.ts';
import { chance, pick } from './random.ts';
import type { Swarm } from './swarm.ts';
import { drawRange, drawVector } from './vector.ts';

const TRIGGER_BOOL = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL;

const EVENTFDS: readonly EventfdName[] = Array.from({ length: 8 }, (_, number): EventfdName => `e${number}`);

function eventfd(number: number): EventfdName {
  return EVENTFDS[number] as EventfdName;
}

/** Descriptors that are refused somewhere. No small numbers: they are descriptors that a program has by accident. */
const BAD_DESCRIPTORS: readonly DataElement[] = ['bad', 'bad', 'bad', 'notEventfd', 'notEventfd', 2147483647];

/** Descriptors that MSI-X takes like -1. 4294967295 is -1 once written. */
const NEGATIVE_DESCRIPTORS: readonly number[] = [-1, -1, -1, -1, -1, -1, -1, -2, -2147483648, 4294967295];

/** Bytes of BOOL data; of 256 only the low byte counts. */
const BOOLS: readonly number[] = [0, 0, 0, 1, 1, 1, 1, 2, 255, 256];

/** Not what an index may be, but what a program may write. */
const INDICES: readonly number[] = [0, 1, 3, 4, 5, 0xffffffff];

export function drawOpen(device: number): VfioOpen {
  return { kind: 'vfio.open', device };
}

export function drawClose(device: number): VfioClose {
  return { kind: 'vfio.close', device };
}

export function drawCloseEventfd(random: Random, swarm: Swarm): VfioCloseEventfd {
  return { kind: 'vfio.closeEventfd', eventfd: eventfd(random.nextInt(0, swarm.eventfds - 1)) };
}

export function drawGetIrqInfo(random: Random, swarm: Swarm, device: number): VfioGetIrqInfo {
  const index = chance(random, 60) ? VFIO_PCI_MSIX_IRQ_INDEX : pick(random, INDICES);
  if (!chance(random, swarm.malformedPercent)) return { kind: 'vfio.getIrqInfo', device, index };
  if (chance(random, 30)) return { kind: 'vfio.getIrqInfo', device, index, unreadable: true };
  return { kind: 'vfio.getIrqInfo', device, index, argsz: pick(random, [0, IRQ_INFO_BYTES - 1, IRQ_INFO_BYTES + 4]) };
}

export function drawSetIrqs(random: Random, swarm: Swarm, memory: Memory, device: number): VfioSetIrqs {
  const request = pick(random, swarm.requests);
  const shape = pick(random, swarm.ranges);
  const operation = drawRequest(random, swarm, memory, device, request, shape);
  if (!chance(random, swarm.malformedPercent)) return operation;
  const { msixVectors } = deviceMemory(memory, device);
  const spoilt = spoil(random, operation, msixVectors);
  // Two things wrong at once: the order of the checks decides.
  return chance(random, 30) ? spoil(random, spoilt, msixVectors) : spoilt;
}

/** A well-formed VFIO_DEVICE_SET_IRQS of the given shape; what has no range takes none. */
export function drawRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  device: number,
  request: Request,
  shape: RangeShape,
): VfioSetIrqs {
  const told = deviceMemory(memory, device);
  switch (request) {
    case 'arm': {
      // With MSI-X off the range decides how much is allocated, so that it is mostly one there is room to grow from.
      const { start, count } = drawRange(random, told, told.top === 0 && chance(random, 50) ? 'fromZero' : shape);
      return setIrqs(device, TRIGGER_EVENTFD, start, count, drawDescriptors(random, swarm, start, count));
    }
    case 'remove': {
      const { start, count } = drawRange(random, told, shape);
      return setIrqs(device, TRIGGER_EVENTFD, start, count, Array(count).fill(pick(random, NEGATIVE_DESCRIPTORS)));
    }
    case 'loopbackNone': {
      const { start, count } = drawRange(random, told, shape);
      return setIrqs(device, TRIGGER_NONE, start, count, []);
    }
    case 'loopbackBool': {
      const { start, count } = drawRange(random, told, shape);
      return setIrqs(device, TRIGGER_BOOL, start, count, drawBools(random, count));
    }
    case 'disable':
      // The start is not looked at, as long as it is one.
      return setIrqs(device, TRIGGER_NONE, chance(random, 80) ? 0 : drawVector(random, told), 0, []);
    case 'request':
      return drawRequestTrigger(random, swarm, device);
  }
}

function setIrqs(device: number, flags: number, start: number, count: number, data: DataElement[]): VfioSetIrqs {
  return { kind: 'vfio.setIrqs', device, flags, index: VFIO_PCI_MSIX_IRQ_INDEX, start, count, data };
}

function drawDescriptors(random: Random, swarm: Swarm, start: number, count: number): DataElement[] {
  const data: DataElement[] = [];
  const first = random.nextInt(0, swarm.eventfds - 1);
  for (let place = 0; place < count; place++) data.push(eventfd(share(random, swarm, first, start, place)));
  if (count === 0) return data;
  if (chance(random, swarm.holePercent)) data[random.nextInt(0, count - 1)] = pick(random, NEGATIVE_DESCRIPTORS);
  if (chance(random, swarm.badPercent)) data[drawBadPlace(random, count)] = pick(random, BAD_DESCRIPTORS);
  return data;
}

/** The number of the eventfd for a place in a range, `first` being that of the range. */
function share(random: Random, swarm: Swarm, first: number, start: number, place: number): number {
  switch (swarm.sharing) {
    case 'byVector':
      return (first + start + place) % swarm.eventfds;
    case 'random':
      return place < 16 ? random.nextInt(0, swarm.eventfds - 1) : (first + place) % swarm.eventfds;
    case 'one':
      return first;
  }
}

/** Mostly not the first: what was done before the error is what has to be undone. */
function drawBadPlace(random: Random, count: number): number {
  if (count === 1 || chance(random, 20)) return 0;
  return chance(random, 40) ? count - 1 : random.nextInt(1, count - 1);
}

function drawBools(random: Random, count: number): number[] {
  const data: number[] = [];
  for (let place = 0; place < count; place++) data.push(place < 16 ? pick(random, BOOLS) : place & 1);
  return data;
}

function drawRequestTrigger(random: Random, swarm: Swarm, device: number): VfioSetIrqs {
  const flags = pick(random, [TRIGGER_EVENTFD, TRIGGER_EVENTFD, TRIGGER_NONE, TRIGGER_BOOL]);
  const count = pick(random, [1, 1, 1, 1, 1, 1, 0, 2]);
  const start = chance(random, 5) ? 1 : 0;
  const operation = { kind: 'vfio.setIrqs' as const, device, flags, index: VFIO_PCI_REQ_IRQ_INDEX, start, count };
  if (flags === TRIGGER_NONE) return { ...operation, data: [] };
  if (flags === TRIGGER_BOOL) return { ...operation, data: drawBools(random, count) };
  if (chance(random, 30)) return { ...operation, data: Array(count).fill(pick(random, NEGATIVE_DESCRIPTORS)) };
  return { ...operation, data: drawDescriptors(random, swarm, start, count) };
}
