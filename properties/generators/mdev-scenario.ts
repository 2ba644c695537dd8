import type { Random } from 'fast-check';
import type { Operation, Scenario, Support } from '#vocabulary';
import type { MdevPlatform } from './mdev-config.ts';
import { drawMdevConfig } from './mdev-config.ts';
import { drawMdevKind } from './mdev-draw.ts';
import { drawMdevGesture } from './mdev-gesture.ts';
import { emptyParentMemory } from './mdev-memory.ts';
import type { Moves } from './mdev-moves.ts';
import { ready } from './mdev-moves.ts';
import type { Scene } from './mdev-number.ts';
import { drawDevice } from './mdev-number.ts';
import { rememberParent } from './mdev-remember.ts';
import type { Shown } from './mdev-shown.ts';
import { drawShown, emptyShown, isShown, rememberShown } from './mdev-shown.ts';
import { drawMdevSwarm } from './mdev-swarm.ts';
import { chance, pick } from './random.ts';

/** Operations in a scenario with mdevs as drawn. */
export const MDEV_OPERATIONS_MIN = 5;
export const MDEV_OPERATIONS_MAX = 50;
/** One scenario in 16 may be this long. */
export const MDEV_OPERATIONS_MAX_LONG = 150;

/** A mdev that is closed, not attached or gone refuses everything: that is soon seen. */
const REPAIR_PERCENT = 40;

/** A whole scenario on a machine with mdevs: gestures, and single operations between them. */
export function drawMdevScenario(
  random: Random,
  support: Support,
  platform: MdevPlatform,
  lengthMax: number | undefined,
): Scenario {
  const config = drawMdevConfig(random, support, platform);
  const scene: Scene = { random, swarm: drawMdevSwarm(random, support, config), memory: emptyParentMemory(config) };
  const shown = config.vmm === undefined ? undefined : emptyShown(random, support, config);
  const length = drawLength(random, lengthMax);
  const operations: Operation[] = [];
  for (const operation of drawEndlessly(scene, shown)) {
    if (!scene.swarm.isOn(operation.kind) || (shown !== undefined && !isShown(shown, operation))) continue;
    rememberParent(scene.memory, operation);
    if (shown !== undefined) rememberShown(shown, operation);
    operations.push(operation);
    if (operations.length === length) break;
  }
  return { config, operations };
}

function drawLength(random: Random, lengthMax: number | undefined): number {
  const isLong = random.nextInt(1, 16) === 1;
  const most = lengthMax ?? (isLong ? MDEV_OPERATIONS_MAX_LONG : MDEV_OPERATIONS_MAX);
  return random.nextInt(Math.min(MDEV_OPERATIONS_MIN, most), most);
}

/** Gestures one after the other, each interrupted now and then. */
function* drawEndlessly(scene: Scene, shown: Shown | undefined): Generator<Operation, never> {
  for (;;) {
    for (const operation of drawBeginning(scene, shown)) {
      if (chance(scene.random, scene.swarm.interruptPercent)) yield* drawSingle(scene);
      yield operation;
    }
  }
}

function drawBeginning(scene: Scene, shown: Shown | undefined): Moves {
  const { random, swarm } = scene;
  const device = drawDevice(scene);
  if (shown !== undefined && chance(random, swarm.shownPercent)) return drawShown(scene, shown, device);
  return chance(random, swarm.gesturePercent)
    ? drawMdevGesture(scene, device, pick(random, swarm.gestures))
    : drawSingle(scene);
}

function* drawSingle(scene: Scene): Moves {
  const { random, swarm } = scene;
  const device = drawDevice(scene);
  if (chance(random, REPAIR_PERCENT)) {
    const { value: repair } = ready(scene, device).next();
    if (repair !== undefined) return yield repair;
  }
  yield drawMdevKind(scene, device, pick(random, swarm.kinds));
}
