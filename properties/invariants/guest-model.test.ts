import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scenario } from '#vocabulary';
import { PROFILE_NAMES, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { INVARIANTS, violations } from './index.ts';

const SCENARIOS = 150;
const SEED = 2021;

/** Whether a VMM adds vectors by tearing all down: then, and then only, may a guest lose an event. */
const tearsDown = (profile: string): boolean =>
  profile.includes('qemu-7.2') || (profile.includes('qemu-10.0') && !profile.startsWith('linux-6.12+'));

function brokenIn(scenario: Scenario): readonly string[] {
  const { config, operations } = scenario;
  return violations(INVARIANTS, config, operations, specify(scenario)).map(({ invariant }) => invariant);
}

describe('the model of a machine with a VMM', () => {
  it.each(PROFILE_NAMES.filter((profile) => profile.includes('+')))('keeps on %s what can be kept', (profile) => {
    const drawn = scenarios(referenceSystem().support, platformOf(profile));
    const broken = new Set<string>();
    for (const scenario of fc.sample(drawn, { numRuns: SCENARIOS, seed: SEED })) {
      const drops = scenario.config.devices.some(({ whileOff }) => whileOff === 'drops');
      for (const invariant of brokenIn(scenario)) broken.add(`${invariant}${drops ? '' : ' where nothing drops'}`);
    }
    expect([...broken]).toEqual(tearsDown(profile) ? ['no-lost-interrupt'] : []);
  });
});
