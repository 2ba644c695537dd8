import { describe, expect, it } from 'vitest';
import { type Operation, type PciFunction, parseOperation, printOperation, type Scenario, WINDOWS } from '#vocabulary';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../model/profiles.ts';
import { specify } from '../model/reference.ts';
import { INVARIANTS, violations } from './invariants/index.ts';
import { campaign } from './runner/campaign.ts';
import { planOf } from './runner/plan.fixture.ts';

const LOST = INVARIANTS.filter(({ id }) => id === 'no-lost-interrupt');
const VECTORS = [0, 1];
const DROPS: PciFunction = { msixVectors: VECTORS.length, whileOff: 'drops' };
const LATCHES: PciFunction = { ...DROPS, whileOff: 'latches' };

/** Everything that a guest and a device of two vectors can do, but for what only refuses or reads. */
const ALPHABET: readonly Operation[] = [
  ...['enable', 'enable function-mask', 'disable'].map((words) => `guest.msixControl ${words}`),
  ...VECTORS.flatMap((vector) => [`guest.mask ${vector}`, `guest.unmask ${vector}`, `device.raise ${vector}`]),
  ...VECTORS.flatMap((vector) => WINDOWS.map((window) => `device.arm ${vector} ${window}`)),
  'guest.busMaster disable',
  'guest.busMaster enable',
  'guest.reset',
].map(parseOperation);

/** All sequences of so many operations. */
function* sequences(length: number): Generator<readonly Operation[]> {
  if (length === 0) yield [];
  else for (const first of sequences(length - 1)) for (const last of ALPHABET) yield [...first, last];
}

/** The sequences that lose an interrupt, among all of a length. */
function losing(profile: ProfileName, device: PciFunction, length: number): readonly string[] {
  const config = { ...platformOf(profile), devices: [device] };
  const found: string[] = [];
  for (const operations of sequences(length)) {
    const scenario: Scenario = { config, operations };
    if (violations(LOST, config, operations, specify(scenario)).length > 0)
      found.push(operations.map(printOperation).join('; '));
  }
  return found;
}

const TEARING_DOWN: readonly ProfileName[] = [
  'linux-6.1+qemu-7.2',
  'linux-6.12+qemu-7.2',
  'linux-6.1+qemu-10.0',
  'linux-6.1+qemu-10.0/irqfd',
];
const KEEPING: readonly ProfileName[] = [
  'linux-6.12+qemu-10.0',
  'linux-6.12+qemu-10.0/irqfd',
  'linux-6.1+all-at-enable',
];

describe('breadth first over all sequences of a guest and its device', () => {
  it.each(TEARING_DOWN)('the shortest that loses an interrupt on %s has three operations', (profile) => {
    for (const length of [0, 1, 2]) expect(losing(profile, DROPS, length)).toEqual([]);
    expect(losing(profile, DROPS, 3)).toContain('guest.msixControl enable; device.arm 1 teardown-gap; guest.unmask 1');
    for (const length of [0, 1, 2, 3]) expect(losing(profile, LATCHES, length)).toEqual([]);
  });

  it.each(KEEPING)('none of up to three loses one on %s, whatever the device does while MSI-X is off', (profile) => {
    for (const device of [DROPS, LATCHES])
      for (const length of [0, 1, 2, 3]) expect(losing(profile, device, length)).toEqual([]);
  });

  it.each(TEARING_DOWN)('a campaign on %s shrinks what it draws to one of them', async (profile) => {
    const { findings } = await campaign(planOf(optimisedSystem(), profile, { scenarios: 200, seed: 12 }));
    const clause = 'qemu.growth.event-in-the-gap';
    const finding = findings.find(({ judgement }) =>
      judgement.violations.some(({ expectedBy }) => expectedBy === clause),
    );
    const operations = finding?.scenario.operations ?? [];
    expect(operations).toHaveLength(3);
    const { msixVectors } = finding?.scenario.config.devices[0] ?? DROPS;
    expect(msixVectors).toBeLessThanOrEqual(2);
    expect(losing(profile, DROPS, 3)).toContain(operations.map(printOperation).join('; '));
    const [violation] = finding?.judgement.violations ?? [];
    expect(violation?.message).toContain('teardown-gap');
  });
});
