import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MDEV_PROFILE_NAMES, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { INVARIANTS, violations } from './index.ts';

const SCENARIOS = 60;
const SEED = 2021;

describe('the model of a machine with mediated devices', () => {
  it.each(MDEV_PROFILE_NAMES)('keeps every promise on %s', (profile) => {
    const drawn = scenarios(referenceSystem().support, platformOf(profile));
    for (const scenario of fc.sample(drawn, { numRuns: SCENARIOS, seed: SEED })) {
      const { config, operations } = scenario;
      expect(violations(INVARIANTS, config, operations, specify(scenario))).toEqual([]);
    }
  });
});
