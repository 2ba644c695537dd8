import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { MDEV_PROFILE_NAMES, PROFILE_NAMES, platformOf } from '../../model/profiles.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import { lockstep } from '../../properties/runner/lockstep.ts';

const SEED = 20261121;

// A campaign would go on and shrink what it finds: here the first scenario that goes wrong is the verdict.
describe('the optimised implementation', () => {
  it.each([...PROFILE_NAMES, ...MDEV_PROFILE_NAMES])(
    'does on %s as the reference, and keeps every promise',
    async (profile) => {
      const system = optimisedSystem();
      const numRuns = profile.includes('+') ? 15 : 150;
      for (const scenario of fc.sample(scenarios(system.support, platformOf(profile)), { seed: SEED, numRuns })) {
        const { divergences, violations } = await lockstep(system, scenario, { profile, invariants: INVARIANTS });
        expect(divergences).toEqual([]);
        expect(violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
      }
    },
  );
});
