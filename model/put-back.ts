/**
 * Makes a map what it was. Only what is not as it was is written: most operations leave most maps alone.
 * @param saved a copy of the map, from when it was as it is to be
 */
export function putBackMap<Key, Value>(map: Map<Key, Value>, saved: ReadonlyMap<Key, Value>): void {
  if (map.size > 0) for (const key of map.keys()) if (!saved.has(key)) map.delete(key);
  if (saved.size > 0) for (const [key, value] of saved) if (map.get(key) !== value) map.set(key, value);
}
