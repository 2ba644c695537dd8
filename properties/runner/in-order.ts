/** Takes what comes with its place, whichever comes first, and hands it on in the order of the places, from 0. */
export function inOrder<Item extends object>(handOn: (item: Item) => void): (place: number, item: Item) => void {
  const waiting = new Map<number, Item>();
  let next = 0;
  return (place, item) => {
    waiting.set(place, item);
    for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(next)) {
      handOn(ready);
      waiting.delete(next);
      next += 1;
    }
  };
}
