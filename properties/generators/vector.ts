import type { Random } from 'fast-check';
import type { TableMemory } from './memory.ts';
import type { RangeShape } from './mix.ts';
import { chance, pick } from './random.ts';

/** Vectors `start` to `start + count - 1`. */
export interface Range {
  readonly start: number;
  readonly count: number;
}

/** The most vectors in a table that has no hot vectors of its own: all are. */
export const SMALL_TABLE = 10;

const SMALL_VECTORS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Where bit maps of 32 and 64 vectors begin and end. */
const WORD_EDGES: readonly number[] = [31, 32, 63, 64];

/** The vectors a scenario comes back to: all of a small table, about five of a large one, edges first. */
export function drawHot(random: Random, size: number): readonly number[] {
  if (size <= SMALL_TABLE) return SMALL_VECTORS.slice(0, size);
  const edges = [0, size - 1, ...WORD_EDGES.filter((edge) => edge < size)];
  return [0, pick(random, edges), pick(random, edges), random.nextInt(0, size - 1), random.nextInt(0, SMALL_TABLE - 1)];
}

/** Mostly a vector that something was asked of before; now and then one past the table. */
export function drawVector(random: Random, table: TableMemory): number {
  if (table.size === 0) return 0;
  const choice = random.nextInt(0, 31);
  if (choice === 0) return table.size;
  if (choice === 1) return table.size - 1;
  if (choice < 6) return Math.min(table.top, table.size - 1);
  if (choice < 20 && table.recent.length > 0) return pick(random, table.recent);
  return pick(random, table.hot);
}

/** Inside the table, but for `pastTable` and some of `empty`. Before anything was asked for, `top` is 0. */
export function drawRange(random: Random, table: TableMemory, shape: RangeShape): Range {
  switch (shape) {
    case 'fresh':
      return inside(drawEnd(random, table), pick(random, table.hot), random.nextInt(1, 4));
    case 'fromZero':
      return inside(drawEnd(random, table), 0, 1 + drawTop(random, table));
    case 'again':
      return { start: table.lastStart, count: table.lastCount };
    case 'crossing': {
      const below = random.nextInt(1, 3);
      return within(table, Math.max(0, table.top - below), below + random.nextInt(1, 3));
    }
    case 'beyond':
      return within(table, table.top + (chance(random, 50) ? 0 : random.nextInt(1, 3)), 1);
    case 'empty':
      return { start: drawEmptyStart(random, table), count: 0 };
    case 'whole':
      return drawWhole(random, table);
    case 'pastTable':
      return drawPastTable(random, table);
  }
}

/** A vector to enable up to: near the beginning, so that there is room for growth, else a hot one if that is cheap. */
function drawTop(random: Random, table: TableMemory): number {
  return chance(random, 60) ? random.nextInt(0, 3) : Math.min(64, pick(random, table.hot));
}

function drawEmptyStart(random: Random, { top, size }: TableMemory): number {
  return pick(random, [0, size, Math.max(0, top - 1), top, top + 1]);
}

/** A range over 2048 vectors costs as much as a whole scenario, so most of them leave the beginning out. */
function drawWhole(random: Random, table: TableMemory): Range {
  const start = table.size > 128 && chance(random, 85) ? table.size - random.nextInt(2, 66) : 0;
  return { start, count: table.size - start };
}

function drawPastTable(random: Random, table: TableMemory): Range {
  const start = Math.max(0, table.size - random.nextInt(0, 3));
  return { start, count: table.size - start + random.nextInt(1, 2) };
}

/** Where a range has to end: at the end of the table, or mostly of the allocation where that is not likely to grow. */
function drawEnd(random: Random, { grows, top, size }: TableMemory): number {
  return !grows && top > 0 && chance(random, 70) ? top : size;
}

function within(table: TableMemory, start: number, count: number): Range {
  return inside(table.size, start, count);
}

/** The range moved and cut so that it ends at `end`, which is 1 or more, or before. */
function inside(end: number, start: number, count: number): Range {
  const first = Math.min(start, end - 1);
  return { start: first, count: Math.min(count, end - first) };
}
