import { expect, it } from 'vitest';
import { takeTurns } from './turns.ts';

it('both sides take turns, of which the first warm up, and the medians of the others are told', async () => {
  const taken: string[] = [];
  // A turn that was disturbed is no median.
  const turnsOf = (side: string, seconds: number): (() => number) => {
    let turn = 0;
    return () => {
      taken.push(side);
      turn += 1;
      return turn <= 3 || turn === 6 ? seconds * 100 * turn : seconds;
    };
  };
  const measured = await takeTurns(turnsOf('one', 0.5), turnsOf('other', 0.125));
  expect(measured).toEqual({ amount: 2, ratio: 4 });
  expect(taken).toEqual(Array.from({ length: 10 }, () => ['one', 'other']).flat());
});

it('the ratio is the median of those of the turns, and no ratio of two medians', async () => {
  const warm = [1, 1, 1];
  const [one, other] = [[...warm, 1, 2, 3, 4, 5, 6, 7].values(), [...warm, 1, 2, 3, 40, 5, 6, 70].values()];
  const measured = await takeTurns(
    () => one.next().value ?? 0,
    () => other.next().value ?? 0,
  );
  expect(measured).toEqual({ amount: 1 / 4, ratio: 1 });
});
