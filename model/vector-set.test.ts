import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MSIX_VECTORS_MAX } from '#vocabulary';
import { VectorSet } from './vector-set.ts';

/** Vectors on both sides of the ends of a word, and anywhere. */
const edge = fc.constantFrom(0, 1, 30, 31, 32, 33, 62, 63, 64, 65, 2015, 2016, 2046, 2047);
const vector = fc.oneof(edge, fc.nat(MSIX_VECTORS_MAX - 1));
const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), vector }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), vector }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), vector }) },
);

function ascending(set: ReadonlySet<number>): readonly number[] {
  return [...set].sort((left, right) => left - right);
}

/** The bits of the 32 vectors that one is among. */
function wordOf(set: ReadonlySet<number>, one: number): number {
  let word = 0;
  for (let bit = 0; bit < 32; bit += 1) if (set.has(one - (one % 32) + bit)) word += 2 ** bit;
  return word;
}

function of(members: Iterable<number>): VectorSet {
  const set = new VectorSet(null);
  for (const member of members) set.add(member);
  return set;
}

describe('a set of vectors', () => {
  it('answers as a Set does after any calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 100 }), fc.array(vector), (calls, asked) => {
        const set = new VectorSet(null);
        const plain = new Set<number>();
        for (const { kind, vector } of calls) {
          const answers = [set[kind](vector), plain[kind](vector)];
          if (kind === 'delete') expect(answers[0]).toBe(answers[1]);
        }
        expect([...set]).toEqual(ascending(plain));
        expect(set.size).toBe(plain.size);
        for (const one of asked) {
          expect(set.has(one)).toBe(plain.has(one));
          expect(set.next(one)).toBe(ascending(plain).find((member) => member >= one) ?? -1);
          expect(set.word(one)).toBe(wordOf(plain, one));
        }
      }),
    );
  });

  it('notes what enters or leaves, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(vector), fc.array(call, { maxLength: 100 }), (before, calls) => {
        const touched = new VectorSet(null);
        const set = new VectorSet(touched);
        set.become(of(before));
        const plain = new Set(before);
        const expected = new Set<number>();
        for (const { kind, vector } of calls) {
          if (kind === 'clear') for (const member of plain) expected.add(member);
          else if (kind === 'add' || plain.has(vector)) expected.add(vector);
          set[kind](vector);
          plain[kind](vector);
        }
        expect([...touched]).toEqual(ascending(expected));
      }),
    );
  });

  it('shares nothing with its copies, nor with what was added to it', () => {
    fc.assert(
      fc.property(fc.array(vector), fc.array(call), fc.array(call), (members, ofOne, ofOther) => {
        const one = of(members);
        const other = one.copy();
        const joined = new VectorSet(null);
        joined.addAll(one);
        const plain = [new Set(members), new Set(members)] as const;
        for (const { kind, vector } of ofOne) one[kind](vector);
        for (const { kind, vector } of ofOne) plain[0][kind](vector);
        for (const { kind, vector } of ofOther) other[kind](vector);
        for (const { kind, vector } of ofOther) plain[1][kind](vector);
        expect([...one]).toEqual(ascending(plain[0]));
        expect([...other]).toEqual(ascending(plain[1]));
        expect([...joined]).toEqual(ascending(new Set(members)));
      }),
    );
  });

  it('has those of a small table in one number', () => {
    expect(of([0, 5, 40]).low).toBe(0b100001);
    expect(of([31]).low).toBe(-(2 ** 31));
  });
});
