import type { Eventfds } from './vfio/eventfd.ts';

/**
 * Makes a map what it was. Only what is not as it was is written: most operations leave most maps alone.
 * @param saved a copy of the map, from when it was as it is to be
 */
export function putBackMap<Key, Value>(map: Map<Key, Value>, saved: ReadonlyMap<Key, Value>): void {
  if (saved.size > 0) for (const [key, value] of saved) if (map.get(key) !== value) map.set(key, value);
  if (map.size > saved.size) for (const key of map.keys()) if (!saved.has(key)) map.delete(key);
}

/** Makes a list what it was, whose length never changes. */
export function putBackNumbers(list: number[], saved: readonly number[]): void {
  for (let place = 0; place < list.length; place += 1) list[place] = saved[place] ?? 0;
}

/**
 * Opens the descriptors again that were open and have been closed. One that was not open then stays open, which is as
 * good as one that was never made: nothing holds its eventfd.
 */
export function putBackOpen({ open }: Eventfds, saved: Eventfds['open']): void {
  for (const [name, eventfd] of saved) {
    if (open.get(name) === eventfd) continue;
    eventfd.open = true;
    open.set(name, eventfd);
  }
}
