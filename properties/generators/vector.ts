import type { Random } from 'fast-check';
import type { DeviceMemory } from './memory.ts';
import type { RangeShape } from './mix.ts';
import { chance, pick } from './random.ts';

/** Vectors `start` to `start + count - 1`. */
export interface Range {
  readonly start: number;
  readonly count: number;
}

/** The most vectors in a table that has no hot vectors of its own: all are. */
const SMALL_TABLE = 10;

/** Where bit maps of 32 and 64 vectors begin and end. */
const WORD_EDGES: readonly number[] = [31, 32, 63, 64];

/** The vectors a scenario comes back to: all of a small table, about five of a large one, edges first. */
export function drawHot(random: Random, msixVectors: number): number[] {
  if (msixVectors <= SMALL_TABLE) return Array.from({ length: msixVectors }, (_, vector) => vector);
  const edges = [0, msixVectors - 1, ...WORD_EDGES.filter((edge) => edge < msixVectors)];
  return [
    0,
    pick(random, edges),
    pick(random, edges),
    random.nextInt(0, msixVectors - 1),
    random.nextInt(0, SMALL_TABLE - 1),
  ];
}

/** Mostly a vector that something was asked of before; now and then one past the table. */
export function drawVector(random: Random, device: DeviceMemory): number {
  const choice = random.nextInt(0, 31);
  if (choice === 0) return device.msixVectors;
  if (choice === 1) return device.msixVectors - 1;
  if (choice < 6) return Math.min(device.top, device.msixVectors - 1);
  if (choice < 20 && device.recent.length > 0) return pick(random, device.recent);
  return pick(random, device.hot);
}

/** Inside the table, but for `pastTable` and some of `empty`. Before anything was asked for, `top` is 0. */
export function drawRange(random: Random, device: DeviceMemory, shape: RangeShape): Range {
  switch (shape) {
    case 'fresh':
      return inside(drawEnd(random, device), pick(random, device.hot), random.nextInt(1, 4));
    case 'fromZero':
      return inside(drawEnd(random, device), 0, 1 + drawTop(random, device));
    case 'again':
      return { start: device.lastStart, count: device.lastCount };
    case 'crossing': {
      const below = random.nextInt(1, 3);
      return within(device, Math.max(0, device.top - below), below + random.nextInt(1, 3));
    }
    case 'beyond':
      return within(device, device.top + (chance(random, 50) ? 0 : random.nextInt(1, 3)), 1);
    case 'empty':
      return { start: drawEmptyStart(random, device), count: 0 };
    case 'whole':
      return drawWhole(random, device);
    case 'pastTable':
      return drawPastTable(random, device);
  }
}

/** A vector to enable up to: near the beginning, so that there is room for growth, else a hot one if that is cheap. */
function drawTop(random: Random, device: DeviceMemory): number {
  return chance(random, 60) ? random.nextInt(0, 3) : Math.min(64, pick(random, device.hot));
}

function drawEmptyStart(random: Random, { top, msixVectors }: DeviceMemory): number {
  return pick(random, [0, msixVectors, Math.max(0, top - 1), top, top + 1]);
}

/** A range over 2048 vectors costs as much as a whole scenario, so most of them leave the beginning out. */
function drawWhole(random: Random, device: DeviceMemory): Range {
  const start = device.msixVectors > 128 && chance(random, 85) ? device.msixVectors - random.nextInt(2, 66) : 0;
  return { start, count: device.msixVectors - start };
}

function drawPastTable(random: Random, device: DeviceMemory): Range {
  const start = Math.max(0, device.msixVectors - random.nextInt(0, 3));
  return { start, count: device.msixVectors - start + random.nextInt(1, 2) };
}

/** Where a range has to end: at the end of the table, or mostly of the allocation where that is not likely to grow. */
function drawEnd(random: Random, { grows, top, msixVectors }: DeviceMemory): number {
  return !grows && top > 0 && chance(random, 70) ? top : msixVectors;
}

function within(device: DeviceMemory, start: number, count: number): Range {
  return inside(device.msixVectors, start, count);
}

/** The range moved and cut so that it ends at `end`, which is 1 or more, or before. */
function inside(end: number, start: number, count: number): Range {
  const first = Math.min(start, end - 1);
  return { start: first, count: Math.min(count, end - first) };
}
