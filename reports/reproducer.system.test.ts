import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { type PciFunction, parseOperation, RAW_KINDS, type Scenario } from '#vocabulary';
import { glossary } from '../commands/shown.ts';
import { systemFactory } from '../impl/index.ts';
import { initramfs } from '../impl/linux/initramfs.ts';
import { AGENT_SOURCE, debianKernel, missingPackages } from '../impl/linux/kernels.ts';
import { DEVICES, startQemu } from '../impl/linux/vm.ts';
import { hostTraits } from '../model/profiles.ts';
import { ANYTHING, DYNAMIC, sample } from '../properties/generators/drawn.fixture.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import { lockstep, verdictOf } from '../properties/runner/lockstep.ts';
import { readRecorded } from '../properties/runner/record.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import { LATCHES } from '../properties/scenarios/devices.ts';
import { scenarioOf } from '../properties/scenarios/script.ts';
import { STATEMENTS } from '../properties/scenarios/statements.ts';
import { STORIES } from '../properties/scenarios/stories.ts';
import { goldenFinding } from './golden-findings.ts';
import { reproducerC } from './reproducer.ts';

const KERNELS = ['linux-6.1', 'linux-6.12'] as const;
type Kernel = (typeof KERNELS)[number];
const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
/** Where each of DEVICES is. */
const ADDRESSES = ['04', '05', '06', '07', '10', '11', '12', '13', '14', '15', '16', '17'];
const SECONDS_AT_MOST = 240;

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-reproducer-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program for the machine: its name, its source, and the device that it is for. */
interface Program {
  readonly name: string;
  readonly source: string;
  readonly device: PciFunction;
}

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

const HEADERS = ['-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu'];

function compile(source: string, to: string): void {
  execFileSync('musl-gcc', ['-Wall', '-Wextra', '-Werror', '-O1', '-static', '-s', ...HEADERS, '-o', to, source]);
}

function addressOf(device: PciFunction): string {
  const place = DEVICES.findIndex((other) => isDeepStrictEqual(other, { ...device, whileOff: 'latches' }));
  return `0000:00:${ADDRESSES[place]}.0`;
}

/** Runs programs one after the other in one machine, and returns what each came to. */
async function runInside(kernel: Kernel, programs: readonly Program[]): Promise<readonly Ended[]> {
  const init = join(folder, 'init');
  compile(join(AGENT_SOURCE, '..', 'programs.c'), init);
  const files = new Map<string, Buffer>();
  for (const { name, source } of programs) {
    writeFileSync(join(folder, `${name}.c`), source);
    compile(join(folder, `${name}.c`), join(folder, name));
    files.set(name, readFileSync(join(folder, name)));
  }
  const runs = programs.map(({ name, device }) => `/${name} ${addressOf(device)}\n`);
  files.set('runs', Buffer.from(runs.join('')));
  const initrd = join(folder, `${kernel}.gz`);
  writeFileSync(initrd, initramfs(debianKernel(kernel), init, files));
  const text = await consoleOf(kernel, initrd);
  const parts = text.split(/^EXIT (\d+)$/m);
  return programs.map((_, place) => ({
    code: Number(parts[2 * place + 1] ?? Number.NaN),
    lines: (parts[2 * place] ?? '').split('\n').filter((line) => line !== ''),
  }));
}

function consoleOf(kernel: Kernel, initrd: string): Promise<string> {
  const child = startQemu(join(debianKernel(kernel).folder, 'vmlinuz'), initrd, true, 1);
  return new Promise((resolve, reject) => {
    let text = '';
    const killer = setTimeout(() => child.kill('SIGKILL'), SECONDS_AT_MOST * 1000);
    child.stdout?.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(killer);
      resolve(text.replaceAll('\r', ''));
    });
  });
}

/** What the reference makes of a scenario, as a finding. */
async function findingOf(scenario: Scenario, profile: Kernel): Promise<Finding> {
  const reference = await systemFactory('reference')?.start();
  if (reference === undefined) throw new Error('the reference is always there');
  const judgement = await lockstep(reference, scenario, { profile, invariants: INVARIANTS });
  const found = verdictOf(judgement);
  const about = { id: '00000000', system: 'reference', profile, subjectProfile: profile, seed: 0 } as const;
  return { ...about, verdict: found === 'held' ? 'expected' : found, scenario, judgement };
}

/** What each kernel makes of the programs, and the words it must say. */
const GOLDEN = [
  {
    name: 'noresize-msi',
    finding: goldenFinding('noresize-msi'),
    codes: { 'linux-6.1': 0, 'linux-6.12': 1 },
    says: {
      'linux-6.1': 'triggers   expected 0, got 0\nThe fault does not show.',
      'linux-6.12': 'triggers   expected 0, got none  <-- broken\nThe fault shows: noresize-error-unchanged is broken',
    },
  },
  {
    name: 'lost-interrupt',
    finding: goldenFinding('lost-interrupt'),
    codes: { 'linux-6.1': 1, 'linux-6.12': 1 },
    says: {
      'linux-6.1': 'got none  <-- broken\nThe fault shows: no-lost-interrupt is broken',
      'linux-6.12': 'got none  <-- broken\nThe fault shows: no-lost-interrupt is broken',
    },
  },
  {
    // Recorded on 6.12 under the profile of 6.1.
    name: 'range-0-7',
    finding: recorded('range-0-7-on-linux-6.12.jsonl'),
    codes: { 'linux-6.1': 0, 'linux-6.12': 1 },
    says: {
      'linux-6.1': 'result     expected EINVAL, got EINVAL\n',
      'linux-6.12': 'result     expected EINVAL, got ok  <-- broken\n',
    },
  },
] as const satisfies readonly Golden[];

interface Golden {
  readonly name: string;
  readonly finding: Finding;
  readonly codes: Readonly<Record<Kernel, number>>;
  readonly says: Readonly<Record<Kernel, string>>;
}

function recorded(file: string): Finding {
  const read = readRecorded(readFileSync(join(import.meta.dirname, 'golden', file), 'utf8'), file);
  if (read.kind !== 'finding') throw new Error(`${file} is no finding`);
  return read.finding;
}

const OPTIONS = { ...glossary(), replayCommand: 'npm start -- replay finding.jsonl' };

const hasCompiler = missingPackages({ gcc: 'gcc', 'musl-gcc': 'musl-tools' }).length === 0;

describe('every program compiles without a warning', () => {
  const compiles = (source: string): string => {
    const file = join(folder, 'warned.c');
    writeFileSync(file, source);
    const { status, stderr } = spawnSync('gcc', ['-Wall', '-Wextra', '-Werror', '-O2', '-c', '-o', '/dev/null', file]);
    return status === 0 ? '' : `${stderr}\n${source}`;
  };

  it.skipIf(!hasCompiler && !REQUIRED).each(GOLDEN)('$name', ({ finding }) => {
    expect(compiles(reproducerC(finding, OPTIONS))).toBe('');
  });

  it.skipIf(!hasCompiler && !REQUIRED)('100 that are drawn', async () => {
    const drawn = sample({ ...ANYTHING, operations: new Set(RAW_KINDS), vmm: 'none', devicesMax: 2 }, DYNAMIC, 100);
    const findings = await Promise.all(drawn.map((scenario) => findingOf(scenario, 'linux-6.12')));
    const kinds = new Set(drawn.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual([...RAW_KINDS].sort());
    for (const finding of findings) {
      const judgement = { ...finding.judgement, violations: [] };
      expect(compiles(reproducerC({ ...finding, judgement }, OPTIONS))).toBe('');
    }
  });
});

describe.each(KERNELS)('%s', (kernel) => {
  const readiness = systemFactory(kernel)?.readiness();
  if (readiness?.ready !== true && !REQUIRED) {
    console.error(`SKIPPED ${kernel}: ${readiness?.reason}; ${readiness?.command}`);
    it.skipIf(true)(`is not ready here: ${readiness?.command}`, () => undefined);
    return;
  }

  it.each(GOLDEN)('$name: the program tells whether its fault shows', async ({ finding, codes, says }) => {
    const [device] = finding.scenario.config.devices;
    if (device === undefined) throw new Error('a machine has a device');
    const program: Program = { name: 'reproducer', source: reproducerC(finding, OPTIONS), device };
    const [ended] = await runInside(kernel, [program]);
    expect(ended?.lines.join('\n')).toContain(says[kernel]);
    expect(ended?.code).toBe(codes[kernel]);
  });

  it('every program of a statement or a story says what the reference says of its profile', async () => {
    const findings = await Promise.all(
      scripts(kernel).map(async ({ name, scenario }) => ({ name, finding: await findingOf(scenario, kernel) })),
    );
    const programs = findings.map(({ name, finding }) => {
      const [device = LATCHES] = finding.scenario.config.devices;
      return { name, source: reproducerC(finding, OPTIONS), device };
    });
    const ended = await runInside(kernel, programs);
    const wrong = findings.flatMap(({ name, finding }, place) => {
      const expected = finding.judgement.violations.length > 0 ? 1 : 0;
      return ended[place]?.code === expected ? [] : [`${name}: ${expected}`, ...(ended[place]?.lines ?? [])];
    });
    console.error(`${kernel}: ${programs.length} programs run`);
    expect(wrong).toEqual([]);
    expect(programs.length).toBeGreaterThan(60);
  });
});

interface Named {
  readonly name: string;
  readonly scenario: Scenario;
}

/** K57 raises with the device closed, which a program without it cannot. */
const BY_HAND = ['K57'];

/** What nobody has to do by hand, on the machine as it is. */
function scripts(kernel: Kernel): readonly Named[] {
  const host = hostTraits(kernel);
  const stories: readonly Named[] = STORIES.map(({ id, device, operations }) => ({
    name: id,
    scenario: { config: { host, devices: [device] }, operations: operations.map(parseOperation) },
  }));
  return [...STATEMENTS.map((script) => ({ name: script.id, scenario: scenarioOf(script, host) })), ...stories].filter(
    ({ name, scenario: { config, operations } }) =>
      !BY_HAND.includes(name) &&
      config.interruptRemapping === undefined &&
      operations.every(({ kind }) => !kind.startsWith('host.')),
  );
}
