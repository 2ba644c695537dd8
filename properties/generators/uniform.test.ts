import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAskable, OPERATION_KINDS, type Operation, printOperation, type Scenario } from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { MDEV_PROFILE_NAMES, PROFILE_NAMES, type ProfileName, platformOf } from '../../model/profiles.ts';
import { lockstep } from '../runner/lockstep.ts';
import { uniformScenarios } from './uniform.ts';

const optimised = optimisedSystem();

function draw(profile: ProfileName, numRuns: number): readonly Scenario[] {
  return fc.sample(uniformScenarios(optimised.support, platformOf(profile)), { seed: 1, numRuns });
}

/** How often each of some names was drawn, as shares of what each would have by chance. */
function shares(names: readonly string[]): readonly number[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.values()].map((count) => (count * counts.size) / names.length);
}

describe.each<ProfileName>(['linux-6.1', 'linux-6.12+qemu-10.0', 'idxd-mdev', 'idxd-mdev+qemu-10.0'])(
  '%s',
  (profile) => {
    const drawn = draw(profile, 1_500);
    const operations = drawn.flatMap((scenario) => scenario.operations);

    it('has every kind that can be asked, each nearly as often as any other', () => {
      const kinds = operations.map(({ kind }) => kind);
      expect([...new Set(kinds)].sort()).toEqual(
        OPERATION_KINDS.filter((kind) => isAskable(platformOf(profile), kind)).sort(),
      );
      // What a device cannot do is not asked, so that INTx and the table are rarer.
      const everywhere = kinds.filter((kind) => !/Intx|table|pba|wipe|raise|arm$/.test(kind));
      for (const share of shares(everywhere)) expect(Math.abs(share - 1)).toBeLessThan(0.15);
    });

    it('asks for vectors anywhere in the table and for the one beyond', () => {
      const asked = drawn
        .filter(({ config }) => config.devices.length === 1 && config.devices[0]?.msixVectors === 4)
        .flatMap((scenario) =>
          scenario.operations.flatMap((one: Operation) => ('vector' in one ? [String(one.vector)] : [])),
        );
      expect([...new Set(asked)].sort()).toEqual(['0', '1', '2', '3', '4']);
      for (const share of shares(asked)) expect(Math.abs(share - 1)).toBeLessThan(0.3);
    });

    it('draws the same from the same seed', () => {
      const print = (scenario: Scenario | undefined): readonly string[] =>
        (scenario?.operations ?? []).map(printOperation);
      expect(print(draw(profile, 3)[2])).toEqual(print(drawn[2]));
    });
  },
);

describe('what nobody would think of', () => {
  it.each([...PROFILE_NAMES, ...MDEV_PROFILE_NAMES])(
    'is answered by model and implementation alike: %s',
    async (profile) => {
      for (const scenario of draw(profile, 30)) {
        const { divergences, violations } = await lockstep(optimised, scenario, { profile, invariants: [] });
        expect({ divergences, violations, scenario }).toMatchObject({ divergences: [], violations: [] });
      }
    },
  );
});
