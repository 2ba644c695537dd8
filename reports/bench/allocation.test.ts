import { expect, it } from 'vitest';
import { burstsOf, run } from './allocation.ts';
import { OURS, PEERS } from './allocators.ts';

it.each([64, 2048])('every structure allocates the lowest free slot of %i', (slots) => {
  const taken = Math.floor(slots * 0.99);
  const work = burstsOf(slots, taken);
  for (const { name, make } of [OURS, ...PEERS]) {
    const allocator = make(slots);
    for (let slot = 0; slot < taken; slot += 1) expect(allocator.allocate(), name).toBe(slot);
    expect(run(allocator, work), name).toBe(work.sum);
    expect(allocator.allocate(), name).toBe(taken);
  }
});
