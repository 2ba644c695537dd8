import { type Stage, withOperations } from './stage.ts';

/** Neighbours, in pieces that are halved: as ddmin does, without looking at pieces alone (Zeller, 2002). */
export const deltaDebug: Stage = async (scenario, trials) => {
  let shortest = scenario;
  let size = shortest.operations.length >> 1;
  while (size > 0 && !trials.isOver) {
    const found = await trials.firstThatFails(
      // The last ones first: what is needed mostly comes before what shows it.
      pieces(shortest.operations.length, size).map((from) =>
        withOperations(shortest, shortest.operations.toSpliced(from, size)),
      ),
    );
    if (found === null) size >>= 1;
    else {
      shortest = found;
      size = Math.min(size, shortest.operations.length);
    }
  }
  return shortest;
};

function pieces(length: number, size: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, place) => Math.max(0, length - (place + 1) * size));
}
