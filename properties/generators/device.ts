import type { Random } from 'fast-check';
import type { DeviceArm, DeviceRaise } from '#vocabulary';
import { WINDOWS } from '#vocabulary';
import type { Memory } from './memory.ts';
import { deviceMemory } from './memory.ts';
import { pick } from './random.ts';
import { drawVector } from './vector.ts';

export function drawRaise(random: Random, memory: Memory, device: number): DeviceRaise {
  return { kind: 'device.raise', device, vector: drawVector(random, deviceMemory(memory, device)) };
}

export function drawArm(random: Random, memory: Memory, device: number): DeviceArm {
  const vector = drawVector(random, deviceMemory(memory, device));
  return { kind: 'device.arm', device, vector, window: pick(random, WINDOWS) };
}
