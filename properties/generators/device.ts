import type { Random } from 'fast-check';
import type { DeviceArm, DeviceAssertIntx, DeviceDeassertIntx, DeviceRaise, RawOperation, Window } from '#vocabulary';
import type { Memory } from './memory.ts';
import { activeTable, deviceMemory } from './memory.ts';
import { chance, pick } from './random.ts';
import { drawVector } from './vector.ts';

/** The others are moments of a VMM. */
const RAW_WINDOWS: readonly Window[] = ['teardown-gap'];

export function drawRaise(random: Random, memory: Memory, device: number): DeviceRaise {
  return { kind: 'device.raise', device, vector: drawActiveVector(random, memory, device) };
}

export function drawArm(random: Random, memory: Memory, device: number): DeviceArm {
  const vector = drawActiveVector(random, memory, device);
  return { kind: 'device.arm', device, vector, window: pick(random, RAW_WINDOWS) };
}

function drawActiveVector(random: Random, memory: Memory, device: number): number {
  return drawVector(random, activeTable(deviceMemory(memory, device)));
}

export function drawAssertIntx(device: number): DeviceAssertIntx {
  return { kind: 'device.assertIntx', device };
}

export function drawDeassertIntx(device: number): DeviceDeassertIntx {
  return { kind: 'device.deassertIntx', device };
}

/** An event, told by what is on now. */
export function drawEvent(random: Random, memory: Memory, device: number): RawOperation {
  const { enabled, asserted, msix, msi } = deviceMemory(memory, device);
  if (enabled !== 'intx' && msix.size + msi.size > 0) return drawRaise(random, memory, device);
  return asserted && chance(random, 60) ? drawDeassertIntx(device) : drawAssertIntx(device);
}
