import { describe, expect, it } from 'vitest';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { allClauses } from '../model/clauses.ts';
import {
  HOST_NAMES,
  type HostName,
  MDEV_HOST_NAMES,
  MDEV_PROFILE_NAMES,
  PROFILE_NAMES,
  type ProfileName,
} from '../model/profiles.ts';
import { EXPECTATIONS } from './expected.ts';
import { campaign } from './runner/campaign.ts';
import { planOf } from './runner/plan.fixture.ts';

/** Clauses that do not speak on every kind of host, with the profiles on which they do. */
const ONLY: Readonly<Record<string, readonly HostName[]>> = {
  'irq.msi-domain.add-one': ['linux-6.12'],
  'vfio.ctx-trigger-single.below-minus-one-ignored': ['linux-6.1'],
  'vfio.ctx-trigger-single.below-minus-one-refused': ['linux-6.12', 'linux-6.12-static'],
  'vfio.irq-info.noresize-clear': ['linux-6.12'],
  'vfio.msi-trigger.add-vector': ['linux-6.12'],
  'vfio.msi-trigger.block-beyond': ['linux-6.1'],
  'vfio.msi-trigger.cannot-add-vector': ['linux-6.12', 'linux-6.12-static'],
  'vfio.msi-trigger.loopback-beyond': ['linux-6.1'],
};

const DRAWN = allClauses().filter(({ undrawn }) => undrawn === undefined);

describe.each(HOST_NAMES)('the optimised implementation on %s', (profile) => {
  it('answers as the model does, keeps every promise, and every clause is reached', async () => {
    const result = await campaign(planOf(optimisedSystem(), profile, { seed: 20261121, scenarios: 4000 }));
    const known = EXPECTATIONS.filter((expectation) => expectation.profile === profile).length;
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0, scenarios: 4000 + known });
    const elsewhere = Object.keys(ONLY).filter((id) => !ONLY[id]?.includes(profile));
    const unreached = DRAWN.filter(({ id }) => !/^(qemu|ims)\./.test(id) && result.clauses[id] === undefined);
    expect(unreached.map(({ id }) => id).sort()).toEqual(elsewhere.sort());
  });
});

describe('the optimised implementation under a VMM', () => {
  const profiles = PROFILE_NAMES.filter((name) => name.includes('+'));
  const reached = new Set<string>();

  it.each(profiles)('answers as the model does and keeps every promise on %s', async (profile) => {
    const result = await campaign(planOf(optimisedSystem(), profile, { seed: 20261121, scenarios: 600 }));
    const known = EXPECTATIONS.filter((expectation) => expectation.profile === profile).length;
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0, scenarios: 600 + known });
    for (const id of Object.keys(result.clauses)) reached.add(id);
  });

  it('reaches every clause about VMMs', () => {
    const unreached = DRAWN.filter(({ id }) => id.startsWith('qemu.') && !reached.has(id));
    expect(unreached.map(({ id }) => id)).toEqual([]);
  });
});

describe('the optimised implementation with mediated devices', () => {
  const reached = new Set<string>();

  async function holds(profile: ProfileName, scenarios: number): Promise<void> {
    const result = await campaign(planOf(optimisedSystem(), profile, { seed: 20261121, scenarios }));
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0, scenarios });
    for (const id of Object.keys(result.clauses)) reached.add(id);
  }

  it.each(MDEV_HOST_NAMES)('answers as the model does and keeps every promise on %s', (profile) =>
    holds(profile, 1500),
  );

  it.each(MDEV_PROFILE_NAMES.filter((name) => name.includes('+')))('and under a VMM on %s', (profile) =>
    holds(profile, 100),
  );

  it('reaches every clause about them', () => {
    const unreached = DRAWN.filter(({ id }) => id.startsWith('ims.') && !reached.has(id));
    expect(unreached.map(({ id }) => id)).toEqual([]);
  });
});
