import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, parseOperation, printCall, printOutcome, type Scenario, type System } from '#vocabulary';
import { systemFactory } from '../impl/index.ts';
import { type ProfileName, platformOf } from '../model/profiles.ts';
import { specify } from '../model/reference.ts';
import { expectationsOf } from './expected.ts';
import { qemus, until } from './processes.fixture.ts';
import { campaign } from './runner/campaign.ts';
import { profilesFor, suits } from './runner/defaults.ts';
import { planOf } from './runner/plan.fixture.ts';
import { LATCHES } from './scenarios/devices.ts';
import { casesOf, expectedReactions, type GuestCase, guestScenario, reactions } from './scenarios/guest-script.ts';
import { GUEST_STATEMENTS } from './scenarios/statements-guest.ts';

const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
const ENABLE = 'guest.msixControl enable';
const HOLE = ['guest.unmask 1', ENABLE, 'device.raise 1'];

/** A name, and which profile it turns out to be on an old host. */
const QEMUS = [
  ['qemu-7.2', 'linux-6.1+qemu-7.2'],
  ['qemu-10.0', 'linux-6.1+qemu-10.0'],
  ['qemu-7.2/irqfd', 'linux-6.1+qemu-7.2/irqfd'],
  ['qemu-10.0/irqfd', 'linux-6.1+qemu-10.0/irqfd'],
] as const satisfies readonly (readonly [string, ProfileName])[];

describe.each(QEMUS)('%s', (name, profile) => {
  const factory = systemFactory(name);
  const readiness = factory?.readiness();
  // Where no machine of ours has KVM, nothing can make it ready.
  const withoutKvm = name.endsWith('/irqfd') && readiness?.ready === false && readiness.reason.startsWith('KVM');
  if (readiness?.ready !== true && (!REQUIRED || withoutKvm)) {
    console.error(`SKIPPED ${name}: ${readiness?.reason}; ${readiness?.command}`);
    it.skipIf(true)(`is not ready here: ${readiness?.command}`, () => undefined);
    return;
  }
  const platform = platformOf(profile);
  let system: System;

  beforeAll(async () => {
    if (factory === undefined || readiness?.ready !== true)
      throw new Error(`${name} is required and not ready: npm run systems:install`);
    system = await factory.start();
  });
  afterAll(async () => system?.close());

  function scenario(lines: readonly string[]): Scenario {
    const config: Config = { ...platform, devices: [LATCHES] };
    return { config, operations: lines.map(parseOperation) };
  }

  it('tells by its behaviour what it is', () => {
    expect(system.support.vmm).toEqual(platform.vmm);
    expect(system.support.harmedByHoles).toBe(true);
  });

  it.each(
    casesOf(GUEST_STATEMENTS)
      .filter((at) => platformOf(at.profile).vmm?.delivery === platform.vmm?.delivery)
      .filter((at) => platformOf(at.profile).vmm?.allocation === platform.vmm?.allocation)
      .filter((at) => !isOverHole(at))
      .map((at) => [`${at.script.id} on ${at.profile}: ${at.script.says}`, at] as const),
  )('does what is stated, %s', async (_, at) => {
    const trace = await system.run(guestScenario(at));
    expect(reactions(at, trace)).toEqual(expectedReactions(at, trace));
  });

  it.runIf(!name.endsWith('/irqfd'))('S36: dies of a hole, and the next scenario has a new one', async () => {
    const trace = await system.run(scenario(HOLE));
    expect(trace.steps.map(({ outcome }) => printOutcome(outcome))).toEqual(['ok', 'unknown (crash)']);
    expect(trace.lastWords).toContain('SIGSEGV');
    expect((await system.run(scenario([ENABLE, 'guest.unmask 0']))).steps).toHaveLength(2);
  });

  it.runIf(name.endsWith('/irqfd'))('S37: gives KVM an eventfd for a hole, and never takes it back', async () => {
    const { steps } = await system.run(scenario([...HOLE, 'guest.msixControl disable']));
    const irqfds = steps.flatMap(({ calls = [] }) => calls.filter(({ kind }) => kind === 'kvm.irqfd').map(printCall));
    const ofVectors = irqfds.filter((call) => call.includes(' k'));
    expect(ofVectors).toEqual(['kvm.irqfd k0 assign', 'kvm.irqfd k1 assign', 'kvm.irqfd k1 deassign']);
  });

  it('shows nothing of one scenario to the next', async () => {
    const lines = [ENABLE, 'guest.unmask 0', 'guest.unmask 1', 'guest.mask 0', 'device.raise 0', 'device.raise 1'];
    const first = await system.run(scenario([...lines, 'guest.readPba 0']));
    const second = await system.run(scenario([...lines, 'guest.readPba 0']));
    expect(second).toEqual(first);
  });

  it('does in 3,000 generated scenarios what the model says, with NORESIZE set and clear', async () => {
    const profiles = profilesFor(system);
    expect(profiles).toHaveLength(3);
    for (const one of profiles) {
      expect(suits(system.support, platformOf(one))).toBe(true);
      const result = await campaign(planOf(system, one, { seed: 31, scenarios: 1500 }));
      const perSecond = Math.round(result.scenarios / result.seconds);
      console.error(`${name} as ${one}: ${result.scenarios} scenarios, ${perSecond} per second`);
      expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
      expect(result).toMatchObject({ verdict: 'pass', divergences: 0 });
      // Each expectation has shown itself, and none is there that this system cannot show.
      const known = expectationsOf(one, name).map(({ clause }) => clause);
      expect(result.violations.map(({ clause }) => clause).sort()).toEqual([...known].sort());
    }
  });

  it('starts, is asked how it behaves, and leaves nothing when it is closed', async () => {
    const before = qemus();
    const startedAt = performance.now();
    const another = await factory?.start();
    await another?.run(scenario([ENABLE]));
    expect(qemus().length).toBeGreaterThan(before.length);
    await another?.close();
    const milliseconds = Math.round(performance.now() - startedAt);
    console.error(`${name}: ${milliseconds} ms for at least two QEMUs, from start to stop`);
    expect(qemus()).toEqual(before);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('leaves nothing behind when its process gets %s', async (signal) => {
    const script = `
      const { systemFactory } = await import('./impl/index.ts');
      const system = await systemFactory('${name}').start();
      await system.run(${JSON.stringify(scenario([ENABLE]))});
      console.log('started');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const started = qemus(child.pid);
    expect(started.length).toBeGreaterThan(0);
    child.kill(signal);
    await until(() => (started.some((pid) => existsSync(`/proc/${pid}`)) ? undefined : 'gone'), 5);
  });
});

/** Whether a statement is about what these versions do not survive. */
function isOverHole(at: GuestCase): boolean {
  return specify(guestScenario(at)).steps.some(({ clauses }) => clauses.includes('qemu.msix-enable.hole'));
}
