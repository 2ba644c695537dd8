import { describe, expect, it } from 'vitest';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { allClauses } from '../model/clauses.ts';
import { PROFILE_NAMES } from '../model/profiles.ts';
import { campaign } from './runner/campaign.ts';
import { planOf } from './runner/plan.fixture.ts';

/** Clauses that speak on one kind of host only. */
const ONLY = {
  'linux-6.1': [
    'vfio.ctx-trigger-single.below-minus-one-ignored',
    'vfio.msi-trigger.block-beyond',
    'vfio.msi-trigger.loopback-beyond',
  ],
  'linux-6.12': [
    'irq.msi-domain.add-one',
    'vfio.ctx-trigger-single.below-minus-one-refused',
    'vfio.irq-info.noresize-clear',
    'vfio.msi-trigger.add-vector',
  ],
};
/** No profile is a host from 6.5 on that cannot add vectors. */
const ON_NO_PROFILE = ['vfio.msi-trigger.cannot-add-vector'];

describe.each(PROFILE_NAMES)('the optimised implementation on %s', (profile) => {
  it('answers as the model does, keeps every promise, and every clause is reached', async () => {
    const result = await campaign(planOf(optimisedSystem(), profile, { seed: 20261121, scenarios: 4000 }));
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0, scenarios: 4001 });
    const elsewhere = Object.entries(ONLY).flatMap(([name, ids]) => (name === profile ? [] : ids));
    const unreached = allClauses().filter(({ id }) => result.clauses[id] === undefined);
    expect(unreached.map(({ id }) => id).sort()).toEqual([...elsewhere, ...ON_NO_PROFILE].sort());
  });
});
