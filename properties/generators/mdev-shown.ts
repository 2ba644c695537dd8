import type { Random } from 'fast-check';
import type { Operation, Support } from '#vocabulary';
import { isAskable, isGuestOperation, WINDOWS } from '#vocabulary';
import { spelled } from './guest-access-draw.ts';
import { drawAsked } from './guest-draw.ts';
import { drawGesture, drawHostGesture } from './guest-gesture.ts';
import type { GuestMemory } from './guest-memory.ts';
import { emptyGuestMemory, rememberAsked } from './guest-memory.ts';
import type { Asked } from './guest-mix.ts';
import type { GuestSwarm } from './guest-swarm.ts';
import { drawGuestSwarm, guestDeviceSwarm, isOn } from './guest-swarm.ts';
import type { MdevConfig } from './mdev-config.ts';
import { submission } from './mdev-draw.ts';
import type { Moves } from './mdev-moves.ts';
import { event } from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawServed } from './mdev-number.ts';
import { chance, pick } from './random.ts';
import { drawHot } from './vector.ts';

/** What a VMM shows its guest of the mdevs, and what the guest has done to that: as with any other function. */
export interface Shown {
  readonly swarm: GuestSwarm;
  readonly memory: GuestMemory;
}

export function emptyShown(random: Random, support: Support, config: MdevConfig): Shown {
  const operations = new Set([...support.operations].filter((kind) => isAskable(config, kind)));
  return {
    swarm: drawGuestSwarm(random, { ...support, operations }, config.devices),
    memory: emptyGuestMemory(config, (size) => drawHot(random, size)),
  };
}

export function rememberShown({ memory }: Shown, operation: Operation): void {
  if (isGuestOperation(operation)) rememberAsked(memory, operation);
}

/** Whether the scenario has such accesses to a device. */
export function isShown({ swarm }: Shown, operation: Operation): boolean {
  return !isGuestOperation(operation) || isOn(guestDeviceSwarm(swarm, operation.device), operation.kind);
}

/** A gesture as guests make it of any function, or one access alone. */
export function* drawShown(scene: Scene, shown: Shown, device: number): Moves {
  const { random } = scene;
  const { swarm, memory } = shown;
  const own = guestDeviceSwarm(swarm, device);
  if (chance(random, swarm.hostPercent)) {
    const gesture = pick(random, swarm.hostGestures);
    yield* asMdev(scene, drawHostGesture(random, swarm.order, memory, device, gesture));
  } else if (chance(random, swarm.gesturePercent)) {
    yield* asMdev(scene, drawGesture(random, swarm.order, memory, device, pick(random, own.gestures)));
  } else {
    const drawn = drawAsked(random, swarm, memory, device, pick(random, own.kinds));
    yield* asMdev(scene, [chance(random, swarm.spellPercent) ? spelled(random, drawn) : drawn]);
  }
}

/** An mdev has no events of its own but for vector 0: those of the others are descriptors that end. */
function* asMdev(scene: Scene, operations: readonly Asked[]): Moves {
  for (const operation of operations) {
    if (operation.kind === 'device.arm') yield* arm(scene, operation.device);
    else if (operation.kind !== 'device.raise' || operation.vector === 0 || chance(scene.random, 15)) yield operation;
    else yield* event(scene, operation.device, operation.vector);
  }
}

function* arm(scene: Scene, device: number): Moves {
  const { random } = scene;
  const submit = submission(scene, device, drawServed(scene, device));
  yield submit;
  if (chance(random, 40)) yield { kind: 'device.start', descriptor: submit.descriptor };
  yield { kind: 'device.armDescriptor', device, descriptor: submit.descriptor, window: pick(random, WINDOWS) };
}
