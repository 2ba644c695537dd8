import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CampaignResult, RunResult } from '../properties/runner/verdict.ts';
import { merged } from './merge.ts';
import { readReportFiles } from './recorded.ts';

const ROOT = join(import.meta.dirname, '..');
const TIMEOUT_MS = 300_000;
const SHARDS = 4;
/** A system that holds, and one that does not in more ways than are kept. */
const SYSTEMS = ['optimised', 'mutant:S01'];
const PROFILES = ['linux-6.1', 'linux-6.1+qemu-7.2'];
/** The last block of the second shard is not a whole one. */
const RUNS = 470;

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-shards-'));
afterAll(() => rmSync(folder, { recursive: true }));
const summary = (name: string): string => join(folder, name, 'summary.json');

/** A process for itself, and its exit code. */
function run(name: string, ...options: readonly string[]): Promise<number> {
  const chosen = [...SYSTEMS.flatMap((one) => ['--system', one]), ...PROFILES.flatMap((one) => ['--profile', one])];
  const args = ['run', ...chosen, '--runs', String(RUNS), '--seed', '11', '--out', join(folder, name), ...options];
  return cli(...args).then(({ code }) => code);
}

function cli(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', join(ROOT, 'cli.ts'), ...args];
    const child = execFile(process.execPath, command, { cwd: ROOT, maxBuffer: 2 ** 24 }, (_error, out) =>
      resolve({ code: child.exitCode ?? -1, out }),
    );
  });
}

function runOf(names: readonly string[]): { readonly run: RunResult; readonly remarks: readonly string[] } {
  const { runs, lostFindings } = readReportFiles(names.map(summary));
  expect(lostFindings).toEqual([]);
  const [first, ...others] = runs;
  if (first === undefined) throw new Error('there is no run');
  return merged(first, others);
}

/** What a campaign counts and finds, whoever was the first to meet it. */
function counts(result: CampaignResult): object {
  const { seconds: _, clauses, violations, findings, ...rest } = result;
  const byWords = <T>(list: readonly T[]): readonly T[] =>
    list.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  const told = byWords(violations.map((violation) => ({ ...violation, findings: byWords(violation.findings) })));
  return { ...rest, clauses: byWords(Object.entries(clauses)), violations: told, findings: byWords(findings) };
}

describe(`${SHARDS} shards as ${SHARDS} processes`, { timeout: TIMEOUT_MS }, () => {
  const parts = Array.from({ length: SHARDS }, (_, place) => `part-${place + 1}`);

  beforeAll(async () => {
    const shards = parts.map((name, place) => run(name, '--shard', `${place + 1}/${SHARDS}`));
    expect([await run('whole'), ...(await Promise.all(shards))]).toEqual([1, 1, 1, 1, 1]);
  }, TIMEOUT_MS);

  it('are the same as one run: scenarios, findings as they were shrunk, clauses, every count', () => {
    const whole = runOf(['whole']).run;
    for (const order of [parts, parts.toReversed()]) {
      const sum = runOf(order);
      expect(sum.remarks).toEqual([]);
      expect(sum.run.results.map(counts)).toEqual(whole.results.map(counts));
    }
    const [held, , broken] = whole.results;
    expect(held).toMatchObject({ system: 'optimised', verdict: 'pass' });
    expect(held?.scenarios).toBeGreaterThan(RUNS);
    expect(broken?.findings.filter(({ verdict }) => verdict === 'divergence')).toHaveLength(5);
    const unexpected = whole.results.flatMap(({ findings }) =>
      findings.filter(({ verdict }) => verdict !== 'expected'),
    );
    // Else it would not have mattered whose example is taken.
    const shownBy = parts.filter((name) => runOf([name]).run.results.some(({ verdict }) => verdict === 'fail'));
    expect(shownBy).toEqual(parts);
    expect(unexpected.every(({ drawn }) => drawn !== undefined)).toBe(true);
  });

  it('are repeated by one command', () => {
    const { command, shard } = runOf(parts).run;
    expect(shard).toEqual({ index: 1, count: 1 });
    expect(command).not.toContain('--shard');
    expect(runOf(['part-3']).run.command).toContain(`--shard 3/${SHARDS}`);
  });

  it.each([1, 2, 3, 4])('are not whole without shard %i, and that is told', async (lost) => {
    const rest = parts.filter((_, place) => place + 1 !== lost);
    const { run: sum, remarks } = runOf(rest);
    expect(remarks).toEqual([`Shard ${lost} of 4 of seed 11 is missing: 4 campaigns are incomplete.`]);
    expect(sum.results.map(({ verdict }) => verdict)).not.toContain('pass');
    const page = join(folder, `without-${lost}`);
    const { code, out } = await cli('report', ...rest.map(summary), '--out', page);
    expect([code, out]).toEqual([1, expect.stringContaining(`! Shard ${lost} of 4 of seed 11 is missing`)]);
    const verdict = `0 of 4 campaigns held: broken on mutant:S01; shard ${lost} of 4 of seed 11 missing on optimised`;
    expect(out).toContain(verdict);
    const html = readFileSync(join(page, 'index.html'), 'utf8');
    expect(html).toContain(`Shard ${lost} of 4 of seed 11 is missing`);
    expect(html).toContain('</span> incomplete</span>');
    expect(html).not.toContain('harness failed');
  });
});
