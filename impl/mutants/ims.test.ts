import { describe, expect, it } from 'vitest';
import { parseOperation, type Scenario } from '#vocabulary';
import { platformOf, profileNamed } from '../../model/profiles.ts';
import { INVARIANTS, violations } from '../../properties/invariants/index.ts';
import { optimisedSystem } from '../optimised/system.ts';
import { IMS_MUTANTS } from './ims.ts';
import { type Mutant, mutantSystem } from './mutant.ts';

/** The sequence that a mutant is told by, as a scenario. */
function scenarioOf({ shortest }: Mutant, length = shortest.operations.length): Scenario {
  const { profile, operations, ...machine } = shortest;
  const named = profileNamed(profile);
  if (named === undefined) throw new Error(`there is no profile ${profile}`);
  return {
    config: { ...platformOf(named), ...machine },
    operations: operations.slice(0, length).map(parseOperation),
  };
}

async function broken(mutant: Mutant, scenario: Scenario): Promise<readonly string[]> {
  const trace = await mutantSystem(mutant).run(scenario);
  return violations(INVARIANTS, scenario.config, scenario.operations, trace).map(({ invariant }) => invariant);
}

describe.each(IMS_MUTANTS.map((mutant) => [mutant.id, mutant] as const))('%s', (_, mutant) => {
  it('breaks its promise at the last operation of its sequence, and none before', async () => {
    expect(await broken(mutant, scenarioOf(mutant))).toContain(mutant.invariant);
    const shorter = scenarioOf(mutant, mutant.shortest.operations.length - 1);
    expect(await broken(mutant, shorter)).not.toContain(mutant.invariant);
  });

  it('is the implementation without its fault elsewhere: the same sequence breaks nothing there', async () => {
    const scenario = scenarioOf(mutant);
    const trace = await optimisedSystem().run(scenario);
    expect(violations(INVARIANTS, scenario.config, scenario.operations, trace)).toEqual([]);
  });
});
