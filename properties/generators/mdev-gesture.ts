import type { OperationKind } from '#vocabulary';
import { drawArmed } from './mdev-armed-gesture.ts';
import { submission } from './mdev-draw.ts';
import { drawHandles, drawRevoke } from './mdev-handle-gesture.ts';
import { drawAfterwards, drawExhaust, drawFailure, drawLifecycle, drawPasids } from './mdev-host-gesture.ts';
import { entryOf } from './mdev-memory.ts';
import type { MdevGesture } from './mdev-mix.ts';
import type { Moves } from './mdev-moves.ts';
import {
  complete,
  disable,
  enable,
  event,
  likelyEntry,
  mask,
  maybe,
  otherPerm,
  prepare,
  ready,
  request,
  resetOf,
  run,
  strange,
  swap,
  synchronise,
  takeEntry,
} from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawNewPasid, drawOther, drawServed, drawServing, strangeHandle, told } from './mdev-number.ts';
import { drawEarlyPerm, drawFreeLive, drawIgnore, drawLatePerm } from './mdev-perm-gesture.ts';
import { chance, pick } from './random.ts';

/** The operations of one gesture, one after the other, as long as anyone asks for the next. */
export function drawMdevGesture(scene: Scene, device: number, gesture: MdevGesture): Moves {
  switch (gesture) {
    case 'use':
      return drawUse(scene, device);
    case 'event':
      return drawEvents(scene, device);
    case 'crossing':
      return drawCrossing(scene, device);
    case 'takeover':
      return drawTakeover(scene, device);
    case 'guess':
      return drawGuess(scene, device);
    case 'latePerm':
      return drawLatePerm(scene, device);
    case 'earlyPerm':
      return drawEarlyPerm(scene, device);
    case 'freeLive':
      return drawFreeLive(scene, device);
    case 'again':
      return drawAgain(scene, device);
    case 'masked':
      return drawMasked(scene, device);
    case 'ignore':
      return drawIgnore(scene, device);
    case 'handles':
      return drawHandles(scene, device);
    case 'revoke':
      return drawRevoke(scene, device);
    case 'reset':
      return drawReset(scene, device);
    case 'lifecycle':
      return drawLifecycle(scene, device);
    case 'exhaust':
      return drawExhaust(scene, device);
    case 'pasids':
      return drawPasids(scene, device);
    case 'failure':
      return drawFailure(scene, device);
    case 'vectorZero':
      return drawVectorZero(scene, device);
    case 'armed':
      return drawArmed(scene, device);
  }
}

function* drawUse(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  yield* event(scene, device, vector);
  yield* maybe(scene, 30, () => event(scene, device, vector));
}

function* drawEvents(scene: Scene, drawn: number): Moves {
  const device = drawServing(scene, drawn);
  const vector = drawServed(scene, device);
  yield* maybe(scene, told(scene, device).armed.has(vector) ? 0 : 70, () => prepare(scene, device, vector));
  const first = submission(scene, device, vector);
  if (chance(scene.random, 60)) {
    yield* run(scene, first);
    return;
  }
  // Two at once, of one vector or of two, and not in the order in which they came.
  yield first;
  const second = submission(scene, device, chance(scene.random, 50) ? vector : drawServed(scene, device));
  yield second;
  const both = [first.descriptor, second.descriptor];
  for (const descriptor of both) yield { kind: 'device.start', descriptor };
  for (const descriptor of both.reverse()) yield* complete(scene, descriptor);
}

/** Checked before, ended after; or submitted before and checked after. */
function* drawCrossing(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  const submit = submission(scene, device, vector);
  const { descriptor } = submit;
  const isChecked = chance(random, 75);
  yield submit;
  if (isChecked) yield { kind: 'device.start', descriptor };
  yield* maybe(scene, 15, () => mask(device, vector));
  yield* drawUpset(scene, device, vector);
  yield* maybe(scene, 55, () => takeEntry(scene, device));
  if (!isChecked) yield { kind: 'device.start', descriptor };
  // Also one that has been drained, so that one sees it stay over.
  if (chance(random, 75)) yield { kind: 'device.complete', descriptor };
  yield* maybe(scene, 30, () => drawAfterwards(scene, device, vector));
}

const UPSETS = [
  ...([
    'disable',
    'disable',
    'disable',
    'disable',
    'free',
    'free',
    'free',
    'reset',
    'reset',
    'close',
    'close',
  ] as const),
  ...(['detach', 'detach', 'crash', 'crash', 'remove', 'remove', 'perm', 'release', 'swap'] as const),
];

/** What not every scenario has. */
const UPSET_KINDS: Partial<Record<(typeof UPSETS)[number], OperationKind>> = {
  close: 'vfio.close',
  detach: 'host.detach',
  crash: 'host.crash',
  remove: 'host.removeMdev',
};

/** What may happen to a vector while a descriptor is on its way. */
function* drawUpset(scene: Scene, device: number, vector: number): Moves {
  const { random, memory, swarm } = scene;
  const named = told(scene, device).perms.get(vector);
  const pasid = named ?? pick(random, swarm.pasids);
  if (named !== undefined && chance(random, 30)) return yield { kind: 'guest.freePasid', device, pasid };
  const upsets = UPSETS.filter((upset) => swarm.isOn(UPSET_KINDS[upset] ?? 'device.start'));
  if (upsets.length === 0) return;
  switch (pick(random, upsets)) {
    case 'disable':
      return yield* disable(scene, device, vector);
    case 'free':
      return yield { kind: 'guest.freePasid', device, pasid };
    case 'reset':
      return yield resetOf(scene, device);
    case 'close':
      return yield { kind: 'vfio.close', device };
    case 'detach':
      return yield { kind: 'host.detach', device };
    case 'crash':
      return yield { kind: 'host.crash', vm: told(scene, device).vm };
    case 'remove':
      return yield { kind: 'host.removeMdev', device };
    case 'perm':
      return yield* otherPerm(scene, device, vector);
    case 'release': {
      const handle = told(scene, device).told.get(vector) ?? likelyEntry(scene, device, vector);
      const operand = memory.config.mdev.releaseBy === 'index' ? vector : handle;
      return yield { kind: 'guest.releaseHandle', device, operand };
    }
    case 'swap':
      return yield* swap(scene, device, vector);
  }
}

/** What is left in an entry: an interrupt that waits, a PASID, a bit. */
function* drawTakeover(scene: Scene, device: number): Moves {
  const { random } = scene;
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  const entry = likelyEntry(scene, device, vector);
  yield* maybe(scene, 60, function* () {
    yield { kind: 'guest.mask', device, vector };
    yield* event(scene, device, vector);
  });
  const late = chance(random, 45) ? submission(scene, device, vector) : undefined;
  if (late !== undefined) yield late;
  yield* disable(scene, device, vector);
  const other = drawOther(scene, device);
  yield* takeEntry(scene, device);
  // It is looked at only now, when what it names is somebody else's.
  if (late !== undefined) {
    yield { kind: 'device.start', descriptor: late.descriptor };
    yield* complete(scene, late.descriptor);
  }
  // The one who has lost it still knows its number.
  yield* maybe(scene, 50, () => run(scene, strange(scene, device, entry)));
  const unmasked = entryVector(scene, other, entry);
  yield* maybe(scene, 50, function* () {
    yield { kind: 'guest.unmask', device: other, vector: unmasked };
  });
  yield* maybe(scene, 40, () => event(scene, chance(random, 50) ? device : other, vector));
}

/** The vector that has an entry now, or vector 1. */
function entryVector(scene: Scene, device: number, entry: number): number {
  const { size } = told(scene, device);
  const vectors = [...Array(size).keys()];
  return vectors.find((vector) => entryOf(scene.memory, device, vector) === entry) ?? Math.min(1, size - 1);
}

function* drawGuess(scene: Scene, device: number): Moves {
  const { random } = scene;
  const other = drawOther(scene, device);
  const vector = drawIms(scene, other);
  yield* maybe(scene, 70, () => prepare(scene, other, vector));
  yield* maybe(scene, 20, () => disable(scene, other, vector));
  yield* ready(scene, device);
  yield* maybe(scene, 30, function* () {
    yield { kind: 'guest.bindPasid', device, pasid: drawNewPasid(scene, device) };
  });
  yield* run(scene, strange(scene, device, chance(random, 80) ? strangeHandle(scene, device) : 0));
}

function* drawAgain(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  yield* synchronise(scene, device, vector);
  yield* maybe(scene, 50, () => request(scene, device, vector));
  yield* event(scene, device, vector);
}

function* drawMasked(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  yield { kind: 'guest.mask', device, vector };
  yield* event(scene, device, vector);
  yield* maybe(scene, 25, () => event(scene, device, vector));
  yield* maybe(scene, 25, () => synchronise(scene, device, vector));
  yield { kind: 'guest.unmask', device, vector };
  yield* maybe(scene, 20, () => mask(device, vector));
}

function* drawReset(scene: Scene, device: number): Moves {
  const vector = drawIms(scene, device);
  yield* prepare(scene, device, vector);
  const submit = submission(scene, device, vector);
  yield* maybe(scene, 50, function* () {
    yield submit;
    if (chance(scene.random, 60)) yield { kind: 'device.start', descriptor: submit.descriptor };
  });
  yield resetOf(scene, device);
  yield* drawAfterwards(scene, device, vector);
}

/** Nothing of it ever comes to an entry. */
function* drawVectorZero(scene: Scene, device: number): Moves {
  const { random } = scene;
  yield* ready(scene, device);
  yield* enable(scene, device, 0);
  yield* maybe(scene, 30, () => mask(device, 0));
  yield { kind: 'device.raise', device, vector: 0 };
  // An error of its own, told by vector 0.
  yield* maybe(scene, 40, () => run(scene, strange(scene, device, strangeHandle(scene, device))));
  yield* maybe(scene, 30, function* () {
    yield pick(random, [
      { kind: 'guest.requestHandle', device, vector: 0 } as const,
      { kind: 'guest.msixPerm', device, vector: 0, pasidEnable: true, pasid: 1, ignore: true } as const,
    ]);
  });
  yield { kind: 'guest.unmask', device, vector: 0 };
}
