import type { Random } from 'fast-check';
import type { GuestDeviceMemory } from './guest-memory.ts';
import type { GrowthOrder } from './guest-swarm.ts';
import { chance, pick } from './random.ts';

/** Up to `most` vectors that the guest has not unmasked, in the order in which it comes to them; else any. */
export function drawNew(random: Random, device: GuestDeviceMemory, order: GrowthOrder, most: number): number[] {
  const masked = device.hot.filter((vector) => !device.unmasked.includes(vector));
  if (masked.length === 0) return [pick(random, device.hot)];
  return inOrder(random, masked, device.top, order).slice(0, most);
}

/** @param masked ascending, not empty */
function inOrder(random: Random, masked: readonly number[], top: number, order: GrowthOrder): readonly number[] {
  const above = masked.filter((vector) => vector >= top);
  const upwards = above.length > 0 ? above : masked;
  switch (order) {
    case 'ascending':
      return upwards;
    case 'descending':
      return [...masked].reverse();
    case 'random':
      return shuffled(random, masked);
    case 'gaps': {
      const odd = upwards.filter((_, place) => place % 2 === 1);
      return odd.length > 0 ? odd : upwards;
    }
  }
}

/** Some of the vectors the guest comes back to, in any order, each once. */
export function drawSome(random: Random, device: GuestDeviceMemory, most: number): readonly number[] {
  return shuffled(random, device.hot).slice(0, random.nextInt(1, most));
}

function shuffled(random: Random, vectors: readonly number[]): number[] {
  const left = [...vectors];
  return vectors.map(() => left.splice(random.nextInt(0, left.length - 1), 1)[0] as number);
}

/** Mostly a vector that is unmasked; rarely one past the table. */
export function drawUsed(random: Random, device: GuestDeviceMemory): number {
  if (random.nextInt(0, 39) === 0) return device.size;
  if (device.unmasked.length > 0 && chance(random, 75)) return pick(random, device.unmasked);
  return pick(random, device.hot);
}

/** A vector that an event waits for, or a new one. */
export function drawToUnmask(random: Random, device: GuestDeviceMemory, order: GrowthOrder): number {
  if (random.nextInt(0, 39) === 0) return device.size;
  if (device.pending.length > 0 && chance(random, 40)) return pick(random, device.pending);
  if (chance(random, 15)) return pick(random, device.hot);
  return drawNew(random, device, order, 1)[0] ?? 0;
}
