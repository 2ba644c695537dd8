import { choices, type Stage, withOperations } from './stage.ts';

/** Subsets of one size that are tried: more are a matter for the search. */
const SUBSETS_MAX = 1000;

/**
 * What only goes together, wherever it is: every choice of one operation, of two, of three, while there are few. The
 * first that fails has as few operations as can be left of these.
 */
export const keepSubset: Stage = async (scenario, trials) => {
  const { operations } = scenario;
  for (let size = 0; size < operations.length; size += 1) {
    if (chosen(operations.length, size) > SUBSETS_MAX || trials.isOver) return scenario;
    const found = await trials.firstThatFails(subsetsOf(scenario, size));
    if (found !== null) return found;
  }
  return scenario;
};

function* subsetsOf(scenario: Parameters<Stage>[0], size: number): Generator<Parameters<Stage>[0]> {
  const { operations } = scenario;
  for (const places of choices(operations.length, size))
    yield withOperations(
      scenario,
      places.flatMap((place) => operations[place] ?? []),
    );
}

/** In how many ways `size` of `length` can be chosen. */
function chosen(length: number, size: number): number {
  let ways = 1;
  for (let place = 0; place < size; place += 1) ways = (ways * (length - place)) / (place + 1);
  return ways;
}
