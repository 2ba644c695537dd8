import type { Random } from 'fast-check';
import type { DataElement, VfioSetIrqs } from '#vocabulary';
import { VFIO_PCI_INTX_IRQ_INDEX } from '#vocabulary';
import {
  BAD_DESCRIPTORS,
  drawBools,
  drawDescriptors,
  drawEventfd,
  NEGATIVE_DESCRIPTORS,
  repeated,
} from './descriptors.ts';
import {
  MASK_BOOL,
  MASK_EVENTFD,
  MASK_NONE,
  TRIGGER_BOOL,
  TRIGGER_EVENTFD,
  TRIGGER_NONE,
  UNMASK_BOOL,
  UNMASK_EVENTFD,
  UNMASK_NONE,
} from './flags.ts';
import type { Memory } from './memory.ts';
import { deviceMemory } from './memory.ts';
import type { IntxRequest } from './mix.ts';
import { UNMASK_NAMES } from './names.ts';
import { chance, pick } from './random.ts';
import type { Swarm } from './swarm.ts';
import { deviceSwarm } from './swarm.ts';

/** INTx has one vector. */
const WRONG_COUNTS: readonly number[] = [0, 2];

/** A VFIO_DEVICE_SET_IRQS about INTx: well-formed, but for a range that is not the only one there is now and then. */
export function drawIntxRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  device: number,
  request: IntxRequest = pickRequest(random, swarm, memory, device),
): VfioSetIrqs {
  const { flags, element } = drawElement(random, swarm, request);
  const start = chance(random, 2) ? 1 : 0;
  const count = request === 'disable' ? 0 : chance(random, 5) ? pick(random, WRONG_COUNTS) : 1;
  const data = element === undefined ? [] : repeated(element, count);
  return { kind: 'vfio.setIrqs', device, flags, index: VFIO_PCI_INTX_IRQ_INDEX, start, count, data };
}

/** All but a trigger is refused while INTx is off. */
function pickRequest(random: Random, swarm: Swarm, memory: Memory, device: number): IntxRequest {
  const isOn = deviceMemory(memory, device).enabled === 'intx';
  return !isOn && chance(random, 60) ? 'arm' : pick(random, deviceSwarm(swarm, device).intxRequests);
}

interface Element {
  readonly flags: number;
  /** What the data is made of, where there is any. */
  readonly element?: DataElement | undefined;
}

function drawElement(random: Random, swarm: Swarm, request: IntxRequest): Element {
  switch (request) {
    case 'arm':
      return { flags: TRIGGER_EVENTFD, element: drawDescriptors(random, swarm, 0, 1)[0] };
    case 'remove':
      return { flags: TRIGGER_EVENTFD, element: pick(random, NEGATIVE_DESCRIPTORS) };
    case 'loopbackNone':
    case 'disable':
      return { flags: TRIGGER_NONE };
    case 'loopbackBool':
      return { flags: TRIGGER_BOOL, element: drawBool(random) };
    case 'mask':
      if (chance(random, 10)) return { flags: MASK_EVENTFD, element: drawEventfd(random, swarm) };
      return chance(random, 30) ? { flags: MASK_BOOL, element: drawBool(random) } : { flags: MASK_NONE };
    case 'unmask':
      return chance(random, 30) ? { flags: UNMASK_BOOL, element: drawBool(random) } : { flags: UNMASK_NONE };
    case 'attach':
      if (chance(random, swarm.badPercent)) return { flags: UNMASK_EVENTFD, element: pick(random, BAD_DESCRIPTORS) };
      return { flags: UNMASK_EVENTFD, element: pick(random, UNMASK_NAMES) };
    case 'detach':
      return { flags: UNMASK_EVENTFD, element: pick(random, NEGATIVE_DESCRIPTORS) };
  }
}

function drawBool(random: Random): number | undefined {
  return drawBools(random, 1)[0];
}
