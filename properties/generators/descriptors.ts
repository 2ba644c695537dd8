import type { Random } from 'fast-check';
import type { DataElement, EventfdName } from '#vocabulary';
import { chance, pick } from './random.ts';
import type { Swarm } from './swarm.ts';

/** How a scenario uses its eventfds. */
export type Habits = Pick<Swarm, 'eventfds' | 'sharing' | 'holePercent' | 'badPercent'>;

const EVENTFDS: readonly EventfdName[] = Array.from({ length: 8 }, (_, number): EventfdName => `e${number}`);

/** Descriptors that are refused somewhere. No small numbers: they are descriptors that a program has by accident. */
export const BAD_DESCRIPTORS: readonly DataElement[] = ['bad', 'bad', 'bad', 'notEventfd', 'notEventfd', 2147483647];

/** Descriptors that MSI-X takes like -1. 4294967295 is -1 once written. */
export const NEGATIVE_DESCRIPTORS: readonly number[] = [-1, -1, -1, -1, -1, -1, -1, -2, -2147483648, 4294967295];

/** Bytes of BOOL data; of 256 only the low byte counts. */
const BOOLS: readonly number[] = [0, 0, 0, 1, 1, 1, 1, 2, 255, 256];

function eventfd(number: number): EventfdName {
  return EVENTFDS[number] as EventfdName;
}

/** An eventfd that this scenario has its events told by. */
export function drawEventfd(random: Random, swarm: Habits): EventfdName {
  return eventfd(random.nextInt(0, swarm.eventfds - 1));
}

// An array that is pushed to has room for 17 elements, and most ranges have one to four: arrays of their length it is.

/** The eventfds of a range, with a hole or a descriptor that is refused now and then. */
export function drawDescriptors(random: Random, swarm: Habits, start: number, count: number): DataElement[] {
  const data: DataElement[] = Array(count);
  const first = random.nextInt(0, swarm.eventfds - 1);
  for (let place = 0; place < count; place++) data[place] = eventfd(share(random, swarm, first, start, place));
  if (count === 0) return data;
  if (chance(random, swarm.holePercent)) data[random.nextInt(0, count - 1)] = pick(random, NEGATIVE_DESCRIPTORS);
  if (chance(random, swarm.badPercent)) data[drawBadPlace(random, count)] = pick(random, BAD_DESCRIPTORS);
  return data;
}

/** The number of the eventfd for a place in a range, `first` being that of the range. */
function share(random: Random, swarm: Habits, first: number, start: number, place: number): number {
  switch (swarm.sharing) {
    case 'byVector':
      return (first + start + place) % swarm.eventfds;
    case 'random':
      return place < 16 ? random.nextInt(0, swarm.eventfds - 1) : (first + place) % swarm.eventfds;
    case 'one':
      return first;
  }
}

/** Data that is the same for every vector of a range. */
export function repeated<T>(element: T, count: number): T[] {
  const data: T[] = Array(count);
  for (let place = 0; place < count; place++) data[place] = element;
  return data;
}

/** Mostly not the first: what was done before the error is what has to be undone. */
function drawBadPlace(random: Random, count: number): number {
  if (count === 1 || chance(random, 20)) return 0;
  return chance(random, 40) ? count - 1 : random.nextInt(1, count - 1);
}

export function drawBools(random: Random, count: number): number[] {
  const data: number[] = Array(count);
  for (let place = 0; place < count; place++) data[place] = place < 16 ? pick(random, BOOLS) : place & 1;
  return data;
}
