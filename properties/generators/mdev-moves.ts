import type { GuestSubmit, Operation } from '#vocabulary';
import { submission } from './mdev-draw.ts';
import { boundIn, entryOf } from './mdev-memory.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawNewPasid, drawOther, drawServed, freshDescriptor, hasServed, told } from './mdev-number.ts';
import { armVector, disableAll, removeRange } from './mdev-vfio.ts';
import { chance, pick } from './random.ts';

/**
 * What gestures are made of. Each operation is drawn when it is its turn: by then what was asked before it, and in
 * between by others, has been taken note of.
 */
export type Moves = Generator<Operation, void>;

/** In so many of 100 times. */
export function* maybe({ random }: Scene, percent: number, moves: () => Moves): Moves {
  if (chance(random, percent)) yield* moves();
}

/** The mdev exists, is attached and open, where it is not so. A VMM sees to that itself. */
export function* ready(scene: Scene, device: number): Moves {
  const mdev = told(scene, device);
  if (mdev.isGone) yield { kind: 'host.createMdev', device };
  if (!mdev.isAttached) yield { kind: 'host.attach', device };
  if (mdev.descriptors === 0) yield { kind: 'vfio.open', device };
}

/** The vector has a trigger, and its guest has unmasked it. */
export function* enable(scene: Scene, device: number, vector: number): Moves {
  const mdev = told(scene, device);
  const { vmm } = scene.memory.config;
  if (vmm === undefined) {
    if (!mdev.armed.has(vector)) yield armVector(scene, device, vector);
    if (!mdev.unmasked.has(vector) && chance(scene.random, 90)) yield { kind: 'guest.unmask', device, vector };
    return;
  }
  if (!mdev.isSetUp) yield { kind: 'guest.msixControl', device, enable: true, functionMask: false };
  if (!mdev.unmasked.has(vector)) yield { kind: 'guest.unmask', device, vector };
}

/** The vector loses its trigger, and often all of them do. */
export function* disable(scene: Scene, device: number, vector: number): Moves {
  const { random, memory } = scene;
  if (memory.config.vmm !== undefined) {
    if (chance(random, 80)) yield { kind: 'guest.msixControl', device, enable: false, functionMask: false };
    else yield { kind: 'guest.reset', device };
    return;
  }
  // Where all entries come at once, they go at once.
  const isAlone = chance(random, memory.config.mdev.allocation === 'per-vector' ? 60 : 30);
  yield isAlone ? removeRange(scene, device, vector, 1) : disableAll(device);
}

/** MSIX_PERM names a PASID that the VM has bound. */
export function* secure(scene: Scene, device: number, vector: number): Moves {
  const { random, memory } = scene;
  const own = [...boundIn(memory, device)];
  const pasid = own.length > 0 && chance(random, 50) ? pick(random, own) : drawNewPasid(scene, device);
  if (!own.includes(pasid)) yield { kind: 'guest.bindPasid', device, pasid };
  yield { kind: 'guest.msixPerm', device, vector, pasidEnable: true, pasid, ignore: false };
}

/** A vector as in use: secured or not. */
export function* prepare(scene: Scene, device: number, vector: number): Moves {
  yield* ready(scene, device);
  yield* maybe(scene, told(scene, device).viommu ? 50 : 10, () => secure(scene, device, vector));
  yield* serve(scene, device, vector);
}

/** The vector is enabled, and its guest has a handle where it needs one. */
export function* serve(scene: Scene, device: number, vector: number): Moves {
  yield* enable(scene, device, vector);
  yield* maybe(scene, needsHandle(scene) ? 90 : 25, () => request(scene, device, vector));
}

/** Whether descriptors are refused without a handle that was asked for. */
function needsHandle({ memory }: Scene): boolean {
  return memory.config.parent.handles === 'requested';
}

export function* request(scene: Scene, device: number, vector: number): Moves {
  if (told(scene, device).size > vector) yield { kind: 'guest.requestHandle', device, vector };
}

/** A descriptor of a vector from its submission to its end; of another where that one is not served, as a rule. */
export function* event(scene: Scene, device: number, vector: number): Moves {
  const { armed, told: handles } = told(scene, device);
  if (!hasServed(scene, device) && chance(scene.random, 70)) return;
  const served = armed.has(vector) || chance(scene.random, 20) ? vector : drawServed(scene, device);
  if (needsHandle(scene) && !handles.has(served)) yield* maybe(scene, 60, () => request(scene, device, served));
  yield* run(scene, submission(scene, device, served));
}

/** The same of a descriptor that is to be something special. One that has ended already is rarely ended again. */
export function* run(scene: Scene, submit: GuestSubmit): Moves {
  const { descriptor } = submit;
  yield submit;
  yield { kind: 'device.start', descriptor };
  yield* complete(scene, descriptor);
}

export function* complete(scene: Scene, descriptor: number): Moves {
  if (scene.memory.inFlight.has(descriptor) || chance(scene.random, 30)) yield { kind: 'device.complete', descriptor };
}

/** A descriptor with this handle whatever it names, and with the PASID that its queue gives it, or another. */
export function strange(scene: Scene, device: number, handle: number): GuestSubmit {
  const { random, swarm, memory } = scene;
  const descriptor = freshDescriptor(scene);
  const kind = 'guest.submit';
  const own = [...boundIn(memory, device)];
  if (chance(random, 50)) return { kind, device, descriptor, queue: 'dedicated', pasid: 0, handle };
  const pasid = own.length > 0 ? pick(random, own) : pick(random, swarm.pasids);
  return { kind, device, descriptor, queue: 'shared', pasid, handle };
}

/** The index that a vector's entry has, or will probably have. */
export function likelyEntry({ memory }: Scene, device: number, vector: number): number {
  return entryOf(memory, device, vector) ?? 0;
}

/** Where there is a VMM the device is the whole system's to reset. */
export function resetOf({ memory }: Scene, device: number): Operation {
  return { kind: memory.config.vmm === undefined ? 'vfio.reset' : 'guest.reset', device };
}

/** A second trigger where there is one already. A VMM gives one when its guest turns MSI-X on again. */
export function* swap(scene: Scene, device: number, vector: number): Moves {
  if (scene.memory.config.vmm === undefined) yield armVector(scene, device, vector);
  else {
    yield { kind: 'guest.mask', device, vector };
    yield { kind: 'guest.unmask', device, vector };
  }
}

export function* mask(device: number, vector: number): Moves {
  yield { kind: 'guest.mask', device, vector };
}

/** Somebody else's vector gets the entry that is free now. */
export function* takeEntry(scene: Scene, device: number): Moves {
  const other = drawOther(scene, device);
  const free = [...Array(told(scene, other).size).keys()].filter((vector) => !told(scene, other).armed.has(vector));
  const vector = free.find((one) => one > 0) ?? drawIms(scene, other);
  yield* maybe(scene, 90, () => ready(scene, other));
  yield* enable(scene, other, vector);
  yield* maybe(scene, needsHandle(scene) ? 60 : 10, () => request(scene, other, vector));
}

/** What makes the driver look at MSIX_PERM again, sooner or later. */
export function* synchronise(scene: Scene, device: number, vector: number): Moves {
  switch (pick(scene.random, ['unmask', 'swap', 'restart'] as const)) {
    case 'unmask':
      yield { kind: 'guest.mask', device, vector };
      return yield { kind: 'guest.unmask', device, vector };
    case 'swap':
      return yield* swap(scene, device, vector);
    case 'restart':
      yield* disable(scene, device, vector);
      return yield* enable(scene, device, vector);
  }
}

export function* otherPerm(scene: Scene, device: number, vector: number): Moves {
  const own = [...boundIn(scene.memory, device)];
  const pasid = own.length > 0 ? pick(scene.random, own) : pick(scene.random, scene.swarm.pasids);
  const pasidEnable = chance(scene.random, 60);
  yield { kind: 'guest.msixPerm', device, vector, pasidEnable, pasid: pasidEnable ? pasid : 0, ignore: false };
}
