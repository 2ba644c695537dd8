import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MSIX_VECTORS_MAX } from '#vocabulary';
import { VectorSet } from './vector-set.ts';

/** Vectors on both sides of the ends of a word and of a summary word, and anywhere. */
const edge = fc.constantFrom(0, 1, 30, 31, 32, 33, 62, 63, 64, 65, 1022, 1023, 1024, 1025, 2015, 2016, 2046, 2047);
const vector = fc.oneof(edge, fc.nat(MSIX_VECTORS_MAX - 1));
const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), vector }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), vector }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), vector }) },
);

function membersOf(set: VectorSet): number[] {
  const members: number[] = [];
  for (let member = set.next(0); member !== -1; member = set.next(member + 1)) members.push(member);
  return members;
}

function ascending(set: ReadonlySet<number>): number[] {
  return [...set].sort((a, b) => a - b);
}

describe('VectorSet', () => {
  it('answers as a Set does after any calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), fc.array(vector), (calls, asked) => {
        const set = new VectorSet();
        const model = new Set<number>();
        for (const { kind, vector } of calls) {
          set[kind](vector);
          model[kind](vector);
        }
        expect(membersOf(set)).toEqual(ascending(model));
        for (const one of asked) {
          expect(set.has(one)).toBe(model.has(one));
          expect(set.next(one)).toBe(ascending(model).find((member) => member >= one) ?? -1);
        }
      }),
    );
  });

  it.each([0, 31, 32, 63, 64, 1023, 1024, 2047])('holds %i and none of its neighbours', (only) => {
    const set = new VectorSet();
    set.add(only);
    expect(membersOf(set)).toEqual([only]);
    expect(set.next(only)).toBe(only);
    expect(set.next(only + 1)).toBe(-1);
    set.delete(only);
    expect(membersOf(set)).toEqual([]);
    expect(set.next(0)).toBe(-1);
  });

  it('holds all 2048 vectors, and none after clear', () => {
    const set = new VectorSet();
    for (let member = 0; member < MSIX_VECTORS_MAX; member += 1) set.add(member);
    expect(membersOf(set)).toEqual(Array.from({ length: MSIX_VECTORS_MAX }, (_, place) => place));
    expect(set.next(MSIX_VECTORS_MAX)).toBe(-1);
    set.clear();
    expect(membersOf(set)).toEqual([]);
  });

  it('may lose the member it is at while its members are gone through', () => {
    fc.assert(
      fc.property(fc.uniqueArray(vector), (members) => {
        const set = new VectorSet();
        for (const member of members) set.add(member);
        const seen: number[] = [];
        for (let member = set.next(0); member !== -1; member = set.next(member + 1)) {
          seen.push(member);
          set.delete(member);
        }
        expect(seen).toEqual(ascending(new Set(members)));
        expect(membersOf(set)).toEqual([]);
      }),
    );
  });
});
