import fc, { type Random } from 'fast-check';
import { expect, it } from 'vitest';
import { pick, pickOther, pickWeighted, tickets } from './random.ts';

/** Answers every draw with one number of those that it may be, the nth. */
function nth(place: number): Random {
  return { nextInt: (min: number, max: number) => min + (place % (max - min + 1)) } as Random;
}

it('a key is picked by weight as from a list in which it is as often', () => {
  const weights = fc.record({ one: fc.nat(5), two: fc.nat(5), three: fc.nat(5), four: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(weights, fc.nat(), (drawn, place) => {
      expect(pickWeighted(nth(place), drawn)).toBe(pick(nth(place), tickets(drawn)));
    }),
  );
});

it('another element is picked as from the list without the one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3)), fc.nat(), (list, place) => {
      const others = list.filter((element) => element !== 0);
      fc.pre(others.length > 0);
      expect(pickOther(nth(place), list, 0)).toBe(pick(nth(place), others));
    }),
  );
});
