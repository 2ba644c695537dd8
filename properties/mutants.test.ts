import { describe, expect, it } from 'vitest';
import { MUTANTS } from '../impl/mutants/index.ts';
import { mutantSystem, TIER_SCENARIOS } from '../impl/mutants/mutant.ts';
import { hunt, summarise } from './runner/mutants.ts';

/** Enough to see that a mutant can be found; thirty are searched for in `mutants.system.test.ts`. */
const SEEDS = [0, 1, 2];
/** Scenarios of a search with the trap switched off. */
const WITHOUT_TRAP = 500;

describe.each(MUTANTS.map((mutant) => [mutant.id, mutant] as const))('%s', (_, mutant) => {
  it('is killed in time, told by its promise, in the fewest operations', async () => {
    const plans = SEEDS.map((seed) => ({ seed, scenarios: TIER_SCENARIOS[mutant.tier] }));
    const found = [];
    for (const plan of plans) found.push(await hunt(mutant, mutantSystem(mutant), plan));
    const { killed, told, by, shrunk, shortest } = summarise(mutant, found);
    expect({ killed, told, by }).toEqual({ killed: SEEDS.length, told: SEEDS.length, by: [mutant.invariant] });
    expect(shrunk).toEqual({ median: shortest, worst: shortest });
  });
});

describe('without its trap', () => {
  const hard = MUTANTS.filter(({ tier }) => tier === 'H');

  it.each(hard.map((mutant) => [mutant.id, mutant] as const))('%s survives', async (_, mutant) => {
    const { hasTrap = () => true } = mutant;
    const only = (scenario: Parameters<typeof hasTrap>[0]): boolean => !hasTrap(scenario);
    const found = await hunt(mutant, mutantSystem(mutant), { seed: 0, scenarios: WITHOUT_TRAP, only });
    expect(found).toMatchObject({ verdict: 'survived', scenarios: WITHOUT_TRAP });
  });
});
