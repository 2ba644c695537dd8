import { describe, expect, it } from 'vitest';
import type { ProfileName } from '../model/profiles.ts';
import { INVARIANTS } from './invariants/index.ts';
import { type Exploration, explore } from './runner/explore.ts';
import { alphabetOf } from './runner/explore-alphabet.ts';
import { exploreScope, scopeConfig } from './runner/explore-scopes.ts';
import { exploredGuest } from './runner/explored-guest.ts';

// What `npm test` does with two vectors. Needs no system, but minutes.

const REACH = { depth: 1000, states: 4_000_000 };
const HALF_AN_HOUR = 1_800_000;

function explored(profile: ProfileName): Exploration {
  return exploreScope({ profile, config: scopeConfig(profile, 3), operations: null, invariants: [] }, REACH);
}

function unexpected({ verdicts }: Exploration): readonly string[] {
  return [...verdicts].flatMap(([id, { broken }]) => (broken === null ? [] : [`${id}: ${broken.breach.message}`]));
}

describe('every reachable state of three vectors, and of two mdevs in two VMs', () => {
  it.each<readonly [ProfileName, number, number]>([
    ['linux-6.12', 3082, 58_566],
    ['linux-6.1+qemu-7.2', 28_230, 729_780],
    ['linux-6.1+qemu-10.0', 28_868, 760_248],
    ['linux-6.12+qemu-10.0', 15_708, 389_532],
    ['linux-6.1+all-at-enable', 2635, 47_862],
    ['idxd-mdev', 45_224, 678_360],
    ['idxd-mdev-at-unmask', 45_224, 678_360],
    ['idxd-mdev-immediate', 34_304, 514_560],
  ])(
    'on %s: %i states, %i transitions, and nothing that is not known',
    (profile, states, transitions) => {
      const found = explored(profile);
      expect(unexpected(found)).toEqual([]);
      expect(found).toMatchObject({ closed: true, statesCovered: states, transitionsCovered: transitions });
    },
    HALF_AN_HOUR,
  );

  it(
    'are as many where none stands for another',
    () => {
      const config = scopeConfig('linux-6.12+qemu-10.0', 3);
      const found = explore(exploredGuest(config, INVARIANTS, [], false), alphabetOf(config), REACH);
      expect(found).toMatchObject({ states: 15_708, transitions: 389_532 });
      expect(unexpected(found)).toEqual([]);
    },
    HALF_AN_HOUR,
  );
});
