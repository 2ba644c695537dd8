import type { DataElement, VfioGetIrqInfo, VfioSetIrqs } from '#vocabulary';
import { IRQ_INFO_BYTES, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { drawBools, drawDescriptors, drawEventfd, NEGATIVE_DESCRIPTORS } from './descriptors.ts';
import { TRIGGER_BOOL, TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { spoil } from './malformed.ts';
import type { Scene } from './mdev-number.ts';
import { drawIms, drawVector, told } from './mdev-number.ts';
import { renamed } from './names.ts';
import { chance, pick } from './random.ts';

/** Not what an index may be, but what a program may write. */
const INDICES: readonly number[] = [2, 2, 2, 0, 1, 3, 4, 5, 0xffffffff];

export function drawMdevIrqInfo({ random, swarm }: Scene, device: number): VfioGetIrqInfo {
  const index = pick(random, INDICES);
  if (!chance(random, swarm.malformedPercent)) return { kind: 'vfio.getIrqInfo', device, index };
  if (chance(random, 30)) return { kind: 'vfio.getIrqInfo', device, index, unreadable: true };
  return { kind: 'vfio.getIrqInfo', device, index, argsz: pick(random, [0, IRQ_INFO_BYTES - 1, IRQ_INFO_BYTES + 4]) };
}

/** A VFIO_DEVICE_SET_IRQS about MSI-X, all that there is; sometimes with something wrong about it. */
export function drawMdevSetIrqs(scene: Scene, device: number): VfioSetIrqs {
  const { random, swarm } = scene;
  const operation = drawRequest(scene, device);
  if (!chance(random, swarm.malformedPercent)) return operation;
  const { size } = told(scene, device);
  const spoilt = spoil(random, operation, size);
  return renamed(chance(random, 30) ? spoil(random, spoilt, size) : spoilt);
}

const REQUESTS = [
  ...(['one', 'one', 'one', 'one', 'one', 'range', 'range', 'range', 'whole', 'empty', 'past'] as const),
  ...(['remove', 'remove', 'disable', 'disable', 'loopback', 'bools'] as const),
];

function drawRequest(scene: Scene, device: number): VfioSetIrqs {
  const { random } = scene;
  const { size } = told(scene, device);
  switch (pick(random, REQUESTS)) {
    case 'one':
      return armVector(scene, device, chance(random, 85) ? drawIms(scene, device) : 0);
    case 'range':
      return armRange(scene, device, drawStart(scene, device), random.nextInt(2, 3));
    case 'whole':
      return armRange(scene, device, 0, size);
    case 'empty':
      return setIrqs(device, TRIGGER_EVENTFD, pick(random, [0, size]), []);
    case 'past': {
      const start = random.nextInt(Math.max(0, size - 2), size);
      return triggers(scene, device, start, size - start + 1);
    }
    case 'remove': {
      const count = random.nextInt(1, 2);
      const start = Math.min(drawVector(scene, device), size - 1);
      return removeRange(scene, device, start, Math.min(count, size - start));
    }
    case 'disable':
      return disableAll(device);
    case 'loopback': {
      const start = Math.min(drawVector(scene, device), size - 1);
      return setIrqs(device, TRIGGER_NONE, start, [], Math.min(random.nextInt(1, 3), size - start));
    }
    case 'bools': {
      const start = Math.min(drawVector(scene, device), size - 1);
      return setIrqs(device, TRIGGER_BOOL, start, drawBools(random, Math.min(random.nextInt(1, 3), size - start)));
    }
  }
}

function drawStart(scene: Scene, device: number): number {
  const { size } = told(scene, device);
  return chance(scene.random, 40) ? 0 : Math.min(drawIms(scene, device), Math.max(0, size - 2));
}

/** A trigger for one vector, as a VMM asks for it: with those up to the last one, where it has to be all of them. */
export function armVector(scene: Scene, device: number, vector: number): VfioSetIrqs {
  return armRange(scene, device, vector, 1);
}

/** Triggers for a range inside the table; of a static host that has none yet, to the end of the table. */
export function armRange(scene: Scene, device: number, start: number, count: number): VfioSetIrqs {
  const { size, isSetUp } = told(scene, device);
  const { random, memory } = scene;
  const isToEnd = !isSetUp && !memory.config.host.dynamicMsix && !chance(random, 5);
  const first = isToEnd && chance(random, 50) ? 0 : Math.min(start, size - 1);
  return triggers(scene, device, first, isToEnd ? size - first : Math.min(count, size - first));
}

function triggers({ random, swarm }: Scene, device: number, start: number, count: number): VfioSetIrqs {
  if (count === 1 && !chance(random, swarm.badPercent)) {
    return setIrqs(device, TRIGGER_EVENTFD, start, [drawEventfdFor({ random, swarm }, device, start)]);
  }
  return setIrqs(device, TRIGGER_EVENTFD, start, drawDescriptors(random, swarm, start, count));
}

/** Mostly each vector its own, so that one sees whose interrupt it was. */
function drawEventfdFor(
  { random, swarm }: Pick<Scene, 'random' | 'swarm'>,
  device: number,
  vector: number,
): DataElement {
  return swarm.sharing === 'byVector' && chance(random, 80)
    ? `e${(3 * device + vector) % (swarm.eventfds + 2)}`
    : drawEventfd(random, swarm);
}

export function removeRange({ random }: Scene, device: number, start: number, count: number): VfioSetIrqs {
  const none = chance(random, 90) ? -1 : pick(random, NEGATIVE_DESCRIPTORS);
  return setIrqs(device, TRIGGER_EVENTFD, start, Array<DataElement>(count).fill(none));
}

export function disableAll(device: number): VfioSetIrqs {
  return setIrqs(device, TRIGGER_NONE, 0, []);
}

function setIrqs(
  device: number,
  flags: number,
  start: number,
  data: readonly DataElement[],
  count: number = data.length,
): VfioSetIrqs {
  return { kind: 'vfio.setIrqs', device, flags, index: VFIO_PCI_MSIX_IRQ_INDEX, start, count, data };
}
