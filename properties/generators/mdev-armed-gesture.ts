import { submission } from './mdev-draw.ts';
import type { Moves } from './mdev-moves.ts';
import { disable, event, maybe, otherPerm, prepare, resetOf } from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawOther, told } from './mdev-number.ts';
import { chance, pick } from './random.ts';

/** Something that makes the VMM react, while a descriptor is about to begin and end. */
export function* drawArmed(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  const count = chance(random, 20) ? 2 : 1;
  for (let nth = 0; nth < count; nth++) {
    const submit = submission(scene, chance(random, 80) ? device : drawOther(scene, device), vector);
    yield submit;
    if (chance(random, 40)) yield { kind: 'device.start', descriptor: submit.descriptor };
    const window = pick(random, ['teardown-gap', 'before-call', 'after-set'] as const);
    yield { kind: 'device.armDescriptor', device, descriptor: submit.descriptor, window };
  }
  yield* drawOpener(scene, device, vector);
  yield* maybe(scene, 40, () => event(scene, device, vector));
}

/** What a VMM reacts to with calls of vfio, or not at all. */
function* drawOpener(scene: Scene, device: number, vector: number): Moves {
  const { size } = told(scene, device);
  const other = Math.min(vector + 1, size - 1);
  switch (pick(scene.random, ['grow', 'grow', 'grow', 'off', 'again', 'reset', 'free', 'perm'] as const)) {
    case 'grow':
      return yield { kind: 'guest.unmask', device, vector: other };
    case 'off':
      return yield* disable(scene, device, vector);
    case 'again':
      yield { kind: 'guest.mask', device, vector };
      return yield { kind: 'guest.unmask', device, vector };
    case 'reset':
      return yield resetOf(scene, device);
    case 'free':
      return yield { kind: 'guest.freePasid', device, pasid: told(scene, device).perms.get(vector) ?? 1 };
    case 'perm':
      return yield* otherPerm(scene, device, vector);
  }
}
