import type { Random } from 'fast-check';
import type { GuestPlatform, Scenario, Support } from '#vocabulary';
import { spelled } from './guest-access-draw.ts';
import { drawGuestConfig } from './guest-config.ts';
import { drawAsked } from './guest-draw.ts';
import { drawGesture, drawHostGesture } from './guest-gesture.ts';
import { withoutHole } from './guest-hole.ts';
import type { GuestMemory } from './guest-memory.ts';
import { emptyGuestMemory, rememberAsked } from './guest-memory.ts';
import type { Asked, Gesture } from './guest-mix.ts';
import type { GuestSwarm } from './guest-swarm.ts';
import { drawGuestSwarm, guestDeviceSwarm, isOn } from './guest-swarm.ts';
import { chance, pick } from './random.ts';
import { drawHot } from './vector.ts';

/** Operations in a scenario with a guest as drawn. */
export const GUEST_OPERATIONS_MIN = 5;
export const GUEST_OPERATIONS_MAX = 40;
/** One scenario in 16 may be this long. */
export const GUEST_OPERATIONS_MAX_LONG = 120;

/** One in so many scenarios may enable MSI-X over a hole where that does harm. */
const HOLES_ONE_IN = 50;

/** A whole scenario on a machine with a VMM: gestures of its guest, and single operations between them. */
export function drawGuestScenario(
  random: Random,
  support: Support,
  platform: GuestPlatform,
  lengthMax: number | undefined,
): Scenario {
  const config = drawGuestConfig(random, support, platform);
  const swarm = drawGuestSwarm(random, support, config.devices);
  const memory = emptyGuestMemory(config, (size) => drawHot(random, size));
  const length = drawLength(random, lengthMax);
  const hasHoles = support.harmedByHoles === undefined || random.nextInt(1, HOLES_ONE_IN) === 1;
  const operations: Asked[] = [];
  let begun = drawOpening(random, swarm, memory);
  let next = 0;
  while (operations.length < length) {
    if (next === begun.length) {
      begun = drawBeginning(random, swarm, memory);
      next = 0;
    }
    const isInterrupted = begun.length === 0 || chance(random, swarm.interruptPercent);
    const drawn = isInterrupted ? drawSingle(random, swarm, memory) : (begun[next++] as Asked);
    const operation = chance(random, swarm.spellPercent) ? spelledIfPossible(random, swarm, drawn) : drawn;
    for (const asked of hasHoles ? [operation] : withoutHole(memory, operation)) {
      rememberAsked(memory, asked);
      operations.push(asked);
    }
  }
  // What fills a hole may have come on top.
  return { config, operations: operations.slice(0, length) };
}

function drawLength(random: Random, lengthMax: number | undefined): number {
  const isLong = random.nextInt(1, 16) === 1;
  const most = lengthMax ?? (isLong ? GUEST_OPERATIONS_MAX_LONG : GUEST_OPERATIONS_MAX);
  return random.nextInt(Math.min(GUEST_OPERATIONS_MIN, most), most);
}

/** What drivers begin with: all else has no effect while MSI-X is off. */
const OPENINGS: readonly (Gesture | undefined)[] = [
  'grow',
  'grow',
  'grow',
  'batch',
  'batch',
  'functionMask',
  undefined,
];

function drawOpening(random: Random, swarm: GuestSwarm, memory: GuestMemory): readonly Asked[] {
  return memory.flatMap((_, device) => {
    const opening = pick(random, OPENINGS);
    return opening === undefined ? [] : askable(swarm, drawGesture(random, swarm.order, memory, device, opening));
  });
}

/** A gesture, or nothing: then a single operation is drawn. */
function drawBeginning(random: Random, swarm: GuestSwarm, memory: GuestMemory): readonly Asked[] {
  const device = drawDevice(random, memory);
  const { gestures } = guestDeviceSwarm(swarm, device);
  if (chance(random, swarm.hostPercent)) {
    return askable(swarm, drawHostGesture(random, swarm.order, memory, device, pick(random, swarm.hostGestures)));
  }
  if (!chance(random, swarm.gesturePercent)) return [];
  return askable(swarm, drawGesture(random, swarm.order, memory, device, pick(random, gestures)));
}

function drawSingle(random: Random, swarm: GuestSwarm, memory: GuestMemory): Asked {
  const device = drawDevice(random, memory);
  return drawAsked(random, swarm, memory, device, pick(random, guestDeviceSwarm(swarm, device).kinds));
}

/** What is left of a gesture on a system that cannot be asked everything, or with a device that cannot do it. */
function askable(swarm: GuestSwarm, operations: readonly Asked[]): readonly Asked[] {
  return operations.filter((operation) => isAskable(swarm, operation));
}

function isAskable(swarm: GuestSwarm, operation: Asked): boolean {
  return !('device' in operation) || isOn(guestDeviceSwarm(swarm, operation.device), operation.kind);
}

function spelledIfPossible(random: Random, swarm: GuestSwarm, operation: Asked): Asked {
  const other = spelled(random, operation);
  return isAskable(swarm, other) ? other : operation;
}

function drawDevice(random: Random, memory: GuestMemory): number {
  return memory.length === 1 ? 0 : random.nextInt(0, memory.length - 1);
}
