import type { Random } from 'fast-check';
import type { PciFunction, RawOperation, Support } from '#vocabulary';
import { RAW_KINDS } from '#vocabulary';
import type { IntxRequest, Mix, MixName, RangeShape, Request } from './mix.ts';
import { INTX_REQUESTS, MIX_NAMES, MIXES } from './mix.ts';
import type { Family } from './pci-function.ts';
import { familiesOf, isMsixOnly, suits } from './pci-function.ts';
import { chance, pick, tickets } from './random.ts';

type RawKind = RawOperation['kind'];

/** How the vectors of a range share the eventfds. */
export type Sharing = 'byVector' | 'random' | 'one';

/**
 * What one scenario is like. Every scenario draws its own: kinds that never occur together in one average mix
 * do so in some of these, and kinds that undo each other's work are apart in others (swarm testing, Groce 2012).
 */
export interface Swarm {
  /** One per device, in the order of the Config. */
  readonly devices: readonly DeviceSwarm[];
  readonly ranges: readonly RangeShape[];
  /** Triggers use e0 to e(eventfds - 1). */
  readonly eventfds: number;
  readonly sharing: Sharing;
  /** Percent of ranges with one descriptor that is refused. */
  readonly badPercent: number;
  /** Percent of ranges of eventfds with a -1 among them. */
  readonly holePercent: number;
  /** Percent of arguments that are malformed. */
  readonly malformedPercent: number;
}

/** What the scenario does with one device: as the others, as far as the function has what it takes. */
export interface DeviceSwarm {
  /** Tickets to `pick` from; a kind that is off has none. */
  readonly kinds: readonly RawKind[];
  readonly kindWeights: Readonly<Record<RawKind, number>>;
  /** What VFIO_DEVICE_SET_IRQS is mostly about, as tickets. */
  readonly families: readonly Family[];
  readonly requests: readonly Request[];
  readonly requestWeights: Readonly<Record<Request, number>>;
  readonly intxRequests: readonly IntxRequest[];
  readonly followUpPercent: number;
}

const RANGE_TICKETS: ReadonlyMap<MixName, readonly RangeShape[]> = new Map(
  MIX_NAMES.map((name) => [name, tickets(MIXES[name].ranges)]),
);

const INTX_TICKETS: readonly IntxRequest[] = tickets(INTX_REQUESTS);

const KIND_OFF_PERCENT = 25;
const REQUEST_OFF_PERCENT = 20;
/** For functions that have more than MSI-X. */
const FOLLOW_UP_PERCENT_MIN = 45;

export function drawSwarm(random: Random, support: Support, devices: readonly PciFunction[]): Swarm {
  const name = pick(random, MIX_NAMES);
  const mix: Mix = MIXES[name];
  const kinds = drawKinds(random, support, mix);
  const requests = drawRequests(random, mix);
  return {
    devices: devices.map((pciFunction) => drawDeviceSwarm(random, pciFunction, mix, kinds, requests)),
    ranges: RANGE_TICKETS.get(name) as readonly RangeShape[],
    eventfds: random.nextInt(1, 6),
    sharing: pick(random, SHARINGS),
    badPercent: drawBadPercent(random, name),
    holePercent: chance(random, 50) ? 0 : 15,
    malformedPercent: drawMalformedPercent(random, name),
  };
}

/** Whether the scenario has such operations, drawn alone or as what follows another. */
export function isOn({ kindWeights }: DeviceSwarm, kind: RawKind): boolean {
  return kindWeights[kind] > 0;
}

export function deviceSwarm(swarm: Swarm, device: number): DeviceSwarm {
  return swarm.devices[device] as DeviceSwarm;
}

const SHARINGS: readonly Sharing[] = ['byVector', 'byVector', 'random', 'one'];

function drawKinds(random: Random, support: Support, mix: Mix): Record<RawKind, number> {
  const weights: Record<RawKind, number> = { ...mix.kinds };
  for (const kind of RAW_KINDS) {
    const isOff = kind !== 'vfio.setIrqs' && chance(random, KIND_OFF_PERCENT);
    if (isOff || !support.operations.has(kind)) weights[kind] = 0;
  }
  // A device that is closed for good answers EBADF to all the rest, and one that stays mapped is never torn down.
  if (weights['vfio.open'] === 0 && support.operations.has('vfio.open')) weights['vfio.close'] = 0;
  if (weights['vfio.unmapBar'] === 0) weights['vfio.mapBar'] = 0;
  return weights;
}

function drawRequests(random: Random, mix: Mix): Record<Request, number> {
  const weights: Record<Request, number> = { ...mix.requests };
  for (const request in weights) {
    if (request !== 'arm' && chance(random, REQUEST_OFF_PERCENT)) weights[request as Request] = 0;
  }
  if (chance(random, 15)) weights.loopbackNone += 10;
  return weights;
}

function drawDeviceSwarm(
  random: Random,
  pciFunction: PciFunction,
  mix: Mix,
  mixedKinds: Readonly<Record<RawKind, number>>,
  mixedRequests: Readonly<Record<Request, number>>,
): DeviceSwarm {
  const families = drawFamilies(random, pciFunction);
  const kindWeights = fittingKinds(pciFunction, families, mixedKinds);
  // Triggers that belong to no family, or to every one.
  const isAboutRequests = chance(random, pciFunction.express === true ? 40 : 3);
  const requestWeights = isAboutRequests ? { ...mixedRequests, request: 12 } : mixedRequests;
  return {
    kinds: tickets(kindWeights),
    kindWeights,
    families,
    requests: tickets(requestWeights),
    requestWeights,
    intxRequests: INTX_TICKETS,
    // The more there is to do, the rarer is what belongs together.
    followUpPercent: Math.max(mix.followUpPercent, isMsixOnly(pciFunction) ? 0 : FOLLOW_UP_PERCENT_MIN),
  };
}

/** One of those that the function has, with the others now and then; or all of them, for switching. */
function drawFamilies(random: Random, pciFunction: PciFunction): Family[] {
  const families = familiesOf(pciFunction);
  if (families.length === 1 || chance(random, 40)) return families;
  const main = pick(random, families);
  return [...families, ...Array<Family>(8).fill(main)];
}

/** The kinds that do not suit every function. */
const PARTICULAR_KINDS = RAW_KINDS.filter(
  (kind) => !suits(kind, { msixVectors: 0, whileOff: 'latches', silent: true }),
);

/** What suits the function, and of INTx not more than it is used. */
function fittingKinds(
  pciFunction: PciFunction,
  families: readonly Family[],
  weights: Readonly<Record<RawKind, number>>,
): Record<RawKind, number> {
  const intxShare = families.filter((family) => family === 'intx').length / families.length;
  const fitting: Record<RawKind, number> = { ...weights };
  for (const kind of PARTICULAR_KINDS) if (!suits(kind, pciFunction)) fitting[kind] = 0;
  // What is refused is soon seen.
  if (pciFunction.reset === undefined) fitting['vfio.reset'] = Math.min(1, fitting['vfio.reset']);
  for (const kind of ['device.assertIntx', 'device.deassertIntx'] as const) {
    fitting[kind] = Math.ceil(fitting[kind] * intxShare);
  }
  for (const kind of ['device.raise', 'device.arm'] as const) {
    fitting[kind] = Math.ceil(fitting[kind] * (1 - intxShare));
  }
  // Anyone can write to an eventfd, but only INTx has one that does something.
  const writes = fitting['vfio.writeEventfd'];
  fitting['vfio.writeEventfd'] = Math.max(Math.min(1, writes), Math.round(writes * intxShare));
  return fitting;
}

/** Never in many scenarios, so that long runs exist in which all goes well. */
function drawBadPercent(random: Random, name: MixName): number {
  return name === 'errors' ? 30 : pick(random, [0, 0, 10, 20]);
}

function drawMalformedPercent(random: Random, name: MixName): number {
  return name === 'errors' ? 38 : pick(random, [0, 0, 0, 4]);
}
