import type { Random } from 'fast-check';
import type { Config, HostTraits, OperationKind, PciFunction, Support } from '#vocabulary';
import { MSIX_VECTORS_MAX, OPERATION_KINDS } from '#vocabulary';
import type { Mix, MixName, RangeShape, Request } from './mix.ts';
import { MIX_NAMES, MIXES } from './mix.ts';
import { chance, pick, tickets } from './random.ts';

/** How the vectors of a range share the eventfds. */
export type Sharing = 'byVector' | 'random' | 'one';

/**
 * What one scenario is like. Every scenario draws its own: kinds that never occur together in one average mix
 * do so in some of these, and kinds that undo each other's work are apart in others (swarm testing, Groce 2012).
 */
export interface Swarm {
  /** Tickets to `pick` from; a kind that is off has none. */
  readonly kinds: readonly OperationKind[];
  readonly isOn: (kind: OperationKind) => boolean;
  readonly requests: readonly Request[];
  readonly asksFor: (request: Request) => boolean;
  readonly ranges: readonly RangeShape[];
  readonly followUpPercent: number;
  /** Operations use e0 to e(eventfds - 1). */
  readonly eventfds: number;
  readonly sharing: Sharing;
  /** Percent of ranges with one descriptor that is refused. */
  readonly badPercent: number;
  /** Percent of ranges of eventfds with a -1 among them. */
  readonly holePercent: number;
  /** Percent of arguments that are malformed. */
  readonly malformedPercent: number;
}

const KIND_OFF_PERCENT = 25;
const REQUEST_OFF_PERCENT = 20;

export function drawSwarm(random: Random, support: Support): Swarm {
  const name = pick(random, MIX_NAMES);
  const mix: Mix = MIXES[name];
  const kinds = tickets(drawKinds(random, support, mix));
  const requests = tickets(drawRequests(random, mix));
  return {
    kinds,
    isOn: (kind) => kinds.includes(kind),
    requests,
    asksFor: (request) => requests.includes(request),
    ranges: tickets(mix.ranges),
    followUpPercent: mix.followUpPercent,
    eventfds: random.nextInt(1, 6),
    sharing: pick(random, SHARINGS),
    badPercent: drawBadPercent(random, name),
    holePercent: chance(random, 50) ? 0 : 15,
    malformedPercent: drawMalformedPercent(random, name),
  };
}

const SHARINGS: readonly Sharing[] = ['byVector', 'byVector', 'random', 'one'];

function drawKinds(random: Random, support: Support, mix: Mix): Record<OperationKind, number> {
  const weights: Record<OperationKind, number> = { ...mix.kinds };
  for (const kind of OPERATION_KINDS) {
    const isOff = kind !== 'vfio.setIrqs' && chance(random, KIND_OFF_PERCENT);
    if (isOff || !support.operations.has(kind)) weights[kind] = 0;
  }
  // A device that is closed for good answers EBADF to all the rest.
  if (weights['vfio.open'] === 0 && support.operations.has('vfio.open')) weights['vfio.close'] = 0;
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

/** Never in many scenarios, so that long runs exist in which all goes well. */
function drawBadPercent(random: Random, name: MixName): number {
  return name === 'errors' ? 30 : pick(random, [0, 0, 10, 20]);
}

function drawMalformedPercent(random: Random, name: MixName): number {
  return name === 'errors' ? 30 : pick(random, [0, 0, 0, 4]);
}

export function drawConfig(random: Random, support: Support, host: HostTraits): Config {
  const count = support.devicesMax > 1 && chance(random, 20) ? 2 : 1;
  const devices: PciFunction[] = [];
  for (let device = 0; device < count; device++) {
    devices.push({ msixVectors: drawMsixVectors(random, support), whileOff: pick(random, support.whileOff) });
  }
  return { host, devices };
}

/** Sizes around the ends of words in a bit map. */
const WORD_SIZES: readonly number[] = [31, 32, 33, 63, 64, 65];

/** Mostly small: a fault that needs a large table is rare, and a small one meets its edges all the time. */
function drawMsixVectors(random: Random, { msixVectors }: Support): number {
  const choice = random.nextInt(0, 15);
  if (msixVectors === 'any') {
    if (choice < 11) return random.nextInt(1, 10);
    if (choice < 14) return pick(random, WORD_SIZES);
    return choice === 14 ? random.nextInt(11, 128) : MSIX_VECTORS_MAX;
  }
  const small = msixVectors.filter((vectors) => vectors <= 10);
  return pick(random, choice < 11 && small.length > 0 ? small : msixVectors);
}
