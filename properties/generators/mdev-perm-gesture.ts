import { submission } from './mdev-draw.ts';
import type { Moves } from './mdev-moves.ts';
import {
  complete,
  disable,
  event,
  likelyEntry,
  maybe,
  ready,
  run,
  secure,
  serve,
  strange,
  synchronise,
  takeEntry,
} from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawNewPasid, drawOther } from './mdev-number.ts';
import { chance } from './random.ts';

/** Too late for the vector that is in use; sometimes in time for its next trigger, or its next unmask. */
export function* drawLatePerm(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* ready(scene, device);
  yield* serve(scene, device, vector);
  yield* maybe(scene, 30, () => event(scene, device, vector));
  yield* secure(scene, device, vector);
  yield* maybe(scene, 60, () => event(scene, device, vector));
  yield* maybe(scene, 70, () => synchronise(scene, device, vector));
  yield* maybe(scene, 60, () => event(scene, device, vector));
}

/** A PASID that nobody has bound yet, or that only another VM has. */
export function* drawEarlyPerm(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  const pasid = drawNewPasid(scene, device);
  const other = drawOther(scene, device);
  yield* ready(scene, device);
  yield { kind: 'guest.msixPerm', device, vector, pasidEnable: true, pasid, ignore: false };
  yield* maybe(scene, 30, function* () {
    yield { kind: 'guest.bindPasid', device: other, pasid };
  });
  yield* serve(scene, device, vector);
  yield* maybe(scene, 40, () => event(scene, device, vector));
  yield { kind: 'guest.bindPasid', device, pasid };
  yield* maybe(scene, 40, () => synchronise(scene, device, vector));
  yield* event(scene, device, vector);
}

/** Mostly with a descriptor on its way, and with somebody who is given the number next. */
export function* drawFreeLive(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* ready(scene, device);
  yield* secure(scene, device, vector);
  yield* serve(scene, device, vector);
  const submit = submission(scene, device, vector);
  const isUnderWay = chance(random, 60);
  if (isUnderWay) yield submit;
  if (isUnderWay && chance(random, 60)) yield { kind: 'device.start', descriptor: submit.descriptor };
  yield { kind: 'guest.freePasid', device, pasid: submit.pasid };
  const entry = likelyEntry(scene, device, vector);
  yield* maybe(scene, 60, function* () {
    const next = chance(random, 75) ? drawOther(scene, device) : device;
    yield { kind: 'guest.bindPasid', device: next, pasid: drawNewPasid(scene, next) };
    if (next !== device && chance(random, 60)) yield* run(scene, strange(scene, next, entry));
  });
  if (isUnderWay) yield* complete(scene, submit.descriptor);
  yield* maybe(scene, 40, function* () {
    yield { kind: 'guest.bindPasid', device, pasid: submit.pasid };
    yield* event(scene, device, vector);
  });
}

export function* drawIgnore(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  const perm = { kind: 'guest.msixPerm', device, vector, pasidEnable: false, pasid: 0 } as const;
  yield* ready(scene, device);
  if (chance(scene.random, 60)) yield { ...perm, ignore: true };
  yield* serve(scene, device, vector);
  if (chance(scene.random, 50)) yield { ...perm, ignore: true };
  yield* event(scene, device, vector);
  yield* maybe(scene, 30, function* () {
    yield { ...perm, ignore: false };
    yield* event(scene, device, vector);
  });
  yield* maybe(scene, 50, function* () {
    yield* disable(scene, device, vector);
    yield* takeEntry(scene, device);
  });
}
