import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Platform, Scenario, System } from '#vocabulary';
import { stdioFactory } from '../../impl/stdio/system.ts';
import { scenarios } from '../../properties/generators/scenario.ts';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import { lockstep } from '../../properties/runner/lockstep.ts';
import type { BenchRow } from '../bench-json.ts';
import { type BenchPair, measureRows, type Work } from './turns.ts';

const SECTION = 'through stdio:';
const HERE = 'optimised in this process';

/** What harnesses are measured with. */
export interface HarnessWork {
  /** The implementation that the loop-back harness has too. */
  readonly optimised: System;
  readonly profile: string;
  readonly platform: Platform;
  /** Scenarios of each piece of work. */
  readonly scenarios: number;
}

/**
 * What it costs that a system is a program behind the protocol: scenarios asked and traces read, and judged as well.
 * The core in C is measured where there is a compiler.
 */
export async function harnessRows(work: HarnessWork): Promise<readonly BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-bench-'));
  try {
    const core = compiledCore(folder);
    return [
      ...(await rowsOf(loopBack(), 'the loop-back harness', work)),
      ...(core === undefined ? [] : await rowsOf(core, 'the core in C', work)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function rowsOf(name: string, label: string, work: HarnessWork): Promise<readonly BenchRow[]> {
  const { optimised, profile, platform } = work;
  const system = await stdioFactory(name).start();
  try {
    const pool = fc.sample(scenarios(system.support, platform), { seed: 1, numRuns: work.scenarios });
    const judged = (subject: System) => (scenario: Scenario) =>
      lockstep(subject, scenario, { profile, invariants: INVARIANTS });
    const pairs: readonly BenchPair[] = [
      [label, ran(system, pool, (one) => system.run(one)), HERE, ran(optimised, pool, (one) => optimised.run(one))],
      [
        `${label}, judged`,
        ran(system, pool, judged(system)),
        `${HERE}, judged`,
        ran(optimised, pool, judged(optimised)),
      ],
    ];
    return await measureRows(SECTION, pairs);
  } finally {
    await system.close();
  }
}

/** As many scenarios at once as the system takes, as a campaign does. */
function ran({ atOnce }: System, pool: readonly Scenario[], each: (scenario: Scenario) => unknown): Work {
  const operations = pool.reduce((sum, scenario) => sum + scenario.operations.length, 0);
  return async () => {
    const left = pool.values();
    const lane = async (): Promise<void> => {
      for (const scenario of left) await each(scenario);
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return operations;
  };
}

/** The optimised implementation as a program: one thing as source, another built. */
function loopBack(): string {
  const isSource = import.meta.url.endsWith('.ts');
  const words = [
    process.execPath,
    ...(isSource ? ['--import', import.meta.resolve('tsx')] : []),
    fileURLToPath(new URL(`../../impl/stdio/loopback.${isSource ? 'ts' : 'js'}`, import.meta.url)),
  ];
  return commandLine(words);
}

/** The core in C, compiled; undefined where it cannot be. */
function compiledCore(folder: string): string | undefined {
  const source = fileURLToPath(new URL('../../impl/stdio/core.c', import.meta.url));
  if (!existsSync(source) || spawnSync('gcc', ['--version']).status !== 0) return undefined;
  const program = join(folder, 'core');
  execFileSync('gcc', ['-O2', '-o', program, source]);
  return commandLine([program]);
}

function commandLine(words: readonly string[]): string {
  return `stdio:${words.map((word) => `'${word}'`).join(' ')}`;
}
