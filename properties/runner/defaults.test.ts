import { describe, expect, it } from 'vitest';
import type { System } from '#vocabulary';
import { MDEV_HOST_NAMES, MDEV_PROFILE_NAMES, PROFILE_NAMES, platformOf } from '../../model/profiles.ts';
import { referenceSystem } from '../../model/reference.ts';
import { lacks } from './campaign.ts';
import { profilesFor, scenariosFor, suits } from './defaults.ts';

/** The model as a system that has no mdevs. */
function withoutMdevs(): System {
  const system = referenceSystem();
  const operations = new Set([...system.support.operations].filter((kind) => kind !== 'guest.submit'));
  return { ...system, support: { ...system.support, operations } };
}

describe('the profiles of a system', () => {
  it('are those of mdevs too, where it can have some', () => {
    expect(profilesFor(referenceSystem())).toEqual([...PROFILE_NAMES, ...MDEV_PROFILE_NAMES]);
    expect(profilesFor(withoutMdevs())).toEqual(PROFILE_NAMES);
    const { support } = referenceSystem();
    expect(profilesFor({ ...referenceSystem(), support: { ...support, vmm: 'none' } }).slice(-6)).toEqual(
      MDEV_HOST_NAMES,
    );
  });

  it('suit it or do not', () => {
    const { support } = withoutMdevs();
    expect(suits(support, platformOf('linux-6.1+qemu-10.0'))).toBe(true);
    expect(suits(support, platformOf('idxd-mdev'))).toBe(false);
    expect(suits(support, platformOf('idxd-mdev+qemu-10.0'))).toBe(false);
    expect(suits(referenceSystem().support, platformOf('idxd-mdev+qemu-10.0'))).toBe(true);
  });

  it('have as many scenarios as each has to show', () => {
    const many = scenariosFor(referenceSystem(), platformOf('idxd-mdev'));
    expect(many).toBeLessThan(scenariosFor(referenceSystem(), platformOf('linux-6.12')));
    const few = scenariosFor(referenceSystem(), platformOf('idxd-mdev+qemu-10.0'));
    expect(few * (MDEV_PROFILE_NAMES.length - MDEV_HOST_NAMES.length)).toBeLessThan(many);
  });
});

it('a system without mdevs says so of a scenario', () => {
  const config = {
    ...platformOf('idxd-mdev'),
    parent: { entries: 1, pasids: 1, quota: 1, handles: 'index' },
    devices: [{ msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm: 0 } }],
  } as const;
  expect(lacks(referenceSystem(), { config, operations: [] })).toBeNull();
  expect(lacks(withoutMdevs(), { config, operations: [] })).toBe('has no mediated devices');
});
