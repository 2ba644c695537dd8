import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PciFunction, parseOperation, printOutcome, type Scenario, type System } from '#vocabulary';
import { STACK_NAMES } from '../impl/stack/artifacts.ts';
import { stackFactory } from '../impl/stack/system.ts';
import { hostTraits, type ProfileName, platformOf } from '../model/profiles.ts';
import { scenarios } from './generators/scenario.ts';
import { INVARIANTS } from './invariants/index.ts';
import { qemus, until } from './processes.fixture.ts';
import { lockstep } from './runner/lockstep.ts';
import type { Judgement } from './runner/verdict.ts';
import { GUEST_STORIES } from './scenarios/guest-stories.ts';

const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
const SCENARIOS = REQUIRED ? 300 : 100;
const EVENTS = 1000;

const DROPS: PciFunction = { msixVectors: 4, whileOff: 'drops' };
const LATCHES: PciFunction = { msixVectors: 4, whileOff: 'latches' };

const ENABLE = 'guest.msixControl enable';
/** An event of vector 0 on the way while the guest takes vector 1. */
const GROWTH = [ENABLE, 'guest.unmask 0', 'device.arm 0 teardown-gap', 'guest.unmask 1'];
/** What all of these QEMUs die of, see expected.ts. */
const HOLE = 'qemu.msix-enable.hole';

describe.each(STACK_NAMES)('%s', (name) => {
  const factory = stackFactory(name);
  const readiness = factory.readiness();
  if (!readiness.ready && !REQUIRED) {
    console.error(`SKIPPED ${name}: ${readiness.reason}; ${readiness.command}`);
    it.skipIf(true)(`is not ready here: ${readiness.command}`, () => undefined);
    return;
  }
  const profile = name.replace('stack:', '') as ProfileName;
  const platform = platformOf(profile);
  let system: System;
  let startSeconds = Number.NaN;

  beforeAll(async () => {
    if (!readiness.ready) throw new Error(`${name} is required and not ready: npm run systems:install`);
    const startedAt = performance.now();
    system = await factory.start();
    startSeconds = (performance.now() - startedAt) / 1000;
  });
  afterAll(async () => system?.close());

  function scenario(device: PciFunction, lines: readonly string[]): Scenario {
    return { config: { ...platform, devices: [device] }, operations: lines.map(parseOperation) };
  }

  function judged(one: Scenario): Promise<Judgement> {
    return lockstep(system, one, { profile, invariants: INVARIANTS });
  }

  /** Runs drawn scenarios, and returns what did not hold. */
  async function differences(drawn: readonly Scenario[]): Promise<{ readonly found: unknown[]; operations: number }> {
    const found: unknown[] = [];
    let next = 0;
    let operations = 0;
    const work = async (): Promise<void> => {
      for (let one = drawn[next++]; one !== undefined; one = drawn[next++]) {
        const judgement = await judged(one);
        operations += judgement.subject.steps.length;
        if (diedOfHole(judgement)) continue;
        const unexpected = judgement.violations.filter(({ expectedBy }) => expectedBy === null);
        if (judgement.divergences.length > 0 || unexpected.length > 0)
          found.push({ one, divergences: judgement.divergences, unexpected, last: judgement.subject.lastWords });
      }
    };
    await Promise.all(Array.from({ length: system.atOnce }, work));
    return { found, operations };
  }

  it('tells by its behaviour what it is', () => {
    expect(system.support.vmm).toEqual(platform.vmm);
  });

  it('loses an event in the gap if its device drops it there, and never with dynamic MSI-X', async () => {
    const { subject, divergences } = await judged(scenario(DROPS, GROWTH));
    expect(divergences).toEqual([]);
    const tearsDown = profile !== 'linux-6.12+qemu-10.0';
    const raised = { kind: 'raised', device: 0, vector: 0, window: tearsDown ? 'teardown-gap' : null };
    const message = { kind: 'message', device: 0, address: 0x100000, high: 0, data: 0x4000, count: 1 };
    expect(subject.steps.at(-1)?.events).toEqual(tearsDown ? [raised] : [raised, message]);
  });

  it('loses no event that its device latches', async () => {
    const { subject, divergences, violations } = await judged(scenario(LATCHES, GROWTH));
    expect([divergences, violations]).toEqual([[], []]);
    expect(subject.steps.at(-1)?.events.map(({ kind }) => kind)).toEqual(['raised', 'message']);
  });

  it.each(GUEST_STORIES.map((story) => [story.id, story] as const))(
    'does in the story %s what the model says',
    async (_id, story) => {
      const { support } = system;
      const isThere = support.functions !== 'any' && story.operations.every((line) => !line.startsWith('host.'));
      const device = { msixVectors: 10, whileOff: story.device.whileOff } as const;
      if (!isThere || story.device.msixVectors > device.msixVectors) return;
      expect((await judged(scenario(device, story.operations))).divergences).toEqual([]);
    },
  );

  it.each([DROPS, LATCHES])(`misses none of ${EVENTS} events of a device that $whileOff them`, async (device) => {
    const raises = Array.from({ length: EVENTS }, (_, place) => `device.raise ${place % 2}`);
    const { subject } = await judged(scenario(device, [ENABLE, 'guest.unmask 0', 'guest.unmask 1', ...raises]));
    const told = subject.steps.slice(3).map(({ events }) => events.map(({ kind }) => kind).join(' '));
    expect(new Set(told)).toEqual(new Set(['raised message']));
  });

  it(`does in ${SCENARIOS} generated scenarios what the model says`, async () => {
    const drawn = fc.sample(scenarios(system.support, platform), { seed: 1, numRuns: SCENARIOS });
    const startedAt = performance.now();
    const { found, operations } = await differences(drawn);
    const seconds = (performance.now() - startedAt) / 1000;
    console.error(
      `${name}: ${drawn.length} scenarios, ${(drawn.length / seconds).toFixed(1)} scenarios and ` +
        `${Math.round(operations / seconds)} operations per second, start ${startSeconds.toFixed(1)} s`,
    );
    expect(found).toEqual([]);
  });

  it('does with a function that has INTx and a reset what the model says', async () => {
    const { functions } = system.support;
    if (functions === 'any') throw new Error(`${name} has functions of its own`);
    const support = { ...system.support, functions: functions.filter(({ intx }) => intx === true) };
    const drawn = fc.sample(scenarios(support, platform), { seed: 1, numRuns: SCENARIOS / 5 });
    expect((await differences(drawn)).found).toEqual([]);
  });

  it('dies when it enables over a hole, and the next scenario has a new QEMU', async () => {
    const judgement = await judged(scenario(DROPS, ['guest.unmask 2', ENABLE, 'device.raise 0']));
    expect(judgement.subject.steps.map(({ outcome }) => printOutcome(outcome))).toEqual(['ok', 'unknown (crash)']);
    expect(judgement.subject.lastWords).toContain('SIGSEGV');
    expect(diedOfHole(judgement)).toBe(true);
    expect((await judged(scenario(DROPS, GROWTH))).divergences).toEqual([]);
  });

  it('is told from the same QEMU on the other kernel', async () => {
    const host = hostTraits(profile.startsWith('linux-6.12') ? 'linux-6.1' : 'linux-6.12');
    const one = scenario(DROPS, GROWTH);
    const other = { ...one, config: { ...one.config, host } };
    expect((await judged(other)).divergences.length).toBeGreaterThan(0);
  });

  it('shows nothing of one scenario to the next', async () => {
    const lines = [...GROWTH, 'guest.mask 0', 'device.raise 0', 'device.raise 0', 'guest.readPba 0', 'device.raise 3'];
    const first = await system.run(scenario(LATCHES, lines));
    for (let time = 0; time < 3; time += 1) expect(await system.run(scenario(LATCHES, lines))).toEqual(first);
  });
});

describe('a machine that ends', () => {
  const name = STACK_NAMES[0] ?? '';
  const factory = stackFactory(name);
  const isReady = factory.readiness().ready || REQUIRED;

  it.skipIf(!isReady).each([
    ['SIGKILL', 'crash'],
    ['SIGSTOP', 'time-out'],
  ] as const)('in the middle of a run, by %s, is a finding, and the next run has a new one', async (signal, reason) => {
    const platform = platformOf(name.replace('stack:', '') as ProfileName);
    const system = await factory.start();
    const one = (count: number): Scenario => ({
      config: { ...platform, devices: [DROPS] },
      operations: Array.from({ length: count }, () => parseOperation('device.raise 0')),
    });
    await system.run(one(1));
    const running = system.run(one(20_000));
    setTimeout(() => process.kill(Number(qemus().at(-1)), signal), 300);
    const trace = await running;
    expect(trace.steps.at(-1)?.outcome).toEqual({ kind: 'unknown', reason });
    expect((await system.run(one(3))).steps).toHaveLength(3);
    await system.close();
    expect(qemus()).toEqual([]);
  });

  it.skipIf(!isReady).each(['SIGKILL', 'SIGTERM'] as const)(
    'with its process, by %s, leaves nothing',
    async (signal) => {
      const script = `
      const { stackFactory } = await import('./impl/stack/system.ts');
      await stackFactory('${name}').start();
      console.log('started');
      setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const started = qemus(child.pid);
      expect(started).toHaveLength(1);
      child.kill(signal);
      await until(() => (started.some((pid) => existsSync(`/proc/${pid}`)) ? undefined : 'gone'));
    },
  );
});

/** Whether QEMU died of a table with a hole, and did all before that as the model says. */
function diedOfHole({ reference, subject, divergences }: Judgement): boolean {
  const last = subject.steps.length - 1;
  if (subject.steps[last]?.outcome.kind !== 'unknown') return false;
  const spoken = reference.steps[last]?.clauses ?? [];
  return spoken.includes(HOLE) && divergences.every(({ step }) => step === last);
}
