import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberMap } from './number-map.ts';

/** So few that they meet again, and that the map stays small: many have the place of another. */
const key = fc.oneof(
  fc.integer({ min: 1, max: 15 }),
  fc.nat(14).map((vm) => vm * 2 ** 20 + 7),
  fc.constant(2 ** 32 - 1),
);
const call = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
);

describe('NumberMap', () => {
  it('answers as a Map does after any calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const map = new NumberMap();
        const model = new Map<number, number>();
        for (const [place, one] of calls.entries()) {
          if (one.kind === 'set') {
            map.set(one.key, place + 1);
            model.set(one.key, place + 1);
          } else {
            map.delete(one.key);
            model.delete(one.key);
          }
          expect(map.size).toBe(model.size);
        }
        for (const one of calls) expect(map.get(one.key)).toBe(model.get(one.key) ?? 0);
      }),
    );
  });

  it('finds each of many keys, and none when all are gone', () => {
    const map = new NumberMap();
    for (let vm = 0; vm < 4096; vm += 1)
      for (let guest = 1; guest <= 16; guest += 1) map.set(vm * 2 ** 20 + guest, vm + guest);
    expect(map.size).toBe(65536);
    // At most half full, and never more than twice as large as that takes.
    expect(map.bytes()).toBeLessThanOrEqual(4 * 65536 * 8);
    for (let vm = 0; vm < 4096; vm += 1) expect(map.get(vm * 2 ** 20 + 16)).toBe(vm + 16);
    for (let vm = 0; vm < 4096; vm += 1) for (let guest = 1; guest <= 16; guest += 1) map.delete(vm * 2 ** 20 + guest);
    expect(map.size).toBe(0);
    expect(map.slots.every((word) => word === 0)).toBe(true);
  });

  it('has nothing for 0, which is no key, also where a key was', () => {
    const map = new NumberMap();
    // Every place of a map of the first size is the home of one of these.
    for (let key = 1; key <= 1000; key += 1) {
      map.set(key, key);
      map.delete(key);
      expect(map.get(0)).toBe(0);
    }
  });
});
