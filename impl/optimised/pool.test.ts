import { expect, it } from 'vitest';
import { FilledLists, List, ListArena } from './pool.ts';

function shown(list: List<number>, length: number): readonly number[] {
  list.clear();
  for (let item = 0; item < length; item += 1) list.push(item);
  return list.view();
}

it('a list shows what was pushed since it was cleared', () => {
  const list = new List<number>();
  for (const length of [3, 0, 100, 33, 32, 1, 100]) expect(shown(list, length)).toEqual([...Array(length).keys()]);
});

it('a short list is shown in the same arrays again and again, also after a long one', () => {
  const list = new List<number>();
  const short = [1, 2, 8, 32].map((length) => shown(list, length));
  shown(list, 2048);
  expect([1, 2, 8, 32].every((length, place) => shown(list, length) === short[place])).toBe(true);
});

it('a long list gives its room back', () => {
  const list = new List<number>();
  const long = shown(list, 2048);
  expect(shown(list, 2048)).not.toBe(long);
});

const LENGTHS = [3, 0, 100, 33, 32, 1, 3];

function handedOut(arena: ListArena<number>): readonly (readonly number[])[] {
  return LENGTHS.map((length) => {
    for (let item = 0; item < length; item += 1) arena.push(item);
    return arena.next();
  });
}

it('lists handed out in a row hold what was pushed, and short ones are the same arrays again after a reset', () => {
  const arena = new ListArena<number>();
  const first = handedOut(arena);
  expect(first).toEqual(LENGTHS.map((length) => [...Array(length).keys()]));
  arena.push(7);
  arena.reset();
  const second = handedOut(arena);
  expect(second).toEqual(first);
  for (const [place, length] of LENGTHS.entries()) expect(second[place] === first[place]).toBe(length <= 32);
});

it('lists with objects of their own are as long as asked for, and short ones are the same again after a reset', () => {
  const lists = new FilledLists(() => ({ place: -1 }));
  const first = LENGTHS.map((length) => lists.next(length));
  expect(first.map(({ length }) => length)).toEqual(LENGTHS);
  expect(new Set(first.flat()).size).toBe(first.flat().length);
  lists.reset();
  const second = LENGTHS.map((length) => lists.next(length));
  for (const [place, length] of LENGTHS.entries()) expect(second[place] === first[place]).toBe(length <= 32);
  expect(new Set([...first, ...second].flat()).size).toBe(first.flat().length);
});
