import type { Random } from 'fast-check';
import type { VfioSetIrqs } from '#vocabulary';
import {
  IRQ_SET_BYTES,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
} from '#vocabulary';
import { neededBytes } from './measure.ts';
import { changed } from './names.ts';
import { pick } from './random.ts';

const UINT32_MAX = 0xffffffff;

/** One way to write a VFIO_DEVICE_SET_IRQS that is not right. */
const SPOILS = [
  'noDataBit',
  'twoDataBits',
  'noActionBit',
  'twoActionBits',
  'mask',
  'unknownBit',
  'argszShort',
  'argszLong',
  'unreadable',
  'otherIndex',
  'wrapAround',
  'atTableEnd',
  'dataMissing',
  'dataUnmapped',
] as const;

type Spoil = (typeof SPOILS)[number];

/**
 * The operation with one thing about its header or its memory changed. Spoils may be put on top of each other.
 * @param size how many vectors its index has
 */
export function spoil(random: Random, operation: VfioSetIrqs, size: number): VfioSetIrqs {
  return changed(operation, drawChange(random, operation, size, pick(random, SPOILS)));
}

function drawChange(random: Random, operation: VfioSetIrqs, size: number, how: Spoil): Partial<VfioSetIrqs> {
  const { flags } = operation;
  switch (how) {
    case 'noDataBit':
      return withFlags(flags & ~VFIO_IRQ_SET_DATA_TYPE_MASK);
    case 'twoDataBits':
      return withFlags(flags | pick(random, TWO_DATA_BITS));
    case 'noActionBit':
      return withFlags(flags & ~VFIO_IRQ_SET_ACTION_TYPE_MASK);
    case 'twoActionBits':
      return withFlags(flags | pick(random, MASKS));
    case 'mask':
      return withFlags((flags & ~VFIO_IRQ_SET_ACTION_TYPE_MASK) | pick(random, MASKS));
    case 'unknownBit':
      return withFlags(flags | pick(random, UNKNOWN_BITS));
    case 'argszShort':
      return { argsz: pick(random, [0, 15, IRQ_SET_BYTES - 1, Math.max(0, neededBytes(operation) - 1)]) };
    case 'argszLong':
      return { argsz: pick(random, [neededBytes(operation) + 1, 4096, UINT32_MAX]) };
    case 'unreadable':
      return { unreadable: true };
    case 'otherIndex':
      return { index: pick(random, OTHER_INDICES) };
    case 'wrapAround':
      return drawWrapAround(random, operation);
    case 'atTableEnd':
      return { start: size, count: pick(random, [0, 0, operation.count]) };
    case 'dataMissing':
      return { data: withoutLast(random, operation) };
    case 'dataUnmapped': {
      const count = operation.data.length === 0 ? Math.max(1, operation.count) : operation.count;
      const bytes = neededBytes({ ...operation, count });
      // argsz says that all is there; the memory says it is not.
      const argsz = pick(random, [bytes, bytes, UINT32_MAX]);
      return { count, data: withoutLast(random, operation), argsz };
    }
  }
}

/** To be added to any one DATA bit: with each of them at least one of the two is new. */
const TWO_DATA_BITS: readonly number[] = [
  VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
];

const MASKS: readonly number[] = [VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK];

const UNKNOWN_BITS: readonly number[] = [0x40, 0x100, 0x40000000, 0x80000000];

const OTHER_INDICES: readonly number[] = [0, 1, 3, 4, 5, UINT32_MAX];

function withFlags(flags: number): Pick<VfioSetIrqs, 'flags'> {
  return { flags: flags >>> 0 };
}

/** Numbers whose sum does not fit, or only just. */
function drawWrapAround(random: Random, { start, count }: VfioSetIrqs): Pick<VfioSetIrqs, 'start' | 'count'> {
  return pick(random, [
    { start: UINT32_MAX, count },
    { start: UINT32_MAX - 1, count: 1 },
    { start: UINT32_MAX - 1, count: 0 },
    { start: 0x80000000, count: 0x80000000 },
    { start, count: UINT32_MAX },
    { start, count: UINT32_MAX - start },
    { start, count: UINT32_MAX - start - 1 },
    { start: 0, count: UINT32_MAX },
  ]);
}

/** The data without its last element, or without all. */
function withoutLast(random: Random, { data }: VfioSetIrqs): VfioSetIrqs['data'] {
  return data.slice(0, pick(random, [0, -1, -1]));
}
