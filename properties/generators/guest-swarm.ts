import type { Random } from 'fast-check';
import type { OperationKind, PciFunction, Support } from '#vocabulary';
import type { Gesture, GuestMix, GuestMixName, HostGesture } from './guest-mix.ts';
import { GUEST_MIX_NAMES, GUEST_MIXES } from './guest-mix.ts';
import { suits } from './pci-function.ts';
import { chance, pick, tickets } from './random.ts';

/** In which order a guest comes to vectors that it did not have before. */
export type GrowthOrder = 'ascending' | 'descending' | 'random' | 'gaps';

/** The kinds that a guest's own operations and its device's are drawn from. */
export type DrawnKind = keyof GuestMix['kinds'];

/** What one scenario with a guest is like: each draws its own, as without a guest. */
export interface GuestSwarm {
  /** One per device, in the order of the Config. */
  readonly devices: readonly GuestDeviceSwarm[];
  readonly order: GrowthOrder;
  readonly gesturePercent: number;
  /** Percent of gestures' operations before which another one comes. */
  readonly interruptPercent: number;
  /** Percent of writes that name their bytes where a plain one would do. */
  readonly spellPercent: number;
  /** Percent of operations that begin with the host. */
  readonly hostPercent: number;
  /** What the host does; empty where nothing. */
  readonly hostGestures: readonly HostGesture[];
}

/** What the scenario does with one device. */
export interface GuestDeviceSwarm {
  /** Tickets to `pick` from; a kind that is off has none. Not empty. */
  readonly kinds: readonly DrawnKind[];
  readonly kindWeights: Readonly<Partial<Record<OperationKind, number>>>;
  readonly gestures: readonly Gesture[];
}

const KIND_OFF_PERCENT = 12;
const GESTURE_OFF_PERCENT = 25;
/** Failures are soon all that there is to see: most scenarios have none. */
const HOST_PERCENT = 28;

const ORDERS: readonly GrowthOrder[] = ['ascending', 'ascending', 'descending', 'random', 'random', 'gaps'];

/** Without these nothing happens at all. */
const ESSENTIAL: readonly DrawnKind[] = ['guest.msixControl', 'guest.unmask', 'device.raise'];

export function drawGuestSwarm(random: Random, support: Support, devices: readonly PciFunction[]): GuestSwarm {
  const name: GuestMixName = pick(random, GUEST_MIX_NAMES);
  const mix: GuestMix = GUEST_MIXES[name];
  const kinds = drawKinds(random, support, mix);
  const gestures = drawGestures(random, mix);
  const hostGestures = chance(random, HOST_PERCENT) ? drawHostGestures(random, support) : [];
  return {
    devices: devices.map((pciFunction) => drawDeviceSwarm(pciFunction, support, kinds, gestures)),
    order: pick(random, ORDERS),
    gesturePercent: mix.gesturePercent,
    interruptPercent: pick(random, [0, 5, 15, 30]),
    spellPercent: name === 'accesses' ? 50 : pick(random, [0, 0, 5, 20]),
    hostPercent: hostGestures.length === 0 ? 0 : pick(random, [20, 30, 50]),
    hostGestures,
  };
}

function drawKinds(random: Random, { operations }: Support, mix: GuestMix): Record<DrawnKind, number> {
  const weights: Record<DrawnKind, number> = { ...mix.kinds };
  for (const kind in weights) {
    const drawn = kind as DrawnKind;
    const isOff = !ESSENTIAL.includes(drawn) && chance(random, KIND_OFF_PERCENT);
    if (isOff || !operations.has(drawn)) weights[drawn] = 0;
  }
  return weights;
}

function drawGestures(random: Random, mix: GuestMix): Gesture[] {
  const weights: Record<Gesture, number> = { ...mix.gestures };
  for (const gesture in weights) {
    if (gesture !== 'grow' && chance(random, GESTURE_OFF_PERCENT)) weights[gesture as Gesture] = 0;
  }
  return tickets(weights);
}

function drawHostGestures(random: Random, { operations }: Support): HostGesture[] {
  const both: HostGesture[] = [];
  if (operations.has('host.limitVectors')) both.push('limit');
  if (operations.has('host.failAllocation')) both.push('failure');
  return both.length > 1 && chance(random, 60) ? [pick(random, both)] : both;
}

function drawDeviceSwarm(
  pciFunction: PciFunction,
  support: Support,
  weights: Readonly<Record<DrawnKind, number>>,
  gestures: readonly Gesture[],
): GuestDeviceSwarm {
  const wanted = possibleKinds(pciFunction, support, weights);
  const kinds = tickets(wanted);
  if (kinds.length > 0) return { kinds, kindWeights: wanted, gestures };
  const fallback = possibleKinds(pciFunction, support, GUEST_MIXES.everyday.kinds);
  return { kinds: tickets(fallback), kindWeights: fallback, gestures };
}

function possibleKinds(
  pciFunction: PciFunction,
  { operations }: Support,
  weights: Readonly<Record<DrawnKind, number>>,
): Record<DrawnKind, number> {
  const possible: Record<DrawnKind, number> = { ...weights };
  for (const key in possible) {
    const kind = key as DrawnKind;
    if (!operations.has(kind) || !suits(kind, pciFunction)) possible[kind] = 0;
  }
  return possible;
}

/** Whether the scenario has such operations, in gestures or alone. */
export function isOn({ kindWeights }: GuestDeviceSwarm, kind: OperationKind): boolean {
  return (kindWeights[kind] ?? 0) > 0;
}

export function guestDeviceSwarm(swarm: GuestSwarm, device: number): GuestDeviceSwarm {
  return swarm.devices[device] as GuestDeviceSwarm;
}
