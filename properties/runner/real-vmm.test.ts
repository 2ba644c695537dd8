import { describe, expect, it } from 'vitest';
import {
  type Config,
  HarnessError,
  isAskable,
  parseOperation,
  type Scenario,
  type Step,
  type System,
  type Trace,
} from '#vocabulary';
import { HOST_NAMES, hostTraits, type ProfileName, platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { LATCHES } from '../scenarios/devices.ts';
import { campaign, lacks } from './campaign.ts';
import { profilesFor, scenariosFor, suits } from './defaults.ts';
import { lockstep, verdictOf } from './lockstep.ts';
import { planOf } from './plan.fixture.ts';
import { probe } from './probe.ts';
import type { Judgement } from './verdict.ts';

const PROFILE: ProfileName = 'linux-6.1+qemu-10.0';
const OVER_A_HOLE = ['guest.unmask 1', 'guest.msixControl enable', 'device.raise 1'];

function scenario(lines: readonly string[], profile = PROFILE): Scenario {
  return { config: { ...platformOf(profile), devices: [LATCHES] }, operations: lines.map(parseOperation) };
}

/** A system with a VMM of its own, that does what the reference does but for an edit of its steps. */
function real(name: string, edit: (steps: readonly Step[]) => readonly Step[] = (steps) => steps): System {
  const { vmm = 'none' } = platformOf(PROFILE);
  const reference = referenceSystem();
  const operations = new Set([...reference.support.operations].filter((kind) => isAskable(platformOf(PROFILE), kind)));
  return {
    ...reference,
    name,
    support: { ...reference.support, operations, vmm, functions: [LATCHES], devicesMax: 1 },
    run: (at): Trace => {
      const trace = specify(at);
      return { ...trace, steps: edit(trace.steps) };
    },
  };
}

/** Dies where the reference speaks of a hole. */
function dying(steps: readonly Step[]): readonly Step[] {
  const place = steps.findIndex(({ clauses }) => clauses.includes('qemu.msix-enable.hole'));
  if (place === -1) return steps;
  return [...steps.slice(0, place), { ...(steps[place] as Step), outcome: { kind: 'unknown', reason: 'crash' } }];
}

/** Does one call more there, and goes on. */
function leaving(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (!step.clauses.includes('qemu.msix-enable.hole')) return step;
    return { ...step, calls: [...(step.calls ?? []), { kind: 'kvm.irqfd', eventfd: 'e4000', assign: true }] };
  });
}

function judged(system: System, at = scenario(OVER_A_HOLE)): Promise<Judgement> {
  return lockstep(system, at, { profile: PROFILE, invariants: INVARIANTS });
}

describe('a fault that one system is known for', () => {
  it.each([
    ['dies of it', dying, 'the system died of it'],
    ['does otherwise', leaving, 'the system differs in its calls'],
  ])('is expected of that system, which %s', async (_, edit, message) => {
    const judgement = await judged(real('qemu-10.0', edit));
    expect(verdictOf(judgement)).toBe('expected');
    expect(judgement.divergences).toEqual([]);
    expect(judgement.violations).toEqual([
      { invariant: 'conformance', step: 1, causes: [1], message, expectedBy: 'qemu.msix-enable.hole' },
    ]);
  });

  it('is news of any other', async () => {
    expect(verdictOf(await judged(real('qemu:mine', dying)))).toBe('unknown');
    expect(verdictOf(await judged(real('qemu:mine', leaving)))).toBe('divergence');
  });

  it('is none where the reference does not speak of it', async () => {
    const atOnce = (steps: readonly Step[]): readonly Step[] =>
      steps.slice(0, 1).map((step) => ({ ...step, outcome: { kind: 'unknown', reason: 'crash' } }));
    expect(verdictOf(await judged(real('qemu-10.0', atOnce), scenario(['guest.msixControl enable'])))).toBe('unknown');
  });

  it('is found by a campaign, shrunk to two operations, and the campaign goes on', async () => {
    const result = await campaign(planOf(real('qemu-10.0', dying), PROFILE, { scenarios: 200, seed: 8 }));
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0 });
    expect(result.scenarios).toBeGreaterThan(200);
    const hole = result.findings.find(({ judgement }) =>
      judgement.violations.some(({ expectedBy }) => expectedBy === 'qemu.msix-enable.hole'),
    );
    expect(hole?.scenario.operations).toEqual(scenario(OVER_A_HOLE).operations.slice(0, 2));
  });

  it('fails the run when it no longer occurs', async () => {
    const result = await campaign(planOf(real('qemu-10.0'), PROFILE, { scenarios: 20 }));
    expect(result.verdict).toBe('fail');
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
  });
});

describe('a message that a system cannot show', () => {
  const lines = ['guest.msixControl enable', 'guest.unmask 0', 'device.raise 0'];
  const silent = real('qemu:mine', (steps) =>
    steps.map((step) => ({ ...step, events: step.events.filter(isNoMessage) })),
  );
  const isNoMessage = ({ kind }: Step['events'][number]): boolean => kind !== 'message';

  it('is neither compared nor missed', async () => {
    const blind: System = { ...silent, precision: { ...silent.precision, seesMessage: () => false } };
    expect(verdictOf(await judged(blind, scenario(lines)))).toBe('held');
  });

  it('is missed by one that can', async () => {
    const seeing: System = { ...silent, precision: { ...silent.precision, seesMessage: () => true } };
    const { divergences, violations } = await judged(seeing, scenario(lines));
    expect(divergences.map(({ path }) => path)).toEqual(['events']);
    expect(violations.map(({ invariant }) => invariant)).toContain('no-lost-interrupt');
  });
});

describe('a system with a VMM of its own', () => {
  it('runs every host below that VMM, and no other VMM', () => {
    const system = real('qemu:mine');
    expect(profilesFor(system)).toEqual(HOST_NAMES.map((host) => `${host}+qemu-10.0`));
    expect(suits(system.support, platformOf('linux-6.1'))).toBe(false);
    expect(lacks(system, scenario([], 'linux-6.1+qemu-7.2'))).toBe('has no such VMM');
    expect(lacks(system, { config: { host: hostTraits('linux-6.1'), devices: [LATCHES] }, operations: [] })).toBe(
      'has a VMM',
    );
  });

  it.each(['linux-6.1+qemu-10.0', 'linux-6.12+qemu-10.0'] as const)('says by NORESIZE that it is %s', async (own) => {
    const system = real('stack:mine');
    const onItsOwn = (config: Config): Config => ({ ...config, host: platformOf(own).host });
    const stack: System = {
      ...system,
      support: { ...system.support, host: 'own' },
      run: ({ config, operations }) => specify({ config: onItsOwn(config), operations }),
    };
    expect(await probe(stack)).toEqual(platformOf(own));
  });

  it('that shows no device is not understood', async () => {
    const system = real('stack:mine');
    const mute: System = {
      ...system,
      support: { ...system.support, host: 'own' },
      run: () => ({ initial: [], steps: [] }),
    };
    await expect(probe(mute)).rejects.toThrow(HarnessError);
  });

  it('gets as many scenarios as it can run in a few minutes', () => {
    const inProcess = referenceSystem();
    const qemu = real('qemu:mine');
    const stack: System = { ...qemu, support: { ...qemu.support, host: 'own' } };
    const kernel: System = { ...inProcess, support: { ...inProcess.support, vmm: 'none', host: 'own' } };
    const of = (system: System, profile: ProfileName): number => scenariosFor(system, platformOf(profile));
    expect([of(stack, PROFILE), of(qemu, PROFILE), of(kernel, 'linux-6.1')]).toEqual([300, 3000, 3000]);
    // 20,000 and more where no interrupt may be lost.
    const keeping: readonly ProfileName[] = [
      ...(['linux-6.12+qemu-10.0', 'linux-6.12+qemu-10.0/irqfd'] as const),
      ...HOST_NAMES.flatMap((host): ProfileName[] => [`${host}+all-at-enable`, `${host}+all-at-enable/irqfd`]),
    ];
    expect(keeping.reduce((sum, profile) => sum + of(inProcess, profile), 0)).toBeGreaterThan(20_000);
    expect(of(inProcess, PROFILE)).toBeLessThan(of(inProcess, 'linux-6.1'));
  });
});
