import type { Random } from 'fast-check';
import type { DeviceArm, GuestMsixControl } from '#vocabulary';
import { WINDOWS } from '#vocabulary';
import { drawConfigWrite, drawTableRead, drawTableWrite } from './guest-access-draw.ts';
import type { GuestDeviceMemory, GuestMemory } from './guest-memory.ts';
import { guestDevice } from './guest-memory.ts';
import type { Asked } from './guest-mix.ts';
import type { DrawnKind, GuestSwarm } from './guest-swarm.ts';
import { drawToUnmask, drawUsed } from './guest-vector.ts';
import { chance, pick } from './random.ts';

/** One operation of a guest or its device, on its own. */
export function drawAsked(
  random: Random,
  swarm: GuestSwarm,
  memory: GuestMemory,
  device: number,
  kind: DrawnKind,
): Asked {
  const told = guestDevice(memory, device);
  switch (kind) {
    case 'guest.msixControl':
      return drawMsixControl(random, told, device);
    case 'guest.configWrite':
      return drawConfigWrite(random, device);
    case 'guest.unmask':
      return { kind, device, vector: drawToUnmask(random, told, swarm.order) };
    case 'guest.tableWrite':
      return drawTableWrite(random, told, device);
    case 'guest.tableRead':
      return drawTableRead(random, told, device);
    case 'guest.mask':
    case 'guest.readPba':
    case 'device.raise':
      return { kind, device, vector: drawUsed(random, told) };
    case 'guest.busMaster':
      return { kind, device, enable: !told.busMaster || chance(random, 15) };
    case 'guest.reset':
      return { kind, device };
    case 'device.arm':
      return drawArm(random, told, device);
  }
}

/** Mostly what is not so yet. */
function drawMsixControl(
  random: Random,
  { enabled, functionMask }: GuestDeviceMemory,
  device: number,
): GuestMsixControl {
  const kind = 'guest.msixControl';
  if (!enabled) return { kind, device, enable: !chance(random, 10), functionMask: chance(random, 25) };
  if (functionMask) return { kind, device, enable: !chance(random, 15), functionMask: chance(random, 15) };
  return { kind, device, enable: chance(random, 60), functionMask: chance(random, 50) };
}

export function drawArm(random: Random, memory: GuestDeviceMemory, device: number): DeviceArm {
  return { kind: 'device.arm', device, vector: drawUsed(random, memory), window: pick(random, WINDOWS) };
}
