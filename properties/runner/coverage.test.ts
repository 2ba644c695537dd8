import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAskable, OPERATION_KINDS, parseOperation, type Scenario } from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { addCoverage, CoverageTally, NO_COVERAGE } from './coverage.ts';
import { classesOf } from './state-class.ts';
import type { Coverage } from './verdict.ts';

const { support } = referenceSystem();

function coverageOf(profile: ProfileName, work: readonly Scenario[]): Coverage {
  const tally = new CoverageTally();
  for (const scenario of work) tally.add(scenario, specify(scenario));
  return tally.counts(support, platformOf(profile));
}

/** What is left of rows when those are left out in which nothing was counted. */
function filled(rows: Readonly<Record<string, object | undefined>>): object {
  return Object.fromEntries(Object.entries(rows).filter(([, row]) => row !== undefined && Object.keys(row).length > 0));
}

function scenario(
  profile: ProfileName,
  operations: readonly string[],
  rest: Omit<Scenario['config'], 'host'>,
): Scenario {
  return { config: { ...platformOf(profile), ...rest }, operations: operations.map(parseOperation) };
}

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';
const SMALL = { devices: [{ msixVectors: 2, whileOff: 'latches' }] } as const;
const MDEV = { msixVectors: 3, whileOff: 'drops', reset: true, mdev: { vm: 0, viommu: true } } as const;

describe('what one scenario tries', () => {
  it('is counted by kind, by the state before, by the answer and by what came before', () => {
    const coverage = coverageOf('linux-6.1', [
      scenario(
        'linux-6.1',
        [
          ...[`${SET} 0+1 [e0]`, `${SET} 0+2 [e0 e1]`, 'device.arm 0 teardown-gap', DISABLE],
          ...[`${SET} 0+2 [e0 e1]`, 'device.raise 0', 'vfio.close', 'vfio.reset'],
        ],
        SMALL,
      ),
    ]);
    expect(filled(coverage.transitions)).toEqual({
      'vfio.setIrqs': { 'MSI-X off': 1, 'MSI-X on, some armed': 2, 'MSI-X off, pending': 1 },
      'device.arm': { 'MSI-X on, some armed': 1 },
      'device.raise': { 'MSI-X on, all armed': 1 },
      'vfio.close': { 'MSI-X on, all armed': 1 },
      'vfio.reset': { closed: 1 },
    });
    expect(filled(coverage.outcomes)).toEqual({
      'vfio.setIrqs': { ok: 3, EINVAL: 1 },
      'device.arm': { ok: 1 },
      'device.raise': { ok: 1 },
      'vfio.close': { ok: 1 },
      'vfio.reset': { EBADF: 1 },
    });
    expect(filled(coverage.pairs)).toEqual({
      'vfio.setIrqs': { 'vfio.setIrqs': 2, 'device.arm': 1, 'device.raise': 1 },
      'device.arm': { 'vfio.setIrqs': 1 },
      'device.raise': { 'vfio.close': 1 },
      'vfio.close': { 'vfio.reset': 1 },
    });
    expect(coverage.windows['teardown-gap']).toEqual({ armed: 1, opened: 1, met: 1 });
  });

  it('ends at the end of a scenario: no pair crosses it', () => {
    const alone = scenario('linux-6.1', ['device.raise 0'], SMALL);
    expect(filled(coverageOf('linux-6.1', [alone, alone]).pairs)).toEqual({});
  });

  it('tells a shortage until the host has refused something', () => {
    const { transitions } = coverageOf('linux-6.12', [
      scenario(
        'linux-6.12',
        ['host.failAllocation 1', `${SET} 0+1 [e0]`, `${SET} 0+1 [e0]`, 'host.limitVectors 0', 'device.raise 0'],
        SMALL,
      ),
    ]);
    expect(filled(transitions)).toEqual({
      'host.failAllocation': { 'MSI-X off': 1 },
      'vfio.setIrqs': { 'MSI-X off, host short': 1, 'MSI-X off': 1 },
      'host.limitVectors': { 'MSI-X on, some armed': 1 },
      'device.raise': { 'MSI-X on, host short': 1 },
    });
  });

  it('with a VMM is told by what the guest has, and by the windows of its reactions', () => {
    const coverage = coverageOf('linux-6.1+qemu-7.2', [
      scenario(
        'linux-6.1+qemu-7.2',
        [
          ...['guest.unmask 0', 'guest.msixControl enable', 'device.arm 0 teardown-gap', 'guest.unmask 1'],
          ...['guest.mask 0', 'device.raise 0', 'guest.unmask 0', 'guest.msixControl enable function-mask'],
          ...['guest.msixControl disable', 'host.limitVectors 0', 'guest.msixControl enable', 'guest.mask 0'],
        ],
        SMALL,
      ),
    ]);
    expect(filled(coverage.transitions)).toEqual({
      'guest.unmask': { 'MSI-X off, all masked': 1, 'MSI-X on, some unmasked': 1, 'MSI-X on, pending': 1 },
      'guest.msixControl': {
        ...{ 'MSI-X off, some unmasked': 1, 'MSI-X on, some unmasked': 1, 'MSI-X on, function-masked': 1 },
        'MSI-X off, host short': 1,
      },
      'device.arm': { 'MSI-X on, some unmasked': 1 },
      'guest.mask': { 'MSI-X on, some unmasked': 1, 'MSI-X on, unmasked without trigger': 1 },
      'device.raise': { 'MSI-X on, some unmasked': 1 },
      'host.limitVectors': { 'MSI-X off, some unmasked': 1 },
    });
    expect(coverage.windows['teardown-gap']).toMatchObject({ armed: 1, met: 1 });
    expect(coverage.windows['after-set']).toMatchObject({ armed: 0, met: 0 });
    expect(coverage.windows['after-set'].opened).toBeGreaterThan(1);
  });

  it('of mdevs is told by their life, their descriptors and the entries that are left', () => {
    const { transitions } = coverageOf('idxd-mdev', [
      scenario(
        'idxd-mdev',
        [
          ...[`${SET} 0+2 [e0 e1]`, 'guest.unmask 1', 'guest.submit 0 dedicated 0 handle=0', 'device.start 0'],
          ...['device.complete 0', `${SET} 2+1 [e2]`, 'host.detach', 'vfio.close', 'host.removeMdev', 'vfio.open'],
        ],
        { parent: { entries: 2, pasids: 4, quota: 2, handles: 'index' }, devices: [MDEV] },
      ),
    ]);
    expect(filled(transitions)).toEqual({
      'vfio.setIrqs': { 'MSI-X off, entries left': 1, 'MSI-X on, entries left': 1 },
      'guest.unmask': { 'MSI-X on, entries left': 1 },
      'guest.submit': { 'MSI-X on, entries left': 1 },
      'device.start': { 'descriptor queued': 1 },
      'device.complete': { 'descriptor past its check': 1 },
      'host.detach': { 'MSI-X on, no entry left': 1 },
      'vfio.close': { detached: 1 },
      'host.removeMdev': { 'closed and detached': 1 },
      'vfio.open': { gone: 1 },
    });
  });

  it('meets a window with a descriptor that is armed when the reaction opens it', () => {
    const armed = ['device.armDescriptor 0 before-call', 'device.armDescriptor 0 teardown-gap'];
    const { windows } = coverageOf('idxd-mdev+qemu-10.0', [
      scenario(
        'idxd-mdev+qemu-10.0',
        ['guest.msixControl enable', 'guest.submit 0 dedicated 0 handle=0', ...armed, 'guest.unmask 1'],
        { parent: { entries: 2, pasids: 4, quota: 2, handles: 'index' }, devices: [MDEV] },
      ),
    ]);
    expect(windows['before-call']).toMatchObject({ armed: 1, met: 1 });
    expect(windows['teardown-gap']).toMatchObject({ armed: 1, met: 0 });
  });
});

const PROFILES: readonly ProfileName[] = ['linux-6.1', 'linux-6.12+qemu-10.0', 'idxd-mdev'];

describe.each(PROFILES)('a campaign on %s', (profile) => {
  const platform = platformOf(profile);
  const coverage = coverageOf(profile, fc.sample(scenarios(support, platform), { seed: 1, numRuns: 700 }));

  it('meets devices in each of its state classes', () => {
    const met = new Set(Object.values(coverage.transitions).flatMap((row) => Object.keys(row)));
    expect([...met].sort()).toEqual([...classesOf(platform)].sort());
  });

  it('has a row for each kind that can be asked, and none is empty', () => {
    const kinds = OPERATION_KINDS.filter((kind) => isAskable(platform, kind));
    expect(Object.keys(coverage.transitions)).toEqual(kinds);
    for (const rows of [coverage.transitions, coverage.outcomes, coverage.pairs])
      expect(Object.keys(filled(rows))).toEqual(kinds);
  });
});

describe('two shards', () => {
  it('add up to the campaign', () => {
    const drawn = fc.sample(scenarios(support, platformOf('linux-6.12')), { seed: 2, numRuns: 60 });
    const [left, right] = [coverageOf('linux-6.12', drawn.slice(0, 20)), coverageOf('linux-6.12', drawn.slice(20))];
    expect(addCoverage(left, right)).toEqual(coverageOf('linux-6.12', drawn));
    expect(addCoverage(NO_COVERAGE, left)).toEqual(left);
  });
});
