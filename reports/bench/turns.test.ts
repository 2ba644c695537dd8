import { expect, it } from 'vitest';
import { takeTurns } from './turns.ts';

it('both sides take turns, some that warm up first, and the least of the others is told of each', async () => {
  const taken: string[] = [];
  /** The turns that warm up take no time, and of the others one the least. */
  const turnsOf = (side: string, seconds: number, best: number): (() => number) => {
    let turn = 0;
    return () => {
      taken.push(side);
      turn += 1;
      if (turn <= 4) return 0;
      return turn === best ? seconds : seconds * turn;
    };
  };
  const measured = await takeTurns(turnsOf('one', 0.5, 5), turnsOf('other', 0.125, 24));
  expect(measured).toEqual({ amount: 2, ratio: 4 });
  expect(taken).toEqual(Array.from({ length: 24 }, () => ['one', 'other']).flat());
});
