import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MSIX_VECTORS_MAX } from '#vocabulary';
import { VectorMap } from './vector-map.ts';

/** Vectors on both sides of where the others begin, and anywhere. */
const vector = fc.oneof(fc.constantFrom(0, 1, 30, 31, 32, 33, 63, 64, 2047), fc.nat(MSIX_VECTORS_MAX - 1));
const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), vector, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), vector, value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), vector, value: fc.nat() }) },
);
const calls = fc.array(call, { maxLength: 60 });

type AnyMap = VectorMap<number> | Map<number, number>;

/** Makes the calls, each on a map of either kind. Returns what `delete` has answered. */
function make(
  map: AnyMap,
  made: readonly { kind: 'set' | 'delete' | 'clear'; vector: number; value: number }[],
): boolean[] {
  return made.flatMap(({ kind, vector, value }) => {
    if (kind === 'delete') return [map.delete(vector)];
    if (kind === 'set') map.set(vector, value);
    else map.clear();
    return [];
  });
}

/** A map of the language says the same. */
function expectSame(map: VectorMap<number>, plain: ReadonlyMap<number, number>, asked: readonly number[]): void {
  const ascending = [...plain.keys()].sort((left, right) => left - right);
  expect(map.ascending()).toEqual(ascending);
  expect([...map]).toEqual(ascending.map((key) => [key, plain.get(key)]));
  expect(map.size).toBe(plain.size);
  for (const one of [...asked, ...ascending]) {
    expect(map.has(one)).toBe(plain.has(one));
    expect(map.get(one)).toBe(plain.get(one));
    expect(map.next(one)).toBe(ascending.find((key) => key >= one) ?? -1);
  }
}

describe('a map by vector', () => {
  it('answers as a Map does after any calls', () => {
    fc.assert(
      fc.property(calls, fc.array(vector), (made, asked) => {
        const map = new VectorMap<number>();
        const plain = new Map<number, number>();
        expect(make(map, made)).toEqual(make(plain, made));
        expectSame(map, plain, asked);
      }),
    );
  });

  it('shares nothing with its copies, and becomes what another one is', () => {
    fc.assert(
      fc.property(calls, calls, calls, (before, ofOne, ofOther) => {
        const one = new VectorMap<number>();
        make(one, before);
        const other = one.copy();
        make(one, ofOne);
        make(other, ofOther);
        const plain = new Map<number, number>();
        make(plain, before);
        const plainOther = new Map(plain);
        make(plain, ofOne);
        make(plainOther, ofOther);
        expectSame(one, plain, []);
        expectSame(other, plainOther, []);
        one.become(other);
        expectSame(one, plainOther, [...plain.keys()]);
      }),
    );
  });
});
