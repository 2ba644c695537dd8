import type { Eventfd, Eventfds } from './vfio/eventfd.ts';

/**
 * Makes a map what it was. Only what is not as it was is written: most operations leave most maps alone. The order of
 * its keys is not put back; no rule depends on it.
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
 * Makes the open descriptors what they were. What has been opened since is closed: a trigger may be of an eventfd that
 * was closed by then, and another one may have its name.
 * @param saved those that were open
 */
export function putBackOpen({ open }: Eventfds, saved: readonly Eventfd[]): void {
  for (const eventfd of saved) {
    if (eventfd.open) continue;
    const namesake = open.get(eventfd.name);
    if (namesake !== undefined) namesake.open = false;
    eventfd.open = true;
    open.set(eventfd.name, eventfd);
  }
  if (open.size === saved.length) return;
  for (const eventfd of open.values()) {
    if (saved.includes(eventfd)) continue;
    eventfd.open = false;
    open.delete(eventfd.name);
  }
}
