import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './repository.ts';

/** Packing compiles, and installing asks npm: on a machine that does much else both take their time. */
const TIMEOUT_MS = 300_000;
const NAME = 'vfio-irq-conformance';

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const scratch = mkdtempSync(join(tmpdir(), 'vfio-irq-package-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The folder of somebody who has nothing of this repository. */
const folder = join(scratch, 'empty');
let packed: readonly string[] = [];

function answerOf(file: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Answer> {
  // As on a machine where no real system is, and not as in a test of vitest.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|VFIO_IRQ|npm_)/.test(name));
  const env = { ...Object.fromEntries(inherited), XDG_CACHE_HOME: join(scratch, 'cache'), NO_COLOR: '1', ...more };
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd, env, maxBuffer: 2 ** 24 }, (_error, out, error) =>
      resolve({ code: child.exitCode ?? -1, out, error }),
    );
  });
}

async function done(file: string, args: readonly string[], cwd: string): Promise<string> {
  const answer = await answerOf(file, args, cwd);
  expect(answer.code, `${file} ${args.join(' ')}\n${answer.out}${answer.error}`).toBe(0);
  return answer.out;
}

const vfioIrq = (...args: readonly string[]): Promise<Answer> => answerOf('npx', ['vfio-irq', ...args], folder);

/** What it said, for a test that fails. */
const said = ({ out, error }: Answer): string => `${out}${error}`;

beforeAll(async () => {
  mkdirSync(folder);
  // Without a file of its own npm would take a folder above for the project, and install there.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const told = await done('npm', ['pack', '--json', '--silent', '--pack-destination', scratch], ROOT);
  const [tarball] = JSON.parse(told.slice(told.indexOf('[\n')));
  packed = tarball.files.map(({ path }: { path: string }) => path);
  const offered = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', folder];
  await done('npm', ['install', ...offered, join(scratch, tarball.filename)], folder);
}, TIMEOUT_MS);

describe('the package', { timeout: TIMEOUT_MS }, () => {
  it('holds JavaScript with its types, what is compiled or read at run time, and what a reader needs', () => {
    const strange = packed.filter((path) => !/^dist\/.*\.(js|d\.ts|c|h|css)$/.test(path));
    expect(strange.sort()).toEqual(['LICENSE', 'README.md', 'dist/package.json', 'package.json']);
    const untyped = packed.filter((path) => path.endsWith('.js') && !packed.includes(path.replace(/\.js$/, '.d.ts')));
    expect(untyped).toEqual([]);
  });

  it('holds no tests, no fixtures and nothing of the house', () => {
    expect(packed.filter((path) => /\.test\.|fixture|(^|\/)\.ci|golden\/|findings\//.test(path))).toEqual([]);
  });

  it('brings what it needs and nothing else', () => {
    const modules = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(modules.sort()).toEqual(['fast-check', 'pure-rand', NAME, 'zod']);
  });

  it('runs a campaign, makes a finding, replays it and reports', async () => {
    const campaign = ['--system', 'mutant:S01', '--profile', 'linux-6.1', '--runs', '200', '--seed', '1'];
    const found = await vfioIrq('run', ...campaign);
    expect(found.code, said(found)).toBe(1);
    const command = /npx vfio-irq (replay reports\/out\/findings\/[0-9a-f]{8}\.jsonl)$/m.exec(found.out)?.[1];
    expect(found.out).toContain('noresize-error-unchanged is broken');
    const replayed = await vfioIrq(...(command ?? 'no command').split(' '));
    expect(replayed.code, said(replayed)).toBe(1);
    expect(replayed.out).toMatch(/^The verdict is as recorded: (divergence|violation)\./);
    rmSync(join(folder, 'reports/out/index.html'));
    const reported = await vfioIrq('report');
    expect(reported.code, said(reported)).toBe(1);
    const page = readFileSync(join(folder, 'reports/out/index.html'), 'utf8');
    expect(page).toContain('npx vfio-irq replay reports/out/findings/');
    expect(page).toContain('<style>');
  });

  it('starts its worker processes: of campaigns, of mutants, of explorations', async () => {
    const shared = await vfioIrq('run', '--system', 'optimised', '--profile', 'linux-6.1', '--runs', '1000');
    expect(shared.code, said(shared)).toBe(0);
    const hunted = await vfioIrq('mutants', '--id', 'S01', '--seeds', '2');
    expect(hunted.code, said(hunted)).toBe(0);
    expect(hunted.out).toContain('2/2');
    const profiles = ['--profile', 'linux-6.1', '--profile', 'linux-6.12'];
    const explored = await vfioIrq('explore', '--vectors', '1', ...profiles, '--invariant', 'no-leak');
    expect(explored.code, said(explored)).toBe(0);
    expect(explored.out).toContain('holds in every state that these operations reach');
  });

  it('brings the harness that is tried first', async () => {
    const harness = `stdio:${process.execPath} node_modules/${NAME}/dist/impl/stdio/loopback.js`;
    const smoked = await vfioIrq('smoke', harness);
    expect(smoked.code, said(smoked)).toBe(0);
  });

  it('says in one line what bench needs', async () => {
    // The peers may well lie in a folder above.
    const hooks = [
      'export function resolve(name, context, next) {',
      '  if (name !== "mnemonist") return next(name, context);',
      '  throw Object.assign(new Error("not there"), { code: "ERR_MODULE_NOT_FOUND" });',
      '}',
    ].join('\n');
    const source = `data:text/javascript,${encodeURIComponent(hooks)}`;
    const hook = join(folder, 'without-peers.js');
    writeFileSync(hook, `import { register } from 'node:module';\nregister(${JSON.stringify(source)});\n`);
    const answer = await answerOf('npx', ['vfio-irq', 'bench'], folder, { NODE_OPTIONS: `--import=${hook}` });
    expect([answer.code, answer.out]).toEqual([3, '']);
    expect(answer.error.trimEnd().split('\n').at(-1)).toBe(
      'vfio-irq: bench: what it measures against is not installed; npm install mnemonist@0.40 typedfastbitset@0.8',
    );
  });

  it('names programs that are there', async () => {
    const { out } = await vfioIrq('systems');
    const program = /node (\S*install\.js)/.exec(out)?.[1];
    expect(program).toBe(`node_modules/${NAME}/dist/impl/install.js`);
    expect(readFileSync(join(folder, program ?? ''), 'utf8')).toContain('apt-get');
  });
});

describe('the package in the tests of somebody else', { timeout: TIMEOUT_MS }, () => {
  const CONSUMER = {
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        ...{ target: 'es2023', lib: ['es2023'], module: 'nodenext', types: [], strict: true },
        ...{ skipLibCheck: false, declaration: true, outDir: 'out' },
      },
      files: ['surface.ts', 'mine.test.ts'],
    }),
    // Whatever is exported is told again with its types: what has no name outside does not compile.
    'surface.ts': `import * as all from '${NAME}';\nexport const surface = { ...all };\n`,
    'mine.test.ts': [
      `import { type ConformanceOptions, conformance, type Scenario, type System, type Trace } from '${NAME}';`,
      'const options: ConformanceOptions = {',
      "  profiles: ['linux-6.1'], runs: 100, seed: 1, invariants: ['no-leak'],",
      '};',
      'const mine: System = {',
      "  name: 'mine',",
      '  precision: { vectorState: 0, messageControl: false, registers: 0 },',
      '  support: {',
      "    operations: new Set(['vfio.getIrqInfo', 'vfio.setIrqs']), functions: 'any', devicesMax: 1,",
      "    withoutRemapping: false, vmm: 'none', host: 'configured',",
      '  },',
      '  atOnce: 1,',
      '  run: ({ config, operations }: Scenario): Trace => {',
      '    const silent = config.devices.map(() => ({',
      '      enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: [],',
      '    }));',
      "    const outcome = { kind: 'unknown', reason: 'crash' } as const;",
      '    const dead = { outcome, events: [], observation: [], clauses: [] };',
      '    return { initial: silent, steps: operations.slice(0, 1).map(() => dead) };',
      '  },',
      '  close: async () => undefined,',
      '};',
      'conformance(mine, options);',
      "conformance('optimised', { profiles: ['linux-6.1+qemu-7.2', 'idxd-mdev'], runs: 50 });",
      "conformance('mutant:S01', { profiles: ['linux-6.1'], runs: 100, seed: 1 });",
      '',
    ].join('\n'),
  };

  /** The tests as vitest told them: full names of those that passed, and of the others with what was said. */
  const told = { passed: [] as string[], failed: new Map<string, string>() };

  beforeAll(async () => {
    for (const [name, text] of Object.entries(CONSUMER)) writeFileSync(join(folder, name), text);
    // The peer is somebody's own; here it is ours.
    symlinkSync(join(ROOT, 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
    const cli = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const ran = await answerOf(process.execPath, [cli, 'run', '--reporter=json', '--root', folder], folder);
    expect(ran.code, said(ran)).toBe(1);
    for (const { assertionResults } of JSON.parse(ran.out).testResults)
      for (const { status, fullName, failureMessages } of assertionResults)
        if (status === 'passed') told.passed.push(fullName);
        else if (status === 'failed') told.failed.set(fullName, failureMessages.join('\n'));
  }, TIMEOUT_MS);

  it('names only what it exports, under the strictest reading', async () => {
    await done(join(ROOT, 'node_modules/.bin/tsc'), ['--project', folder], folder);
    const inner = `import '${NAME}/dist/cli.js';\n`;
    writeFileSync(join(folder, 'inner.js'), inner);
    const refused = await answerOf(process.execPath, ['inner.js'], folder);
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED')]);
  });

  it('is a test for each profile and promise', () => {
    const names = told.passed.filter((name) => name.startsWith('optimised'));
    expect(names).toContainEqual(expect.stringMatching(/^optimised linux-6\.1\+qemu-7\.2 conformance: /));
    expect(names).toContainEqual(expect.stringMatching(/^optimised idxd-mdev pasid-isolation: /));
    expect(names).not.toContainEqual(expect.stringContaining('linux-6.1+qemu-7.2 pasid-isolation'));
    expect([...told.failed.keys()].filter((name) => name.startsWith('optimised'))).toEqual([]);
  });

  it('fails where a promise is broken, with the finding and the command that replays it', async () => {
    const broken = [...told.failed].filter(([name]) => name.startsWith('mutant:S01'));
    expect(broken.map(([name]) => name.split(':').slice(0, 2).join(':'))).toEqual([
      'mutant:S01 linux-6.1 conformance',
      'mutant:S01 linux-6.1 no-lost-interrupt',
      'mutant:S01 linux-6.1 noresize-error-unchanged',
    ]);
    const text = broken[2]?.[1] ?? '';
    expect(text).toContain('noresize-error-unchanged: the request failed and yet changed vectors');
    const command = /npx vfio-irq (replay reports\/out\/findings\/[0-9a-f]{8}\.jsonl)$/m.exec(text)?.[1];
    const replayed = await vfioIrq(...(command ?? 'no command').split(' '));
    expect(replayed.code, said(replayed)).toBe(1);
    expect(replayed.out).toContain('The verdict is as recorded: violation.');
  });

  it('tells how to repeat what a system without a name has done, and asks only what it is told to', () => {
    const mine = [...told.failed].filter(([name]) => name.startsWith('mine'));
    expect(mine.map(([name]) => name)).toEqual(['mine linux-6.1 conformance: It answers as the reference does.']);
    expect(mine[0]?.[1]).toContain("conformance(system, { profiles: ['linux-6.1'], seed: 1, runs: 1 })");
    expect(told.passed.filter((name) => name.startsWith('mine')).map((name) => name.split(':')[0])).toEqual([
      'mine linux-6.1 no-leak',
    ]);
  });
});
