import type { RawOperation } from '#vocabulary';

/** What a VFIO_DEVICE_SET_IRQS wants, before anything about it is spoilt. */
export type Request =
  /** EVENTFD: give triggers to a range of vectors. */
  | 'arm'
  /** EVENTFD, all -1: take the triggers of a range away. */
  | 'remove'
  /** NONE with a count: loopback. */
  | 'loopbackNone'
  /** BOOL: loopback of some. */
  | 'loopbackBool'
  /** NONE, count 0. */
  | 'disable'
  /** Anything with the trigger of REQ or ERR. */
  | 'request';

/** What a VFIO_DEVICE_SET_IRQS about INTx wants. */
export type IntxRequest =
  | Exclude<Request, 'request'>
  | 'mask'
  | 'unmask'
  /** UNMASK with an eventfd. */
  | 'attach'
  /** UNMASK with -1. */
  | 'detach';

/** How a range lies to the ranges this scenario asked for before. */
export type RangeShape =
  /** One to four vectors anywhere. */
  | 'fresh'
  /** From vector 0 up to some vector. */
  | 'fromZero'
  /** The range asked for last. */
  | 'again'
  /** Begins below the highest vector asked for so far and ends above it. */
  | 'crossing'
  /** One vector above the highest asked for so far. */
  | 'beyond'
  /** Count 0. */
  | 'empty'
  /** The whole table. */
  | 'whole'
  /** Leaves the table. */
  | 'pastTable';

/** Weights, relative within each table; 0 is never. */
export interface Mix {
  readonly kinds: Readonly<Record<RawOperation['kind'], number>>;
  readonly requests: Readonly<Record<Request, number>>;
  readonly ranges: Readonly<Record<RangeShape, number>>;
  /** Percent of operations that continue the last one (a raise after a disable) instead of being drawn afresh. */
  readonly followUpPercent: number;
}

/** For a function that has everything; what one does not have, or not now, weighs less. */
const EVERYDAY_KINDS = {
  'vfio.open': 0,
  'vfio.close': 0,
  'vfio.getIrqInfo': 4,
  'vfio.setIrqs': 40,
  'vfio.reset': 2,
  'vfio.configWrite': 3,
  'vfio.configRead': 1,
  'vfio.tableRead': 1,
  'vfio.tableWrite': 1,
  'vfio.pbaRead': 1,
  'vfio.mapBar': 0,
  'vfio.unmapBar': 0,
  'vfio.writeEventfd': 6,
  'vfio.closeEventfd': 2,
  'device.raise': 20,
  'device.arm': 4,
  'device.assertIntx': 12,
  'device.deassertIntx': 7,
  'device.wipe': 1,
  'host.limitVectors': 0,
  'host.failAllocation': 0,
} satisfies Mix['kinds'];

const EVERYDAY_REQUESTS = {
  arm: 12,
  remove: 3,
  loopbackNone: 2,
  loopbackBool: 2,
  disable: 3,
  request: 1,
} satisfies Mix['requests'];

/** The same in every mix: INTx has one line, and so little to say that all of it comes up. */
export const INTX_REQUESTS = {
  arm: 6,
  remove: 2,
  loopbackNone: 2,
  loopbackBool: 2,
  disable: 2,
  mask: 4,
  unmask: 5,
  attach: 5,
  detach: 1,
} satisfies Record<IntxRequest, number>;

const EVERYDAY_RANGES = {
  fresh: 8,
  fromZero: 6,
  again: 3,
  crossing: 4,
  beyond: 3,
  empty: 1,
  whole: 1,
  pastTable: 1,
} satisfies Mix['ranges'];

/** What real users do, and what each kind of fault needs to show. */
export const MIXES = {
  everyday: { kinds: EVERYDAY_KINDS, requests: EVERYDAY_REQUESTS, ranges: EVERYDAY_RANGES, followUpPercent: 20 },
  /** Enable small, then larger ranges and single vectors: what NORESIZE is about. */
  growth: {
    kinds: { ...EVERYDAY_KINDS, 'vfio.setIrqs': 52, 'device.arm': 2, 'host.limitVectors': 1, 'host.failAllocation': 1 },
    requests: { ...EVERYDAY_REQUESTS, arm: 16, disable: 1 },
    ranges: { ...EVERYDAY_RANGES, fresh: 3, crossing: 8, beyond: 8, empty: 2 },
    followUpPercent: 15,
  },
  /** Enable, disable, raise in between, enable again. */
  tearDown: {
    kinds: {
      ...EVERYDAY_KINDS,
      'vfio.open': 2,
      'vfio.close': 3,
      'vfio.mapBar': 1,
      'vfio.unmapBar': 2,
      'device.raise': 28,
      'device.arm': 16,
    },
    requests: { ...EVERYDAY_REQUESTS, arm: 10, disable: 8 },
    ranges: { ...EVERYDAY_RANGES, again: 8 },
    followUpPercent: 50,
  },
  /** Refusals at every check and at every position, among enough good requests to have something to lose. */
  errors: {
    kinds: { ...EVERYDAY_KINDS, 'vfio.setIrqs': 60, 'vfio.getIrqInfo': 8, 'host.failAllocation': 1 },
    requests: { ...EVERYDAY_REQUESTS, request: 3 },
    ranges: { ...EVERYDAY_RANGES, again: 6, empty: 2, pastTable: 3 },
    followUpPercent: 15,
  },
  /** Descriptors come and go. */
  lifecycle: {
    kinds: {
      ...EVERYDAY_KINDS,
      'vfio.open': 6,
      'vfio.close': 8,
      'vfio.mapBar': 5,
      'vfio.unmapBar': 5,
      'vfio.closeEventfd': 8,
    },
    requests: { ...EVERYDAY_REQUESTS, request: 3 },
    ranges: EVERYDAY_RANGES,
    followUpPercent: 30,
  },
  /** The host runs out of vectors. */
  exhaustion: {
    kinds: { ...EVERYDAY_KINDS, 'host.limitVectors': 10, 'host.failAllocation': 8, 'vfio.open': 2, 'vfio.close': 2 },
    requests: { ...EVERYDAY_REQUESTS, remove: 5 },
    ranges: { ...EVERYDAY_RANGES, crossing: 6, beyond: 5 },
    followUpPercent: 30,
  },
  /** What else the user can do to a device: its configuration space, its table, its resets. */
  registers: {
    kinds: {
      ...EVERYDAY_KINDS,
      'vfio.open': 1,
      'vfio.close': 2,
      'vfio.reset': 6,
      'vfio.configWrite': 16,
      'vfio.configRead': 6,
      'vfio.tableRead': 4,
      'vfio.tableWrite': 4,
      'vfio.pbaRead': 4,
      'vfio.mapBar': 1,
      'vfio.unmapBar': 1,
      'device.wipe': 5,
    },
    requests: EVERYDAY_REQUESTS,
    ranges: EVERYDAY_RANGES,
    followUpPercent: 40,
  },
} satisfies Record<string, Mix>;

export type MixName = keyof typeof MIXES;

export const MIX_NAMES = Object.keys(MIXES) as MixName[];
