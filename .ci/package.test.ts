import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type InstalledPackage, installPackage, PACKAGE_TIMEOUT_MS, said } from './package.fixture.ts';
import { ROOT, repositoryPaths } from './repository.ts';

const NAME = 'vfio-irq-conformance';

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, PACKAGE_TIMEOUT_MS);
afterAll(() => installed.remove());

const vfioIrq = (...args: readonly string[]): Promise<Answer> => installed.vfioIrq(args);

/** A file in the folder of somebody who has nothing of this repository. */
const at = (name: string): string => join(installed.folder, name);

describe('the package', { timeout: PACKAGE_TIMEOUT_MS }, () => {
  it('holds JavaScript with its types, what is compiled or read at run time, and what a reader needs', () => {
    const { packed } = installed;
    const strange = packed.filter((path) => !/^dist\/.*\.(js|d\.ts|c|h|css)$/.test(path));
    const texts = ['dist/impl/stdio/GUIDE.md', 'dist/impl/stdio/PROTOCOL.md'];
    expect(strange.sort()).toEqual(['LICENSE', 'README.md', ...texts, 'dist/package.json', 'package.json']);
    const untyped = packed.filter((path) => path.endsWith('.js') && !packed.includes(path.replace(/\.js$/, '.d.ts')));
    expect(untyped).toEqual([]);
  });

  it('holds every worker, which nothing may import', () => {
    const workers = repositoryPaths('*-worker.ts');
    expect(workers.length).toBeGreaterThan(0);
    const missing = workers.filter((path) => !installed.packed.includes(`dist/${path.replace(/ts$/, 'js')}`));
    expect(missing).toEqual([]);
  });

  it('holds no tests, no fixtures and nothing of the house', () => {
    expect(installed.packed.filter((path) => /\.test\.|fixture|(^|\/)\.ci|golden\/|findings\//.test(path))).toEqual([]);
  });

  it('brings what it needs and nothing else', () => {
    const modules = readdirSync(at('node_modules')).filter((name) => !name.startsWith('.'));
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
    rmSync(at('reports/out/index.html'));
    const reported = await vfioIrq('report');
    expect(reported.code, said(reported)).toBe(1);
    const page = readFileSync(at('reports/out/index.html'), 'utf8');
    expect(page).toContain('npx vfio-irq replay reports/out/findings/');
    expect(page).toContain('<style>');
  });

  it('starts its worker processes: of campaigns, of mutants, of explorations', async () => {
    const shared = await vfioIrq('run', '--system', 'optimised', '--profile', 'linux-6.1', '--runs', '1000');
    expect(shared.code, said(shared)).toBe(0);
    const hunted = await vfioIrq('mutants', '--id', 'S01', '--seeds', '2');
    expect(hunted.code, said(hunted)).toBe(0);
    expect(hunted.out).toContain('2/2');
    const guest = ['--profile', 'linux-6.1+qemu-7.2', '--invariant', 'no-leak'];
    const explored = await vfioIrq('explore', '--vectors', '2', ...guest);
    expect(explored.code, said(explored)).toBe(0);
    expect(explored.out).toContain('holds in every state that these operations reach');
  });

  it('brings the harness that is tried first', async () => {
    const harness = `stdio:${process.execPath} node_modules/${NAME}/dist/impl/stdio/loopback.js`;
    const smoked = await vfioIrq('smoke', harness);
    expect(smoked.code, said(smoked)).toBe(0);
    const mute = await vfioIrq('smoke', `stdio:${process.execPath} -e 0`);
    const file = /see "hello" in (\S+)$/m.exec(mute.out)?.[1] ?? 'no file';
    expect(readFileSync(at(file), 'utf8')).toContain('# The stdio protocol');
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
    const hook = at('without-peers.js');
    writeFileSync(hook, `import { register } from 'node:module';\nregister(${JSON.stringify(source)});\n`);
    const answer = await installed.answerOf('npx', ['vfio-irq', 'bench'], { NODE_OPTIONS: `--import=${hook}` });
    expect([answer.code, answer.out]).toEqual([3, '']);
    expect(answer.error.trimEnd().split('\n').at(-1)).toBe(
      'vfio-irq: bench: what it measures against is not installed; npm install mnemonist@0.40 typedfastbitset@0.8',
    );
  });

  it('names programs that are there', async () => {
    const { out } = await vfioIrq('systems');
    const program = /node (\S*install\.js)/.exec(out)?.[1];
    expect(program).toBe(`node_modules/${NAME}/dist/impl/install.js`);
    expect(readFileSync(at(program ?? ''), 'utf8')).toContain('apt-get');
  });
});

describe('the package in the tests of somebody else', { timeout: PACKAGE_TIMEOUT_MS }, () => {
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
    for (const [name, text] of Object.entries(CONSUMER)) writeFileSync(at(name), text);
    // The peer is somebody's own; here it is ours.
    symlinkSync(join(ROOT, 'node_modules/vitest'), at('node_modules/vitest'));
    const cli = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const ran = await installed.answerOf(process.execPath, [cli, 'run', '--reporter=json', '--root', installed.folder]);
    expect(ran.code, said(ran)).toBe(1);
    for (const { assertionResults } of JSON.parse(ran.out).testResults)
      for (const { status, fullName, failureMessages } of assertionResults)
        if (status === 'passed') told.passed.push(fullName);
        else if (status === 'failed') told.failed.set(fullName, failureMessages.join('\n'));
  }, PACKAGE_TIMEOUT_MS);

  it('names only what it exports, under the strictest reading', async () => {
    await installed.done(join(ROOT, 'node_modules/.bin/tsc'), ['--project', installed.folder]);
    const inner = `import '${NAME}/dist/cli.js';\n`;
    writeFileSync(at('inner.js'), inner);
    const refused = await installed.answerOf(process.execPath, ['inner.js']);
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
