import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { allClauses } from './model/clauses.ts';
import { MDEV_PROFILE_NAMES, PROFILE_NAMES } from './model/profiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

function cli(...args: readonly string[]): Promise<Answer> {
  // As on a machine where nothing is installed: real systems have no place in these tests.
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'nothing'), VFIO_IRQ_REQUIRE_SYSTEMS: '' };
  const command = ['--import', 'tsx', join(import.meta.dirname, 'cli.ts'), ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { env, cwd: import.meta.dirname }, (_error, out, error) =>
      resolve({ code: child.exitCode ?? -1, out, error }),
    );
  });
}

const out = join(folder, 'out');

describe('bad usage is one line and exit code 2:', () => {
  it.each([
    [
      ['fly'],
      'vfio-irq: command: expected one of run, replay, reproducer, explore, mutants, smoke, systems, clauses, ' +
        'report, rates, bench; got fly (--help says what they do)',
    ],
    [
      ['run', '--system', 'linux-9'],
      'vfio-irq: --system: expected one of reference, optimised, linux-6.1, linux-6.12, qemu-7.2, qemu-10.0, ' +
        'qemu-7.2/irqfd, qemu-10.0/irqfd, stack:linux-6.1+qemu-7.2, stack:linux-6.1+qemu-10.0, ' +
        'stack:linux-6.12+qemu-7.2, stack:linux-6.12+qemu-10.0, linux:PATH, qemu:PATH, stdio:COMMAND or mutant:ID, ' +
        'got linux-9',
    ],
    [['--seed', 'lucky'], 'vfio-irq: --seed: expected a whole number from 0 to 4294967295, got lucky'],
    [['run', '--runs', '0'], 'vfio-irq: --runs: expected a whole number from 1 to 1000000000, got 0'],
    [['run', '--shard', '3/2'], 'vfio-irq: --shard: expected I/N with I from 1 to N, N at most 1000, got 3/2'],
    [
      ['run', '--profile', 'linux-2.4'],
      'vfio-irq: --profile: expected one of linux-6.1, linux-6.12, linux-6.12-static, idxd-mdev, ' +
        'idxd-mdev-at-unmask, idxd-mdev-immediate, idxd-mdev-all-closed, idxd-mdev-all-default, idxd-mdev-fixed, ' +
        'each also with +qemu-7.2, +qemu-10.0, +all-at-enable, and then with /irqfd; got linux-2.4',
    ],
    [['run', '--fast'], "vfio-irq: Unknown option '--fast'"],
    [['run', '--time', '-1'], "vfio-irq: Option '--time' argument is ambiguous"],
    [['run', '--json='], 'vfio-irq: --json: expected a value, got nothing'],
    [['run', '--json', 'reports'], 'vfio-irq: reports: expected a place to write (it is a folder)'],
    [['replay'], 'vfio-irq: replay: expected one file, got 0'],
  ])('%j', async (args, line) => {
    const answer = await cli(...args);
    expect([answer.code, answer.error.trimEnd(), answer.out]).toEqual([2, line, '']);
  });

  it('a file that is not there, or is not what it should be', async () => {
    const missing = await cli('replay', join(folder, 'missing.jsonl'));
    expect([missing.code, missing.error.split('\n').length]).toEqual([2, 2]);
    expect(missing.error).toContain('missing.jsonl: expected a file to read');
    const broken = join(folder, 'broken.jsonl');
    writeFileSync(broken, '{"schema":"vfio-irq/finding@1"}\n');
    const refused = await cli('replay', broken);
    expect([refused.code, refused.error.split('\n').length]).toEqual([2, 2]);
    expect(refused.error).toContain('broken.jsonl, line 1: id: ');
  });
});

it('a system that is not available is one line and exit code 3', async () => {
  const kernel = await cli('run', '--system', 'linux:/nowhere/vmlinuz');
  expect([kernel.code, kernel.error.trimEnd().split('\n').length]).toEqual([3, 1]);
  expect(kernel.error).toContain('/nowhere/vmlinuz');
  const uninstalled = await cli('run', '--system', 'linux-6.1');
  expect([uninstalled.code, uninstalled.error.trimEnd().split('\n').length]).toEqual([3, 1]);
  expect(uninstalled.error).toContain('npm run systems:install');
});

it('systems lists what is ready and how to make ready what is not', async () => {
  const { code, out: text } = await cli('systems');
  expect(code).toBe(0);
  expect(text).toMatch(/^✓ reference +ready$/m);
  expect(text).toMatch(/^✓ optimised +ready$/m);
  expect(text).toMatch(/^– linux-6\.12 +not ready: .*npm run systems:install$/m);
});

it('help names every command and exits 0', async () => {
  const [{ code, out: text }, ofCommand] = await Promise.all([cli('--help'), cli('smoke', '--help')]);
  expect(ofCommand).toMatchObject({ code, out: text });
  expect(code).toBe(0);
  for (const word of ['run', 'replay FILE', 'systems', '--shard I/N']) expect(text).toContain(word);
});

describe('a reproducer', () => {
  const golden = join(import.meta.dirname, 'reports/golden/findings');

  it('is the C program on the output and nothing else', async () => {
    const { code, out: text, error } = await cli('reproducer', join(golden, 'noresize-msi.jsonl'), '--language', 'c');
    expect([code, error]).toEqual([0, '']);
    expect(text).toMatch(/^\/\/ SPDX-License-Identifier: MIT\n\/\*\n[\s\S]*\treturn 0;\n}\n$/);
  });

  it('of a scenario is one as well', async () => {
    const file = join(folder, 'raw.json');
    const host = { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' };
    const config = { host, devices: [{ msixVectors: 10, whileOff: 'latches' }] };
    const operations = [{ kind: 'vfio.getIrqInfo', index: 2 }];
    writeFileSync(file, JSON.stringify({ schema: 'vfio-irq/scenario@1', config, operations }));
    const { code, out: text } = await cli('reproducer', file);
    expect([code, text]).toEqual([0, expect.stringContaining('expect(AT_ISSUE, "result", "flags 9 count 10"')]);
  });

  it.each([
    [['reproducer'], 'vfio-irq: reproducer: expected one file, got 0'],
    [
      ['reproducer', join(golden, 'noresize-msi.jsonl'), '--language', 'rust'],
      'vfio-irq: --language: expected one of c, got rust',
    ],
    [
      ['reproducer', join(golden, 'lost-interrupt-guest.jsonl')],
      expect.stringMatching(
        /^vfio-irq: \S+guest\.jsonl: no C program can show this: expected calls of vfio alone, got /,
      ),
    ],
  ])('that cannot be is one line and exit code 2: %j', async (args, line) => {
    const answer = await cli(...args);
    expect([answer.code, answer.error.trimEnd(), answer.out]).toEqual([2, line, '']);
  });
});

describe('a run', () => {
  it('that holds exits 0, names what it expected, and writes the page and the summary', async () => {
    const json = join(folder, 'summary.json');
    const junit = join(folder, 'junit.xml');
    const ctrf = join(folder, 'ctrf.json');
    const answer = await cli(
      'run',
      '--system',
      'optimised',
      '--runs',
      '60',
      '--seed',
      '5',
      '--json',
      json,
      '--junit',
      junit,
      '--ctrf',
      ctrf,
      '--out',
      out,
    );
    expect([answer.code, answer.error]).toEqual([0, expect.stringMatching(/optimised linux-6\.12: 6\d scenarios/)]);
    expect(answer.out).toContain('pci.msix-message.dropped-while-off');
    const summary = JSON.parse(readFileSync(json, 'utf8'));
    expect(summary).toMatchObject({
      schema: 'vfio-irq/summary@1',
      seed: 5,
      mutants: { total: 0, killed: 0, survivors: [] },
    });
    expect(summary.systems.map(({ profile }: { profile: string }) => profile)).toEqual([
      ...PROFILE_NAMES,
      ...MDEV_PROFILE_NAMES,
    ]);
    expect(summary.systems[0]).toMatchObject({
      name: 'optimised',
      profile: 'linux-6.1',
      verdict: 'pass',
      scenarios: expect.any(Number),
      divergences: 0,
    });
    const undrawn = allClauses().filter((clause) => clause.undrawn !== undefined).length;
    expect(summary.clauses.reached + summary.clauses.unreached.length + undrawn).toBe(summary.clauses.total);
    expect(summary.clauses.list).toHaveLength(summary.clauses.total);
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('<html');
    expect(readFileSync(junit, 'utf8')).toContain('<testsuite');
    expect(JSON.parse(readFileSync(ctrf, 'utf8'))).toMatchObject({
      runId: 'vfio-irq-seed-5',
      results: { summary: { failed: 0, skipped: 0, other: 0 } },
    });
  });

  it('puts its summary behind what a GitHub job has written already', async () => {
    const summary = join(folder, 'step-summary.md');
    writeFileSync(summary, '# Built\n');
    process.env['GITHUB_STEP_SUMMARY'] = summary;
    const options = ['--profile', 'linux-6.12', '--runs', '20', '--seed', '3', '--invariant', 'no-leak', '--out', out];
    const answer = await cli('run', '--system', 'optimised', ...options);
    process.env['GITHUB_STEP_SUMMARY'] = '';
    expect(answer.code).toBe(0);
    expect(readFileSync(summary, 'utf8')).toMatch(
      /^# Built\n## vfio-irq: 1 campaign held\n[\s\S]*\n\| optimised \| linux-6\.12 \| ✅ held \| \d+ \|/,
    );
  });

  it('leaves findings that replay with the same verdict on every system', async () => {
    const answer = await cli(
      'run',
      '--system',
      'reference',
      '--profile',
      'linux-6.12',
      '--runs',
      '50',
      '--seed',
      '9',
      '--out',
      out,
    );
    expect(answer.code).toBe(0);
    const file = /\S+\/findings\/[0-9a-f]{8}\.jsonl/.exec(answer.out)?.[0];
    if (file === undefined) throw new Error(`no finding is named in:\n${answer.out}`);
    for (const system of ['reference', 'optimised']) {
      const again = await cli('replay', file, '--system', system);
      expect(again.code).toBe(0);
      expect(again.out).toContain('The verdict is as recorded: expected.');
    }
  });
});

it('nothing that a file says reaches a terminal as a command', async () => {
  const golden = readFileSync(join(import.meta.dirname, 'reports/golden/findings/noresize-msi.jsonl'), 'utf8');
  const file = join(folder, 'strange finding.jsonl');
  const [header = '', ...steps] = golden.split('\n');
  writeFileSync(
    file,
    [JSON.stringify({ ...JSON.parse(header), system: 'a\u001b[2J', verdict: 'unknown' }), ...steps].join('\n'),
  );
  const replayed = await cli('replay', file, '--system', 'optimised');
  expect(replayed.out).toContain('Recorded on a␛[2J: unknown; now on optimised: ');
  const program = await cli('reproducer', file);
  expect(program.out).toContain(`npm start -- replay '${file}'`);
});

describe('a report', () => {
  const part = (index: number): string => join(folder, `part-${index}`);
  const page = join(folder, 'merged');
  const shard = (index: number): Promise<Answer> =>
    cli(
      ...['run', '--system', 'reference', '--profile', 'linux-6.1', '--runs', '100', '--seed', '6'],
      ...['--shard', `${index}/2`, '--out', part(index)],
    );

  it('of one shard of two is not of a run that held', async () => {
    expect((await shard(1)).code).toBe(0);
    const answer = await cli('report', join(part(1), 'summary.json'), '--out', page);
    expect([answer.code, answer.error]).toEqual([4, '']);
    expect(answer.out).toContain('! Shard 2 of 2 of seed 6 is missing: 1 campaign is incomplete.\n');
    expect(readFileSync(join(page, 'index.html'), 'utf8')).toContain('Shard 2 of 2 of seed 6 is missing');
  });

  it('of both has the counts of both, the findings, and the mutants beside them', async () => {
    expect((await shard(2)).code).toBe(0);
    const files = [1, 2].map((index) => join(part(index), 'summary.json'));
    await cli('mutants', '--id', 'M17', '--seeds', '1', '--json', join(part(2), 'mutants.json'));
    const answer = await cli('report', ...files, '--out', page);
    expect([answer.code, answer.out]).toEqual([0, expect.stringContaining('Everything held: 1 of 1 campaigns.')]);
    const [one, two] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')).systems[0].scenarios);
    const html = readFileSync(join(page, 'index.html'), 'utf8');
    expect(html).toContain(`<td class="number">${one + two}</td>`);
    expect(html).toContain(`npm start -- replay ${part(1)}/findings/`);
    expect(html).toContain('id="mutant-M17"');
    const again = await cli('run', '--system', 'reference', '--profile', 'linux-6.1', '--runs', '1', '--out', part(2));
    expect(again.code).toBe(0);
    expect(JSON.parse(readFileSync(files[1] ?? '', 'utf8')).mutants).toEqual({ total: 1, killed: 1, survivors: [] });
  });

  it('tells a name as it is, and does not let a terminal obey it', async () => {
    const summary = JSON.parse(readFileSync(join(part(1), 'summary.json'), 'utf8'));
    const [system] = summary.systems;
    const strange = join(folder, 'strange-name.json');
    writeFileSync(
      strange,
      JSON.stringify({ ...summary, systems: [{ ...system, name: 'a\u001b[2J', verdict: 'fail' }] }),
    );
    const answer = await cli('report', strange, '--out', page);
    expect([answer.code, answer.out]).toEqual([1, expect.stringContaining('broken on a␛[2J')]);
  });

  it('without a run, or with a file that is none, is refused in one line', async () => {
    const missing = await cli('report', '--out', join(folder, 'nowhere'));
    expect([missing.code, missing.out, missing.error.split('\n').length]).toEqual([2, '', 2]);
    expect(missing.error).toContain(`${join(folder, 'nowhere', 'summary.json')}: expected a file to read`);
    const alone = await cli('report', join(part(2), 'mutants.json'));
    expect([alone.code, alone.error]).toEqual([2, expect.stringContaining('expected the summary of a run among')]);
    const strange = join(folder, 'strange.json');
    writeFileSync(strange, '{"schema":"vfio-irq/scenario@1"}');
    const refused = await cli('report', strange);
    expect([refused.code, refused.error.split('\n').length]).toEqual([2, 2]);
    expect(refused.error).toContain('strange.json: schema: ');
  });
});

it('a scenario written by hand is run on the implementation', async () => {
  const file = join(folder, 'scenario.json');
  const config = {
    host: { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' },
    devices: [{ msixVectors: 10, whileOff: 'latches' }],
  };
  writeFileSync(
    file,
    JSON.stringify({ schema: 'vfio-irq/scenario@1', config, operations: [{ kind: 'vfio.getIrqInfo', index: 2 }] }),
  );
  const itf = join(folder, 'traces', 'scenario.itf.json');
  const answer = await cli('replay', file, '--itf', itf);
  expect(JSON.parse(readFileSync(itf, 'utf8')).states).toMatchObject([
    { operation: 'start' },
    { operation: 'vfio.getIrqInfo MSIX', subject: { outcome: 'flags 9 count 10' } },
  ]);
  expect([answer.code, answer.out]).toEqual([
    0,
    '  0  vfio.getIrqInfo MSIX  flags 9 count 10\n✓ Everything held on optimised.\n',
  ]);
});

describe('the detection benchmark', () => {
  it('kills a mutant with every seed, and writes what it found', async () => {
    const json = join(folder, 'mutants.json');
    const answer = await cli('mutants', '--id', 'M24', '--id', 'S02', '--seeds', '2', '--json', json);
    expect([answer.code, answer.out]).toEqual([0, expect.stringContaining('✓ All 2 mutants are killed')]);
    const { schema, mutants } = JSON.parse(readFileSync(json, 'utf8'));
    expect(schema).toBe('vfio-irq/mutants@1');
    expect(mutants).toMatchObject({ total: 2, killed: 2, survivors: [] });
    expect(mutants.list.map(({ id }: { id: string }) => id)).toEqual(['M24', 'M17']);
  });

  it('refuses a mutant that is not known in one line', async () => {
    const answer = await cli('mutants', '--id', 'S99');
    expect([answer.code, answer.out]).toEqual([2, '']);
    expect(answer.error).toMatch(/^vfio-irq: --id: expected one of S01, .*, got S99\n$/);
  });

  it('a mutant runs like any system, and what it breaks is told', async () => {
    const options = ['--profile', 'idxd-mdev', '--runs', '50', '--seed', '1', '--out', join(folder, 'mutant')];
    const answer = await cli('run', '--system', 'mutant:M6', ...options);
    expect(answer.code).toBe(1);
    expect(answer.out).toContain('pasid-isolation');
  });
});

it('systems that cannot be like the profile are left out where nobody named them', async () => {
  const options = ['--profile', 'idxd-mdev', '--runs', '20', '--seed', '1', '--out', join(folder, 'unnamed')];
  const answer = await cli('run', ...options);
  expect([answer.code, answer.out]).toEqual([0, expect.stringContaining('optimised')]);
  expect(answer.out).toContain('Everything held: 1 of 1 campaigns, 4 not tested.');
});
