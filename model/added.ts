/**
 * Adds to a list that is empty in most steps and has one item in most others: null is the empty one, for a list that is
 * pushed to while it is empty takes room for many.
 */
export function added<Item>(list: Item[] | null, item: Item): Item[] {
  if (list === null) return [item];
  list.push(item);
  return list;
}
