import { expect, it } from 'vitest';
import { takeTurns } from './turns.ts';

it('both sides take turns, of which the first warm up, and the least of the others are told, each in its own turn', async () => {
  const taken: string[] = [];
  /** The turns that warm up take no time, and of the others one the least. */
  const turnsOf = (side: string, seconds: number, best: number): (() => number) => {
    let turn = 0;
    return () => {
      taken.push(side);
      turn += 1;
      if (turn <= 3) return 0;
      return turn === best ? seconds : seconds * turn;
    };
  };
  const measured = await takeTurns(turnsOf('one', 0.5, 7), turnsOf('other', 0.125, 18));
  expect(measured).toEqual({ amount: 2, ratio: 4 });
  expect(taken).toEqual(Array.from({ length: 18 }, () => ['one', 'other']).flat());
});
