import type { Moves } from './mdev-moves.ts';
import { disable, enable, event, likelyEntry, maybe, prepare, ready, request, run, strange } from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawNewPasid, drawOther, told } from './mdev-number.ts';
import { armRange, armVector } from './mdev-vfio.ts';
import { chance, pick } from './random.ts';

/** How the vector comes back to life after what was done to its mdev. */
export function* drawAfterwards(scene: Scene, device: number, vector: number): Moves {
  yield* ready(scene, device);
  yield* enable(scene, device, vector);
  yield* maybe(scene, 70, () => request(scene, device, vector));
  yield* event(scene, device, vector);
}

const ENDINGS = ['close', 'close', 'detach', 'detach', 'remove', 'crash', 'both', 'twice'] as const;

/** Something of the mdev is in use, and then it has to go; what it had is the next one's. */
export function* drawLifecycle(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* maybe(scene, 80, () => prepare(scene, device, vector));
  const entry = likelyEntry(scene, device, vector);
  yield* maybe(scene, 40, function* () {
    const submit = strange(scene, device, entry);
    yield submit;
    if (chance(random, 60)) yield { kind: 'device.start', descriptor: submit.descriptor };
  });
  yield* end(scene, device);
  const other = drawOther(scene, device);
  yield* maybe(scene, 40, function* () {
    if (chance(random, 40)) yield { kind: 'guest.bindPasid', device: other, pasid: drawNewPasid(scene, other) };
    yield* enable(scene, other, drawIms(scene, other));
    yield* run(scene, strange(scene, other, entry));
  });
  yield* maybe(scene, 60, () => drawAfterwards(scene, device, vector));
}

function* end(scene: Scene, device: number): Moves {
  const { vm } = told(scene, device);
  switch (pick(scene.random, ENDINGS)) {
    case 'close':
      return yield { kind: 'vfio.close', device };
    case 'detach':
      return yield { kind: 'host.detach', device };
    case 'remove':
      return yield { kind: 'host.removeMdev', device };
    case 'crash':
      return yield { kind: 'host.crash', vm };
    case 'both':
      yield { kind: 'vfio.close', device };
      return yield { kind: 'host.detach', device };
    case 'twice':
      yield { kind: 'vfio.open', device };
      return yield { kind: 'vfio.close', device };
  }
}

/** Everybody takes what there is; then somebody gives one back. */
export function* drawExhaust(scene: Scene, device: number): Moves {
  const { memory, random } = scene;
  const other = drawOther(scene, device);
  const isGuest = memory.config.vmm !== undefined;
  for (const one of [device, other]) {
    yield* ready(scene, one);
    const { size } = told(scene, one);
    if (!isGuest && chance(random, 60)) yield armRange(scene, one, 1, size - 1);
    else for (let vector = 1; vector < Math.min(size, 4); vector++) yield* enable(scene, one, vector);
  }
  const vector = drawIms(scene, device);
  yield* disable(scene, device, vector);
  if (isGuest) yield* enable(scene, other, drawIms(scene, other));
  else yield armVector(scene, other, drawIms(scene, other));
  yield* maybe(scene, 50, () => enable(scene, device, vector));
}

/** Two VMs bind what there is, in turn, and give some of it back. */
export function* drawPasids(scene: Scene, device: number): Moves {
  const { random } = scene;
  const pair = [device, drawOther(scene, device)];
  for (let nth = random.nextInt(2, 6); nth > 0; nth--) {
    const one = pick(random, pair);
    yield { kind: 'guest.bindPasid', device: one, pasid: drawNewPasid(scene, one) };
  }
  const pasid = pick(random, scene.swarm.pasids);
  yield { kind: 'guest.freePasid', device, pasid };
  yield* maybe(scene, 30, function* () {
    yield { kind: 'guest.freePasid', device, pasid };
  });
  yield { kind: 'guest.bindPasid', device: pick(random, pair), pasid };
}

/** An interrupt that the host does not give, of one vector or in the middle of several. */
export function* drawFailure(scene: Scene, device: number): Moves {
  const { memory, random } = scene;
  const vector = drawIms(scene, device);
  const { size } = told(scene, device);
  yield* ready(scene, device);
  yield { kind: 'host.failAllocation', nth: random.nextInt(1, 3) };
  if (memory.config.vmm === undefined && size > 2) yield armRange(scene, device, random.nextInt(0, 1), size);
  yield* enable(scene, device, vector);
  yield* maybe(scene, 50, () => prepare(scene, device, vector));
  yield* event(scene, device, vector);
}
