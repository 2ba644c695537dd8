import { submission } from './mdev-draw.ts';
import type { Moves } from './mdev-moves.ts';
import {
  complete,
  disable,
  enable,
  event,
  likelyEntry,
  maybe,
  prepare,
  request,
  run,
  strange,
  synchronise,
  takeEntry,
} from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, told } from './mdev-number.ts';
import { chance } from './random.ts';

export function* drawHandles(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* maybe(scene, 30, () => request(scene, device, vector));
  yield* prepare(scene, device, vector);
  yield* request(scene, device, vector);
  const handle = told(scene, device).told.get(vector) ?? likelyEntry(scene, device, vector);
  const submit = submission(scene, device, vector);
  yield* maybe(scene, 40, () => run(scene, submit));
  yield* maybe(scene, 30, function* () {
    yield submit;
    yield { kind: 'device.start', descriptor: submit.descriptor };
  });
  const operand = scene.memory.config.mdev.releaseBy === 'index' ? vector : handle;
  yield { kind: 'guest.releaseHandle', device, operand };
  yield* complete(scene, submit.descriptor);
  yield* maybe(scene, 50, () => event(scene, device, vector));
  yield* maybe(scene, 50, () => request(scene, device, vector));
  yield* maybe(scene, 40, () => synchronise(scene, device, vector));
  yield* maybe(scene, 50, () => event(scene, device, vector));
}

export function* drawRevoke(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* maybe(scene, 50, () => enable(scene, device, 0));
  yield* prepare(scene, device, vector);
  yield* request(scene, device, vector);
  const old = likelyEntry(scene, device, vector);
  yield* disable(scene, device, vector);
  yield* takeEntry(scene, device);
  yield* enable(scene, device, vector);
  yield* maybe(scene, 60, () => run(scene, strange(scene, device, old)));
  if (chance(random, 60)) yield { kind: 'guest.unmask', device, vector: 0 };
  yield* maybe(scene, 60, () => request(scene, device, vector));
  yield* event(scene, device, vector);
}
