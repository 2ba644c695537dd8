import { idleOperations } from './model-state.ts';
import { type Stage, withOperations } from './stage.ts';

/** Operations that change nothing in the model, all at once: for some faults it is their number that matters. */
export const dropIdle: Stage = async (scenario, trials) => {
  const idle = idleOperations(scenario);
  if (idle.size === 0) return scenario;
  const without = withOperations(
    scenario,
    scenario.operations.filter((_, place) => !idle.has(place)),
  );
  return (await trials.fails(without)) ? without : scenario;
};
