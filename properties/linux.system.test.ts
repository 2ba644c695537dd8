import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostTraits, type Operation, parseOperation, type System } from '#vocabulary';
import { systemFactory } from '../impl/index.ts';
import { measureRates, PATTERNS, type Rate } from '../impl/linux/rates.ts';
import { type HostName, hostTraits, profileOf } from '../model/profiles.ts';
import { INVARIANTS } from './invariants/index.ts';
import { qemus, until } from './processes.fixture.ts';
import { campaign } from './runner/campaign.ts';
import { lockstep } from './runner/lockstep.ts';
import { planOf } from './runner/plan.fixture.ts';
import { probe } from './runner/probe.ts';
import { expectedOf, scenarioOf, toldBy } from './scenarios/script.ts';
import { STATEMENTS } from './scenarios/statements.ts';
import { STORIES } from './scenarios/stories.ts';

const KERNELS: readonly HostName[] = ['linux-6.1', 'linux-6.12'];
const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-systems-'));
afterAll(() => rmSync(folder, { recursive: true }));

const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';

describe.each(KERNELS)('%s', (profile) => {
  const factory = systemFactory(profile);
  const readiness = factory?.readiness();
  if (readiness?.ready !== true && !REQUIRED) {
    console.error(`SKIPPED ${profile}: ${readiness?.reason}; ${readiness?.command}`);
    it.skipIf(true)(`is not ready here: ${readiness?.command}`, () => undefined);
    return;
  }
  const host: HostTraits = hostTraits(profile);
  let system: System;
  let bootSeconds = Number.NaN;

  beforeAll(async () => {
    if (factory === undefined || readiness?.ready !== true)
      throw new Error(`${profile} is required and not ready: npm run systems:install`);
    const startedAt = performance.now();
    system = await factory.start();
    await lockstep(
      system,
      { config: { host, devices: [{ msixVectors: 10, whileOff: 'latches' }] }, operations: [] },
      terms(),
    );
    bootSeconds = (performance.now() - startedAt) / 1000;
  });
  afterAll(async () => system?.close());

  function terms(): { profile: string; invariants: typeof INVARIANTS } {
    return { profile, invariants: INVARIANTS };
  }

  it('behaves by its profile when it is asked', async () => {
    expect(profileOf(await probe(system))).toBe(profile);
  });

  it.each(STATEMENTS.map((script) => [script.id, script.says, script] as const))(
    '%s: %s',
    async (_id, _says, script) => {
      const judgement = await lockstep(system, scenarioOf(script, host), terms());
      expect(toldBy(script, judgement.subject)).toEqual(expectedOf(script, host));
      expect(judgement.divergences).toEqual([]);
    },
  );

  it.each(STORIES.map((story) => [story.id, story] as const))(
    'does in the story %s what the model says',
    async (_id, story) => {
      const operations = story.operations.map(parseOperation);
      const judgement = await lockstep(system, { config: { host, devices: [story.device] }, operations }, terms());
      expect(judgement.divergences).toEqual([]);
    },
  );

  it('answers 3,000 generated scenarios as the model does', async () => {
    const result = await campaign(planOf(system, profile, { scenarios: 3000 }));
    const perSecond = Math.round(result.operations / result.seconds);
    console.error(
      `${profile}: ${result.scenarios} scenarios, ${perSecond} operations per second, boot ${bootSeconds.toFixed(1)} s`,
    );
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0 });
    expect(result.scenarios).toBeGreaterThan(3000);
  });

  it('is told from the other generation within 100 scenarios and four operations', async () => {
    const other = KERNELS.find((name) => name !== profile);
    if (other === undefined) throw new Error('there is no other generation');
    const result = await campaign(
      planOf(system, profile, {
        profile: other,
        platform: { host: hostTraits(other) },
        subjectProfile: profile,
        scenarios: 100,
        seed: 2,
      }),
    );
    expect(result.verdict).toBe('fail');
    expect(result.divergences).toBeGreaterThan(0);
    for (const { scenario, verdict } of result.findings) {
      if (verdict === 'divergence') expect(scenario.operations.length).toBeLessThanOrEqual(4);
    }
  });

  it('that dies in the middle of a run is a finding, and the next run has a new machine', async () => {
    const another = await factory?.start();
    const before = qemus();
    const raises = {
      config: { host, devices: [{ msixVectors: 10, whileOff: 'latches' as const }] },
      operations: lines(20_000),
    };
    const running = another?.run(raises);
    setTimeout(() => process.kill(Number(before.at(-1)), 'SIGKILL'), 300);
    const trace = await running;
    expect(trace?.steps.at(-1)?.outcome).toEqual({ kind: 'unknown', reason: 'crash' });
    expect((await another?.run({ ...raises, operations: lines(3) }))?.steps).toHaveLength(3);
    await another?.close();
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('leaves no QEMU behind when the command line gets %s', async (signal) => {
    const args = [
      '--import',
      'tsx',
      'cli.ts',
      'run',
      '--system',
      profile,
      '--time',
      '60',
      '--out',
      join(folder, signal),
    ];
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    let out = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    const pid = await until(() => qemus(child.pid)[0]);
    await sleep(5000);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const code = await ended;
    await until(() => (existsSync(`/proc/${pid}`) ? undefined : 'gone'));
    if (signal === 'SIGINT') expect([code, out]).toEqual([0, expect.stringContaining('Interrupted')]);
  });

  it('leaves no QEMU behind when it is closed', async () => {
    const before = qemus();
    const another = await factory?.start();
    await another?.run({ config: { host, devices: [{ msixVectors: 10, whileOff: 'latches' }] }, operations: [] });
    const during = qemus();
    expect(during.length).toBeGreaterThan(before.length);
    await another?.close();
    expect(qemus()).toEqual(before);
  });
});

describe('how often events are lost', () => {
  const readiness = systemFactory('linux-6.12')?.readiness();
  it.skipIf(readiness?.ready !== true && !REQUIRED)(
    'is counted for every change on one processor and on two',
    async () => {
      const rates: Rate[] = [];
      await measureRates('linux-6.12', 1, (rate) => rates.push(rate));
      expect(rates.map(({ processors, pattern }) => [processors, pattern])).toEqual(
        [1, 2].flatMap((processors) => PATTERNS.map((pattern) => [processors, pattern])),
      );
      // Whether one is lost is a matter of luck: that each was fired is not.
      for (const { counts } of rates) expect(counts?.fired).toBeGreaterThan(0);
    },
  );
});

function lines(count: number): readonly Operation[] {
  return Array.from({ length: count }, () => parseOperation('vfio.getIrqInfo MSIX'));
}
