import type { Random } from 'fast-check';
import type { OperationKind, Support } from '#vocabulary';
import { isAskable, PASID_MAX } from '#vocabulary';
import type { Habits } from './descriptors.ts';
import type { MdevConfig } from './mdev-config.ts';
import type { MdevGesture, MdevKind, MdevMix, MdevMixName } from './mdev-mix.ts';
import { MDEV_MIX_NAMES, MDEV_MIXES } from './mdev-mix.ts';
import { chance, pick, tickets } from './random.ts';

/** What one scenario with mdevs is like: each draws its own, as without. */
export interface MdevSwarm extends Habits {
  /** Tickets to `pick` from; a kind that is off has none. Not empty. */
  readonly kinds: readonly MdevKind[];
  readonly gestures: readonly MdevGesture[];
  /** Whether the scenario has such operations, in gestures or alone. */
  readonly isOn: (kind: OperationKind) => boolean;
  /** Guest PASIDs that the guests come back to: the numbers of the host's own. Not empty. */
  readonly pasids: readonly number[];
  readonly gesturePercent: number;
  /** Percent of gestures' operations before which another one comes. */
  readonly interruptPercent: number;
  /** Percent of VFIO_DEVICE_SET_IRQS that are malformed. */
  readonly malformedPercent: number;
  /** Percent of what a guest does with a VMM that is about what the VMM shows it alone. */
  readonly shownPercent: number;
}

const KIND_OFF_PERCENT = 15;
const GESTURE_OFF_PERCENT = 25;

/** Without these nothing happens at all. */
const ESSENTIAL: readonly MdevKind[] = [
  ...(['vfio.setIrqs', 'guest.unmask', 'guest.submit'] as const),
  ...(['device.start', 'device.complete'] as const),
];

/** What takes something away, and what gives it back: not one without the other. */
const TOGETHER: readonly (readonly [MdevKind, readonly MdevKind[]])[] = [
  ['vfio.close', ['vfio.open']],
  ['host.detach', ['host.attach']],
  ['host.removeMdev', ['host.createMdev', 'host.attach', 'vfio.open']],
  ['host.crash', ['host.attach', 'vfio.open']],
];

/** Default PASIDs are the first numbers of the host; 1, 2 and 3 are what one gets by adding up bits. */
const PASIDS: readonly (readonly number[])[] = [
  [1, 2, 3],
  [1, 2, 3, 4, 5],
  [1, 2, 3],
  [2, 3, 4],
  [1, 2, 4, 8],
  [3, 5],
];

export function drawMdevSwarm(random: Random, support: Support, config: MdevConfig): MdevSwarm {
  const name: MdevMixName = pick(random, MDEV_MIX_NAMES);
  const mix: MdevMix = MDEV_MIXES[name];
  const off = drawOff(random);
  const isOn = (kind: OperationKind): boolean =>
    support.operations.has(kind) && isAskable(config, kind) && !off.has(kind);
  const isErrors = name === 'errors';
  return {
    kinds: tickets(kindsOf(mix, isOn)),
    gestures: tickets(drawGestures(random, mix, isOn)),
    isOn,
    pasids: chance(random, 12) ? drawFarApart(random) : pick(random, PASIDS),
    eventfds: random.nextInt(2, 6),
    sharing: pick(random, ['byVector', 'byVector', 'byVector', 'random'] as const),
    badPercent: isErrors ? 25 : pick(random, [0, 0, 0, 10]),
    holePercent: pick(random, [0, 0, 15]),
    malformedPercent: isErrors ? 30 : pick(random, [0, 0, 0, 6]),
    gesturePercent: pick(random, [30, 50, 70]),
    interruptPercent: pick(random, [0, 5, 10, 20, 30]),
    shownPercent: pick(random, [15, 30, 50]),
  };
}

function kindsOf(mix: MdevMix, isOn: (kind: OperationKind) => boolean): Record<MdevKind, number> {
  const weights: Record<MdevKind, number> = { ...mix.kinds };
  for (const kind of ALL_KINDS) if (!isOn(kind)) weights[kind] = 0;
  return weights;
}

const ALL_KINDS = Object.keys(MDEV_MIXES.everyday.kinds) as readonly MdevKind[];

/** The kinds that the scenario does without. */
function drawOff(random: Random): ReadonlySet<OperationKind> {
  const off = new Set<OperationKind>(
    ALL_KINDS.filter((kind) => !ESSENTIAL.includes(kind) && chance(random, KIND_OFF_PERCENT)),
  );
  for (const [taking, giving] of TOGETHER) if (giving.some((kind) => off.has(kind))) off.add(taking);
  return off;
}

function drawGestures(
  random: Random,
  mix: MdevMix,
  isOn: (kind: OperationKind) => boolean,
): Record<MdevGesture, number> {
  const weights: Record<MdevGesture, number> = { ...mix.gestures };
  for (const gesture in weights) {
    if (gesture !== 'use' && chance(random, GESTURE_OFF_PERCENT)) weights[gesture as MdevGesture] = 0;
  }
  if (!isOn('device.armDescriptor')) weights.armed = 0;
  if (!isOn('host.attach')) weights.lifecycle = 0;
  return weights;
}

/** Numbers that have nothing in common, so that what keeps them by number has them in any place. */
function drawFarApart(random: Random): readonly number[] {
  return Array.from({ length: 4 }, () => random.nextInt(1, random.nextInt(0, 1) === 0 ? PASID_MAX : 100));
}

/** A number that is no PASID: 20 bits are not enough for it. */
export function drawBeyondPasids(random: Random): number {
  return pick(random, [PASID_MAX + 1, PASID_MAX + 2, 0xffffffff]);
}

/** A guest PASID out of the ordinary: none, the largest, or numbers with one bit in common with small ones. */
export function drawOddPasid(random: Random): number {
  return pick(random, [0, PASID_MAX, 16, 0x10001, 17]);
}
