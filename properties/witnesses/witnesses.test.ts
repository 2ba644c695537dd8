import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Operation, type Scenario, WINDOWS } from '#vocabulary';
import { HOST_NAMES, type ProfileName, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import type { WitnessCount } from '../runner/verdict.ts';
import { addWitnesses, WitnessTally } from '../runner/witnessed.ts';

const { support } = referenceSystem();
const SEED = 20261121;
/** Scenarios of a generator that must not show something. */
const CRIPPLED = 120;

/** So many that all can be told. */
function enoughFor(profile: ProfileName): number {
  return Math.max(...witnessed(profile, 1).map(({ oneIn }) => 10 * oneIn));
}

/** What is left of a scenario when a generator cannot do something. */
type Cripple = (operations: readonly Operation[]) => readonly Operation[];

function witnessed(
  profile: ProfileName,
  numRuns: number,
  cripple: Cripple = (operations) => operations,
): readonly WitnessCount[] {
  const tally = new WitnessTally(support, platformOf(profile));
  const drawn = fc.sample(scenarios(support, platformOf(profile)), { seed: SEED, numRuns });
  for (const { config, operations } of drawn) {
    const scenario: Scenario = { config, operations: cripple(operations) };
    tally.add(scenario, specify(scenario));
  }
  return tally.counts();
}

function namesOf(counts: readonly WitnessCount[], verdict: WitnessCount['verdict']): readonly string[] {
  return counts.filter((count) => count.verdict === verdict).map(({ name }) => name);
}

/** Every host, every strategy of a VMM where it matters, and mdevs that come one by one or all at once. */
const PROFILES: readonly ProfileName[] = [
  ...HOST_NAMES,
  ...([
    'linux-6.1+qemu-7.2',
    'linux-6.12+qemu-10.0',
    'linux-6.12-static+qemu-10.0',
    'linux-6.12+all-at-enable',
  ] as const),
  ...(['idxd-mdev', 'idxd-mdev-all-default', 'idxd-mdev-fixed', 'idxd-mdev+qemu-7.2'] as const),
];

describe('a campaign', () => {
  it.each(PROFILES)('has seen on %s all that must be seen', (profile) => {
    const counts = witnessed(profile, enoughFor(profile));
    expect(counts.filter(({ verdict }) => verdict !== 'seen')).toEqual([]);
    expect(counts.length).toBeGreaterThan(5);
  });
});

/** A witness has a name of its own, so that shards can be added up by it. */
describe('the witnesses of a profile', () => {
  it.each(PROFILES)('on %s have names of their own', (profile) => {
    const names = witnessed(profile, 1).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

const without =
  (look: (operation: Operation) => boolean): Cripple =>
  (operations) =>
    operations.filter((operation) => !look(operation));
const never = (...kinds: readonly Operation['kind'][]): Cripple => without(({ kind }) => kinds.includes(kind));
const calls = (look: (call: Extract<Operation, { kind: 'vfio.setIrqs' }>) => boolean): Cripple =>
  without((operation) => operation.kind === 'vfio.setIrqs' && look(operation));
const both =
  (...cripples: readonly Cripple[]): Cripple =>
  (operations) =>
    cripples.reduce((left, cripple) => cripple(left), operations);
/** The beginning, of one operation. */
const first: Cripple = (operations) => operations.slice(0, 1);

/** Generators that are weak on purpose, and what they no longer show. */
const HOST: readonly (readonly [string, Cripple])[] = [
  [
    'an event kept while MSI-X is off or its vector disarmed, delivered by the next trigger',
    never('device.raise', 'device.arm'),
  ],
  ['a range refused for want of an irq, and granted later', never('host.limitVectors', 'host.failAllocation')],
  ['a tear-down with a raise armed in the gap', never('device.arm')],
  ['MSI-X set up again after a close', never('vfio.close')],
  ['a failed range that has left something changed', () => []],
  ['a vector added while MSI-X is on', first],
  ['MSI-X after INTx', calls(({ index }) => index === 0)],
  [
    'SET_IRQS answers EBADF',
    both(
      calls(({ data }) => data.length > 0),
      never('vfio.close'),
    ),
  ],
  ['SET_IRQS answers EBUSY', calls(({ index }) => index < 2)],
  ['SET_IRQS answers EFAULT', calls(({ unreadable, argsz }) => unreadable === true || argsz !== undefined)],
  ['SET_IRQS answers EINVAL', () => []],
  ['SET_IRQS answers ENOSPC', never('host.limitVectors', 'host.failAllocation')],
  ['SET_IRQS answers ENOTTY', () => []],
  ['SET_IRQS answers ERANGE', calls(({ count }) => count === 0)],
  ['SET_IRQS answers how many vectors there could be', calls(({ index }) => index === 1 || index === 2)],
];

const GUEST: readonly (readonly [string, Cripple])[] = [
  ['an interrupt pending across an unmask', never('device.raise', 'device.arm')],
  ['an interrupt held back by Function Mask', without((of) => of.kind === 'guest.msixControl' && of.functionMask)],
  ['a growth refused for shortage, and then granted', never('host.limitVectors', 'host.failAllocation')],
  ...WINDOWS.map(
    (window) =>
      [`a raise in a reaction's ${window}`, without((of) => of.kind === 'device.arm' && of.window === window)] as const,
  ),
  ['an event of a masked vector after others have come', never('guest.mask')],
  ['a message that the guest has changed', never('guest.tableWrite', 'guest.reset')],
  ['an interrupt delivered after a reset by the guest', never('guest.reset')],
];

const EVERY_MDEV: readonly (readonly [string, Cripple])[] = [
  ['a descriptor checked when the entry it names is in other hands', never('guest.submit')],
  ["a PASID that was one VM's given to another", without((of) => 'device' in of && of.device > 0)],
  ['the same guest PASID in two VMs', never('guest.bindPasid')],
  [
    'a PASID given back while something refers to it',
    never('guest.freePasid', 'vfio.close', 'host.detach', 'host.crash', 'host.removeMdev', 'guest.reset'),
  ],
  ['a descriptor refused for its handle', never('device.start', 'device.armDescriptor')],
  ['a descriptor abandoned', never('guest.submit')],
  ['handles revoked', never('guest.requestHandle')],
];

const MDEV: typeof EVERY_MDEV = [
  ...EVERY_MDEV,
  ['an interrupt pending across an unmask', never('guest.mask', 'guest.submit', 'device.raise')],
  ['a vector refused for want of an entry or an irq, and granted later', first],
  ['a VMM that dies while a descriptor is in flight', never('host.crash')],
  ['an mdev set up again after a close', never('vfio.close')],
  [
    'SET_IRQS answers EBADF',
    both(
      calls(({ data }) => data.length > 0),
      never('vfio.close', 'host.removeMdev', 'host.crash'),
    ),
  ],
  ['SET_IRQS answers EINVAL', () => []],
  ['SET_IRQS answers ENOSPC', calls(({ data }) => data.length > 0)],
];

const MDEV_GUEST: typeof EVERY_MDEV = [
  ...EVERY_MDEV,
  ['MSI-X turned off by the guest while a descriptor is in flight', never('guest.msixControl')],
  ["a descriptor that ends during a guest's operation", never('guest.submit')],
];

describe.each<readonly [ProfileName, typeof HOST]>([
  ['linux-6.12', HOST],
  ['linux-6.12-static', [['a growth refused because of NORESIZE', first]]],
  ['linux-6.1+qemu-7.2', GUEST],
  ['idxd-mdev', MDEV],
  ['idxd-mdev+qemu-10.0', MDEV_GUEST],
])('a generator that is crippled on %s', (profile, cripples) => {
  it.each(cripples)('no longer shows: %s', (name, cripple) => {
    const count = witnessed(profile, CRIPPLED, cripple).find((one) => one.name === name);
    expect(count).toMatchObject({ seen: 0 });
  });

  it('is thought of for every witness there is', () => {
    const thoughtOf = cripples.map(([name]) => name);
    const all = witnessed(profile, 1).map(({ name }) => name);
    if (profile === 'linux-6.12-static') expect(all).toEqual(expect.arrayContaining(thoughtOf));
    else expect([...thoughtOf].sort()).toEqual([...all].sort());
  });
});

describe('too few scenarios', () => {
  it('tell nothing', () => {
    expect(namesOf(witnessed('linux-6.12', 5), 'rare')).toEqual([]);
    expect(namesOf(witnessed('linux-6.12', 5), 'few')).toContain('SET_IRQS answers ERANGE');
  });

  it('are enough together with those of another shard', () => {
    const one: readonly WitnessCount[] = [{ name: 'x', seen: 0, oneIn: 10, verdict: 'few' }];
    expect(addWitnesses([one, one], 98)).toEqual([{ name: 'x', seen: 0, oneIn: 10, verdict: 'few' }]);
    expect(addWitnesses([one, one], 100)).toEqual([{ name: 'x', seen: 0, oneIn: 10, verdict: 'rare' }]);
    const other: readonly WitnessCount[] = [{ name: 'x', seen: 10, oneIn: 10, verdict: 'seen' }];
    expect(addWitnesses([one, other], 100)).toEqual([{ name: 'x', seen: 10, oneIn: 10, verdict: 'seen' }]);
  });
});

describe('of a system that has only certain functions', () => {
  it('nothing is looked for', () => {
    const own = { ...support, functions: [{ msixVectors: 4, whileOff: 'latches' as const }] };
    expect(new WitnessTally(own, platformOf('linux-6.12')).counts()).toEqual([]);
  });
});
