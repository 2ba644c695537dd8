import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VectorMap, VectorSet } from './by-vector.ts';

/** Of small tables, of several words of bits, and of those that no device can have. */
const VECTOR = fc.oneof(
  fc.nat(40),
  fc.integer({ min: 2000, max: 2060 }),
  // A range may begin at any number of 32 bits, and goes on from there.
  fc.integer({ min: 2 ** 32 - 2, max: 2 ** 32 + 40 }),
  fc.constant(-1),
);
const WRITE = fc.oneof(
  { weight: 4, arbitrary: fc.record({ vector: VECTOR, item: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ vector: VECTOR, item: fc.constant(null) }) },
  fc.constant('clear' as const),
);

describe('something of some of the vectors', () => {
  it('is as in a Map, by ascending vector, also in another one that became the same', () => {
    fc.assert(
      fc.property(fc.array(WRITE), fc.array(WRITE), (first, second) => {
        const [map, set, plain] = [new VectorMap<number>(), new VectorSet(), new Map<number, number>()];
        const other = new VectorMap<number>();
        for (const write of second) if (write !== 'clear' && write.item !== null) other.set(write.vector, 10);
        for (const write of first) {
          if (write === 'clear') for (const one of [map, set, plain]) one.clear();
          else if (write.item === null) for (const one of [map, set, plain]) one.delete(write.vector);
          else if (write.vector >= 0 && write.vector < 2048) plain.set(write.vector, write.item);
          if (write === 'clear' || write.item === null) continue;
          map.set(write.vector, write.item);
          set.add(write.vector);
        }
        const expected = [...plain].sort(([left], [right]) => left - right);
        expect([...map]).toEqual(expected);
        expect([set.size, set.isEmpty, map.isEmpty]).toEqual([plain.size, plain.size === 0, plain.size === 0]);
        expect([map.get(33), set.next(33)]).toEqual([plain.get(33), expected.find(([one]) => one >= 33)?.[0] ?? -1]);
        for (const { vector } of [...first, ...second].filter((write) => write !== 'clear'))
          expect([set.has(vector), map.get(vector)]).toEqual([plain.has(vector), plain.get(vector)]);
        expect([set.next(2048), set.next(2 ** 32 - 1)]).toEqual([-1, -1]);
        other.become(map);
        map.clear();
        expect([...other]).toEqual(expected);
      }),
    );
  });
});
