import type { Operation, Scenario, Support } from '#vocabulary';
import { isSimpler, measure } from '../generators/measure.ts';
import { type Candidate, shrinkScenario } from '../generators/shrink.ts';
import { simplifyOperation } from '../generators/simplify.ts';
import { choices, type Stage, withOperations } from './stage.ts';

/** Simpler by one thing at a time, in the order in which fast-check asks for it, until nothing is left. */
export const simplifySingly: Stage = async (scenario, trials, support) => {
  let simplest: Candidate = { scenario, cursor: { stage: 0, position: 0 } };
  for (;;) {
    let accepted: Candidate | null = null;
    for (const candidate of shrinkScenario(simplest.scenario, support, simplest.cursor)) {
      if (trials.isOver) break;
      if (!(await trials.fails(candidate.scenario))) continue;
      accepted = candidate;
      break;
    }
    if (accepted === null) return simplest.scenario;
    simplest = accepted;
  }
};

/** Two operations simpler in the same try: numbers that have to stay in step. */
export const simplifyJointly: Stage = async (scenario, trials, support) => {
  let simplest = scenario;
  for (;;) {
    const found = await trials.firstThatFails(jointlySimpler(simplest, support));
    if (found === null) return simplest;
    simplest = found;
  }
};

function* jointlySimpler(scenario: Scenario, support: Support): Generator<Scenario> {
  const { config, operations } = scenario;
  const size = measure(scenario);
  const ways = operations.map((operation) => [...simplifyOperation(operation, config.devices, support)]);
  for (const places of choices(operations.length, 2)) {
    for (const varied of replaced(operations, places, ways)) {
      const candidate = withOperations(scenario, varied);
      if (isSimpler(measure(candidate), size)) yield candidate;
    }
  }
}

/** The operations with those at some places replaced in every way. */
function* replaced(
  operations: readonly Operation[],
  [place, ...others]: readonly number[],
  ways: readonly (readonly Operation[])[],
): Generator<readonly Operation[]> {
  if (place === undefined) yield operations;
  else
    for (const way of ways[place] ?? [])
      for (const varied of replaced(operations.with(place, way), others, ways)) yield varied;
}
