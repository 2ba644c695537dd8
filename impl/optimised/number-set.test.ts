import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted } from './counted.fixture.ts';
import { NumberSet } from './number-set.ts';

const CAPACITY = 1 << 21;
/** Numbers on both sides of the ends of the words of each level, and anywhere. */
const edge = fc.constantFrom(0, 1, 31, 32, 33, 1023, 1024, 1025, 32767, 32768, 32769, 1048575, 1048576, CAPACITY - 1);
const number = fc.oneof(edge, fc.nat(100), fc.nat(CAPACITY - 1));
const call = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), number }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('takeSmallest' as const), number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), number }) },
);

/** A Set that does the same. */
class Model extends Set<number> {
  takeSmallest(): number {
    const smallest = ascending(this)[0] ?? -1;
    this.delete(smallest);
    return smallest;
  }
}

function membersOf(set: NumberSet): number[] {
  const members: number[] = [];
  for (let member = set.next(0); member !== -1; member = set.next(member + 1)) members.push(member);
  return members;
}

function ascending(set: ReadonlySet<number>): number[] {
  return [...set].sort((a, b) => a - b);
}

describe('NumberSet', () => {
  it('answers as a Set does after any calls', () => {
    const set = new NumberSet(CAPACITY);
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), fc.array(number), (calls, asked) => {
        set.clear();
        const model = new Model();
        for (const { kind, number: one } of calls) {
          if (kind === 'takeSmallest') expect(set.takeSmallest()).toBe(model.takeSmallest());
          else {
            set[kind](one);
            model[kind](one);
          }
        }
        expect(membersOf(set)).toEqual(ascending(model));
        for (const one of asked) {
          expect(set.has(one)).toBe(model.has(one));
          expect(set.next(one)).toBe(ascending(model).find((member) => member >= one) ?? -1);
        }
      }),
    );
  });

  it('answers as a Set does where a word of some level ends', () => {
    const ends = fc.constantFrom(32, 1024, 32768, 1048576);
    const around = fc.record({ end: ends, more: fc.integer({ min: -1, max: 33 }) });
    fc.assert(
      fc.property(
        around,
        fc.array(fc.record({ isMember: fc.boolean(), back: fc.nat(70) })),
        ({ end, more }, writes) => {
          const capacity = end + more;
          const set = new NumberSet(capacity);
          const model = new Set<number>();
          for (const { isMember, back } of writes) {
            // Both ends of the set, so that the way from one member to the next is on every level.
            const number =
              back % 2 === 0 ? Math.max(0, capacity - 1 - (back >>> 1)) : Math.min(back >>> 1, capacity - 1);
            set[isMember ? 'add' : 'delete'](number);
            model[isMember ? 'add' : 'delete'](number);
          }
          expect(membersOf(set)).toEqual(ascending(model));
          set.clear();
          expect(membersOf(set)).toEqual([]);
          set.add(capacity - 1);
          expect([set.next(0), set.next(capacity - 1), set.next(capacity)]).toEqual([capacity - 1, capacity - 1, -1]);
        },
      ),
    );
  });

  it.each([1, 32, 33, 1024, 1025, 40000])('holds all of %i numbers and finds nothing behind them', (capacity) => {
    const set = new NumberSet(capacity);
    expect(set.next(0)).toBe(-1);
    for (let member = 0; member < capacity; member += 1) set.add(member);
    expect(membersOf(set)).toEqual(Array.from({ length: capacity }, (_, place) => place));
    expect(set.next(capacity)).toBe(-1);
    expect(set.next(capacity + 5000)).toBe(-1);
  });

  it('keeps its members when it grows, and finds those that come then', () => {
    const set = new NumberSet(3);
    set.add(2);
    set.reserve(100_000);
    set.add(99_999);
    set.reserve(10);
    expect(membersOf(set)).toEqual([2, 99_999]);
  });

  it('touches no more words in a large set than in a small one', () => {
    const [small, large] = [256, CAPACITY].map((capacity) => {
      const set = new NumberSet(capacity);
      for (let member = 0; member < capacity; member += 64) set.add(member);
      const touched = counted(set);
      const last = Math.floor((capacity - 1) / 64) * 64;
      const words = (work: () => unknown): number => {
        work();
        return touched();
      };
      return [
        () => set.next(0),
        () => set.next(last),
        () => set.next(last + 1),
        () => set.next(capacity),
        () => set.next(capacity + 5000),
        () => set.delete(last),
        () => set.add(last),
      ].map(words);
    });
    // Each level is one word to read and one to write.
    for (const [place, words] of (large ?? []).entries()) expect(words).toBeLessThanOrEqual((small?.[place] ?? 0) + 10);
  });
});
