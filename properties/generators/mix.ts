import type { OperationKind } from '#vocabulary';

/** What a VFIO_DEVICE_SET_IRQS wants, before anything about it is spoilt. */
export type Request =
  /** EVENTFD: give triggers to a range of MSI-X vectors. */
  | 'arm'
  /** EVENTFD, all -1: take the triggers of a range away. */
  | 'remove'
  /** NONE with a count: loopback. */
  | 'loopbackNone'
  /** BOOL: loopback of some. */
  | 'loopbackBool'
  /** NONE, count 0. */
  | 'disable'
  /** Anything with the REQ trigger. */
  | 'request';

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
  readonly kinds: Readonly<Record<OperationKind, number>>;
  readonly requests: Readonly<Record<Request, number>>;
  readonly ranges: Readonly<Record<RangeShape, number>>;
  /** Percent of operations that continue the last one (a raise after a disable) instead of being drawn afresh. */
  readonly followUpPercent: number;
}

const EVERYDAY_KINDS = {
  'vfio.open': 0,
  'vfio.close': 0,
  'vfio.getIrqInfo': 2,
  'vfio.setIrqs': 20,
  'vfio.closeEventfd': 1,
  'device.raise': 10,
  'device.arm': 2,
  'host.limitVectors': 0,
} satisfies Mix['kinds'];

const EVERYDAY_REQUESTS = {
  arm: 12,
  remove: 3,
  loopbackNone: 2,
  loopbackBool: 2,
  disable: 3,
  request: 1,
} satisfies Mix['requests'];

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
    kinds: { ...EVERYDAY_KINDS, 'vfio.setIrqs': 26, 'device.arm': 1 },
    requests: { ...EVERYDAY_REQUESTS, arm: 16, disable: 1 },
    ranges: { ...EVERYDAY_RANGES, fresh: 3, crossing: 8, beyond: 8, empty: 2 },
    followUpPercent: 15,
  },
  /** Enable, disable, raise in between, enable again. */
  tearDown: {
    kinds: { ...EVERYDAY_KINDS, 'device.raise': 14, 'device.arm': 8 },
    requests: { ...EVERYDAY_REQUESTS, arm: 10, disable: 8 },
    ranges: { ...EVERYDAY_RANGES, again: 8 },
    followUpPercent: 50,
  },
  /** Refusals at every check and at every position, among enough good requests to have something to lose. */
  errors: {
    kinds: { ...EVERYDAY_KINDS, 'vfio.setIrqs': 30, 'vfio.getIrqInfo': 4 },
    requests: { ...EVERYDAY_REQUESTS, request: 3 },
    ranges: { ...EVERYDAY_RANGES, again: 6, empty: 2, pastTable: 3 },
    followUpPercent: 15,
  },
  /** Descriptors come and go. */
  lifecycle: {
    kinds: { ...EVERYDAY_KINDS, 'vfio.open': 3, 'vfio.close': 4, 'vfio.closeEventfd': 4 },
    requests: { ...EVERYDAY_REQUESTS, request: 3 },
    ranges: EVERYDAY_RANGES,
    followUpPercent: 30,
  },
  /** The host runs out of vectors. */
  exhaustion: {
    kinds: { ...EVERYDAY_KINDS, 'host.limitVectors': 6, 'vfio.open': 1, 'vfio.close': 1 },
    requests: { ...EVERYDAY_REQUESTS, remove: 5 },
    ranges: { ...EVERYDAY_RANGES, crossing: 6, beyond: 5 },
    followUpPercent: 30,
  },
} satisfies Record<string, Mix>;

export type MixName = keyof typeof MIXES;

export const MIX_NAMES = Object.keys(MIXES) as MixName[];
