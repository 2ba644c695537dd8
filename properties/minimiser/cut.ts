import { type Stage, withOperations } from './stage.ts';

/** What comes after the operation at which it fails: that is found by halves, as what has failed stays failed. */
export const cut: Stage = async (scenario, trials) => {
  const { operations } = scenario;
  let [tooShort, enough] = [-1, operations.length];
  while (enough - tooShort > 1) {
    const middle = (tooShort + enough) >> 1;
    if (await trials.fails(withOperations(scenario, operations.slice(0, middle)))) enough = middle;
    else tooShort = middle;
  }
  return withOperations(scenario, operations.slice(0, enough));
};
