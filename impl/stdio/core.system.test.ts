import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_NAMES, type ProfileName } from '../../model/profiles.ts';
import { campaign } from '../../properties/runner/campaign.ts';
import { planOf } from '../../properties/runner/plan.fixture.ts';
import { smoke } from './smoke.ts';
import { commandOf, stdioFactory } from './system.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-core-'));
afterAll(() => rmSync(folder, { recursive: true }));
const CORE = `stdio:${join(folder, 'core')}`;

const isReady = spawnSync('gcc', ['--version']).status === 0;
const isRequired = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';

async function campaignOn(name: string, profile: ProfileName, scenarios: number) {
  const system = await stdioFactory(name).start();
  try {
    return await campaign(planOf(system, profile, { seed: 20261121, scenarios }));
  } finally {
    await system.close();
  }
}

describe('the allocation core in C', () => {
  if (!isReady && !isRequired) {
    console.error('SKIPPED the core in C: there is no gcc; apt-get install gcc');
    it.skipIf(true)('needs gcc, which is not here: apt-get install gcc', () => undefined);
    return;
  }

  beforeAll(() => {
    const source = join(import.meta.dirname, 'core.c');
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', join(folder, 'core'), source]);
  });

  it('passes the smoke test', async () => {
    const checks = await smoke(commandOf(CORE), 10_000);
    expect(checks.filter(({ next }) => next !== undefined)).toEqual([]);
    expect(checks).toHaveLength(10);
  });

  it.each(HOST_NAMES)('answers 3,000 scenarios as the model does on %s', async (profile) => {
    const result = await campaignOn(CORE, profile, 3000);
    expect(result.findings.filter(({ verdict }) => verdict !== 'expected')).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', divergences: 0 });
  });

  it.each([
    ['undo-range', 'error-state-documented', 2],
    ['shift', 'no-lost-interrupt', 2],
  ])('with the fault %s breaks %s, which is told in %i operations', async (fault, invariant, length) => {
    const { verdict, findings } = await campaignOn(`${CORE} --fault=${fault}`, 'linux-6.12', 3000);
    expect(verdict).toBe('fail');
    const told = findings.filter(({ judgement }) =>
      judgement.violations.some((broken) => broken.invariant === invariant && broken.expectedBy === null),
    );
    expect(Math.min(...told.map(({ scenario }) => scenario.operations.length))).toBe(length);
  });
});
