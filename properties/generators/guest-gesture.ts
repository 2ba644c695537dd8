import type { Random } from 'fast-check';
import type { DeviceArm, GuestMask, GuestMsixControl, GuestUnmask, Window } from '#vocabulary';
import { WINDOWS } from '#vocabulary';
import { drawMessage } from './guest-access-draw.ts';
import type { GuestDeviceMemory, GuestMemory } from './guest-memory.ts';
import { guestDevice } from './guest-memory.ts';
import type { Asked, Gesture, HostGesture } from './guest-mix.ts';
import type { GrowthOrder } from './guest-swarm.ts';
import { drawNew, drawSome, drawUsed } from './guest-vector.ts';
import { chance, pick } from './random.ts';

/** Who makes a gesture: a device by its number, what the guest has done to it, and how the scenario grows. */
interface Scene {
  readonly random: Random;
  readonly device: number;
  readonly told: GuestDeviceMemory;
  readonly order: GrowthOrder;
}

/** The operations of one gesture, in order. Not empty. */
export function drawGesture(
  random: Random,
  order: GrowthOrder,
  memory: GuestMemory,
  device: number,
  gesture: Gesture,
): readonly Asked[] {
  const scene: Scene = { random, device, told: guestDevice(memory, device), order };
  switch (gesture) {
    case 'grow':
      return drawGrowth(scene);
    case 'batch':
      return drawBatch(scene);
    case 'functionMask':
      return drawFunctionMask(scene);
    case 'maskedEvent':
      return drawMaskedEvent(scene);
    case 'flicker':
      return drawFlicker(scene);
    case 'rewrite':
      return drawRewrite(scene);
    case 'restart':
      return drawRestart(scene);
    case 'busMaster':
      return drawBusMaster(scene);
    case 'reset':
      return drawReset(scene);
    case 'armed':
      return drawArmed(scene);
  }
}

function control({ device }: Scene, enable: boolean, functionMask = false): GuestMsixControl {
  return { kind: 'guest.msixControl', device, enable, functionMask };
}

function mask({ device }: Scene, vector: number): GuestMask {
  return { kind: 'guest.mask', device, vector };
}

function unmask({ device }: Scene, vector: number): GuestUnmask {
  return { kind: 'guest.unmask', device, vector };
}

function raise({ device }: Scene, vector: number): Asked {
  return { kind: 'device.raise', device, vector };
}

/** What is asked for in so many of 100 times. */
function maybe({ random }: Scene, percent: number, ...operations: readonly Asked[]): readonly Asked[] {
  return chance(random, percent) ? operations : [];
}

/** MSI-X on and no Function Mask, where it is not so. */
function ready(scene: Scene): readonly Asked[] {
  const { enabled, functionMask } = scene.told;
  return enabled && !functionMask ? [] : [control(scene, true)];
}

/** Sometimes beside a vector that is masked, and has an event once the others have come. */
function drawGrowth(scene: Scene): readonly Asked[] {
  const { random, told, order } = scene;
  const vectors = drawNew(random, told, order, random.nextInt(1, 4));
  const before = drawUsed(random, told);
  const isMasked = chance(random, 15);
  return [
    ...ready(scene),
    ...(isMasked ? [mask(scene, before)] : []),
    ...vectors.flatMap((vector) => [
      unmask(scene, vector),
      ...maybe(scene, 30, raise(scene, pick(random, [vector, vector, before]))),
    ]),
    ...(isMasked ? [raise(scene, before)] : []),
  ];
}

/** Leaves out vectors in between, which are masked. */
function drawBatch(scene: Scene): readonly Asked[] {
  const { random, told } = scene;
  const vectors = drawSome(random, told, 4);
  const hole = pick(random, told.hot);
  return [
    ...(told.enabled ? [control(scene, false)] : []),
    ...vectors.map((vector) => unmask(scene, vector)),
    ...(told.unmasked.includes(hole) && !vectors.includes(hole) ? [mask(scene, hole)] : []),
    control(scene, true),
    ...maybe(scene, 60, raise(scene, pick(random, vectors))),
  ];
}

function drawFunctionMask(scene: Scene): readonly Asked[] {
  const { random, told } = scene;
  const vectors = drawSome(random, told, 3);
  const raised = pick(random, [...vectors, drawUsed(random, told)]);
  return [
    control(scene, true, true),
    ...vectors.map((vector) => unmask(scene, vector)),
    ...maybe(scene, 70, raise(scene, raised)),
    ...maybe(scene, 40, { kind: 'guest.readPba', device: scene.device, vector: raised }),
    control(scene, chance(random, 92)),
    ...maybe(scene, 40, raise(scene, raised)),
  ];
}

/** A vector that the guest has, or one that it will have then. */
function drawOwn({ random, told, order }: Scene): number {
  const { unmasked } = told;
  return unmasked.length > 0 && chance(random, 80) ? pick(random, unmasked) : (drawNew(random, told, order, 1)[0] ?? 0);
}

function drawMaskedEvent(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const vector = drawOwn(scene);
  const raises = pick(random, [1, 1, 2, 3]);
  return [
    ...ready(scene),
    ...(told.unmasked.includes(vector) ? [mask(scene, vector)] : []),
    ...Array.from({ length: raises }, () => raise(scene, vector)),
    ...maybe(scene, 50, { kind: 'guest.readPba', device, vector }),
    ...maybe(scene, 85, unmask(scene, vector)),
    ...maybe(scene, 20, { kind: 'guest.readPba', device, vector }),
  ];
}

function drawFlicker(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const { unmasked } = told;
  const vectors = unmasked.length > 1 && chance(random, 30) ? unmasked.slice(0, 4) : [drawOwn(scene)];
  return [
    ...vectors.map((vector) => mask(scene, vector)),
    ...maybe(scene, 15, control(scene, false), control(scene, true)),
    ...maybe(scene, 10, { kind: 'guest.tableRead', device, vector: vectors[0] ?? 0, offset: 12 }),
    ...vectors.map((vector) => unmask(scene, vector)),
    ...maybe(scene, 50, raise(scene, pick(random, vectors))),
  ];
}

/** As the specification asks for, while masked; or not. */
function drawRewrite(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const vector = drawOwn(scene);
  const isMasked = chance(random, 50);
  return [
    ...(isMasked ? [mask(scene, vector)] : []),
    ...drawMessage(random, told, device, vector),
    ...maybe(scene, 35, raise(scene, vector)),
    ...(isMasked ? [unmask(scene, vector)] : []),
    ...maybe(scene, 70, raise(scene, vector)),
  ];
}

function drawRestart(scene: Scene): readonly Asked[] {
  const { random, told } = scene;
  if (!told.enabled) return [control(scene, true, chance(random, 15)), raise(scene, drawUsed(random, told))];
  const vector = drawUsed(random, told);
  return [
    ...maybe(scene, 20, mask(scene, vector), raise(scene, vector)),
    control(scene, false),
    ...maybe(scene, 40, raise(scene, vector)),
    ...maybe(scene, 20, unmask(scene, pick(random, told.hot))),
    control(scene, true, chance(random, 10)),
    ...maybe(scene, 60, raise(scene, vector)),
  ];
}

function drawBusMaster(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const vector = drawUsed(random, told);
  const other = drawOwn(scene);
  return [
    { kind: 'guest.busMaster', device, enable: false },
    ...maybe(scene, 80, raise(scene, vector)),
    ...maybe(scene, 20, mask(scene, other), raise(scene, other), unmask(scene, other)),
    ...maybe(scene, 20, unmask(scene, pick(random, told.hot))),
    { kind: 'guest.busMaster', device, enable: true },
    ...maybe(scene, 60, raise(scene, vector)),
  ];
}

/** What a driver does once its device is another. */
function drawReset(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const vectors = drawSome(random, told, 3);
  const [first = 0] = vectors;
  const isBatch = chance(random, 30);
  const unmasks = vectors.map((vector) => unmask(scene, vector));
  return [
    { kind: 'guest.reset', device },
    ...maybe(scene, 30, raise(scene, first)),
    ...maybe(scene, 85, { kind: 'guest.busMaster', device, enable: true }),
    ...vectors.flatMap((vector) => (chance(random, 80) ? drawMessage(random, told, device, vector) : [])),
    ...(isBatch ? [...unmasks, control(scene, true)] : [control(scene, true), ...unmasks]),
    ...maybe(scene, 70, raise(scene, first)),
  ];
}

/** An event at some moment of the reaction to what then follows. */
function drawArmed(scene: Scene): readonly Asked[] {
  const { random, told, device } = scene;
  const window = pick(random, WINDOWS);
  const { before, opener } = drawOpener(scene, window);
  const vector = drawArmedVector(scene, opener);
  const arm: DeviceArm = { kind: 'device.arm', device, vector, window };
  const other = { ...arm, vector: drawUsed(random, told), window: pick(random, WINDOWS) };
  return [
    ...before,
    ...maybe(scene, 15, other),
    arm,
    opener,
    ...maybe(scene, 20, { kind: 'guest.readPba', device, vector }),
    ...maybe(scene, 30, raise(scene, vector)),
  ];
}

/** Mostly one that the guest hears, which has an event to lose; or the one that the reaction is about. */
function drawArmedVector({ random, told }: Scene, opener: Asked): number {
  if ('vector' in opener && chance(random, 30)) return opener.vector;
  const others = told.unmasked.filter((vector) => !('vector' in opener) || vector !== opener.vector);
  return others.length > 0 && chance(random, 80) ? pick(random, others) : drawUsed(random, told);
}

interface Opening {
  /** What has to be so before. */
  readonly before: readonly Asked[];
  readonly opener: Asked;
}

const OPENERS: Readonly<Record<Window, readonly ('maximum' | 'again' | 'mask' | 'off' | 'on' | 'reset')[]>> = {
  'teardown-gap': ['maximum', 'maximum', 'maximum', 'off', 'off', 'reset'],
  'before-call': ['maximum', 'maximum', 'again', 'mask', 'mask', 'off', 'on', 'reset'],
  'after-set': ['maximum', 'maximum', 'again', 'mask', 'on', 'on'],
};

/** What the VMM reacts to with calls that such a window is between. */
function drawOpener(scene: Scene, window: Window): Opening {
  const { random, told } = scene;
  const own = drawOwn(scene);
  switch (pick(random, OPENERS[window])) {
    case 'maximum':
      return drawMaximum(scene);
    case 'again':
      return { before: [...ready(scene), mask(scene, own)], opener: unmask(scene, own) };
    case 'mask':
      return {
        before: [...ready(scene), ...(told.unmasked.includes(own) ? [] : [unmask(scene, own)])],
        opener: mask(scene, own),
      };
    case 'off':
      return { before: ready(scene), opener: control(scene, false) };
    case 'on': {
      const isEnabled = told.enabled && !told.functionMask;
      const before = isEnabled ? [control(scene, chance(random, 50), true)] : [];
      return { before: [...before, ...maybe(scene, 50, unmask(scene, own))], opener: control(scene, true) };
    }
    case 'reset':
      return { before: [], opener: { kind: 'guest.reset', device: scene.device } };
  }
}

/** A vector above all that were unmasked; where there is none, MSI-X is turned on again without the highest. */
function drawMaximum(scene: Scene): Opening {
  const { random, told } = scene;
  const above = told.hot.filter((vector) => vector >= told.top);
  const highest = told.hot.at(-1) ?? 0;
  if (above.length === 0) {
    const before = [control(scene, false), mask(scene, highest), control(scene, true)];
    return { before, opener: unmask(scene, highest) };
  }
  const vector = chance(random, 60) ? (above[0] as number) : pick(random, above);
  return { before: ready(scene), opener: unmask(scene, vector) };
}

/** The host has trouble while the guest asks for more; then the guest tries again, sometimes with more to be had. */
export function drawHostGesture(
  random: Random,
  order: GrowthOrder,
  memory: GuestMemory,
  device: number,
  gesture: HostGesture,
): readonly Asked[] {
  const scene: Scene = { random, device, told: guestDevice(memory, device), order };
  const wanted = pick(random, [drawGrowth, drawGrowth, drawBatch, drawRestart])(scene);
  const again = chance(random, 60) ? drawFlicker(scene) : [];
  switch (gesture) {
    case 'limit': {
      const limit = { kind: 'host.limitVectors', count: random.nextInt(0, 3) } as const;
      return [limit, ...wanted, ...maybe(scene, 40, { kind: 'host.limitVectors', count: 4096 }), ...again];
    }
    case 'failure':
      return [{ kind: 'host.failAllocation', nth: random.nextInt(1, 4) }, ...wanted, ...again];
  }
}
