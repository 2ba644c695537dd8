import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { consoleBlocks, flagsOf, outputMismatch, type ShownCommand, treatmentOf } from './readme.ts';
import { ROOT, repositoryFiles } from './repository.ts';

const TIMEOUT_MS = 300_000;
const readmes = repositoryFiles('README.md', '*/README.md');
const scripts = repositoryFiles('package.json').flatMap(({ text }) => Object.keys(JSON.parse(text).scripts));

interface Ran {
  readonly lines: readonly string[];
  readonly status: number | null;
}

/** Runs a shell script in the repository, without a terminal; nothing of it is left behind after the time-out. */
function run(script: string): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|FORCE_COLOR)/.test(name));
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `exec 2>&1; ${script}`], {
      cwd: ROOT,
      env: { ...Object.fromEntries(inherited), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const killer = setTimeout(
      () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'),
      TIMEOUT_MS - 10_000,
    );
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(killer);
      resolve({ lines: text.split('\n'), status });
    });
  });
}

let listed: Promise<Ran> | undefined;

/** Whether the command line calls a system ready. */
async function isReady(system: string): Promise<boolean> {
  listed ??= run('npx tsx cli.ts systems');
  const { lines } = await listed;
  return lines.some((line) => line.includes(system) && /\bready\b/.test(line) && !/\bnot ready\b/.test(line));
}

async function expectKnownFlags(command: string): Promise<void> {
  const name = /^npm (?:run )?start -- ([a-z]+)/.exec(command)?.[1] ?? '';
  const help = [await run('npx tsx cli.ts --help'), await run(`npx tsx cli.ts ${name} --help`)];
  const words = help.flatMap(({ lines }) => lines).join('\n');
  expect(flagsOf(command).filter((flag) => !words.includes(flag))).toEqual([]);
}

/** Checks one command, and returns its status where it was run: `$ echo $?` below it shows it. */
async function checkCommand(shown: ShownCommand, out: string, before: number): Promise<number> {
  let status = before;
  const came: string[] = [];
  let wasRun = false;
  for (const part of shown.command.split(' && ').map((word) => word.trim())) {
    const treatment = treatmentOf(part, out);
    if (treatment.how === 'read') continue;
    if (treatment.how === 'exists') {
      expect(['ci', 'install', 't', ...scripts], part).toContain(treatment.npmScript);
      continue;
    }
    if (treatment.how === 'run-if-ready') {
      const ready = await Promise.all(treatment.systems.map(isReady));
      if (ready.includes(false)) {
        await expectKnownFlags(part);
        continue;
      }
    }
    const ran = await run(part === 'echo $?' ? `echo ${status}` : treatment.script);
    wasRun = true;
    expect(ran.status, `${part}: ended by its time-out`).not.toBeNull();
    status = ran.status ?? 0;
    came.push(...ran.lines.map((line) => line.replaceAll(out, 'reports/out')));
  }
  if (!wasRun) return status;
  const whole = came.join('\n');
  if (shown.output.every((line) => line.trim() === '' || line.trim() === '...'))
    expect([0, 1], `exit code ${status}, which is not shown\n${whole}`).toContain(status);
  if (shown.output.length > 0) expect(outputMismatch(shown.output, came), `all that came:\n${whole}`).toBeUndefined();
  return status;
}

describe('what the READMEs show is what happens', () => {
  const out = mkdtempSync(join(tmpdir(), 'vfio-irq-readme-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('README.md shows the suite at work, once there is one', () => {
    for (const { text } of readmes.filter(({ path }) => path === 'README.md'))
      expect(consoleBlocks(text)).not.toEqual([]);
  });

  for (const { path, text } of readmes)
    for (const block of consoleBlocks(text))
      it(
        `${path}:${block.line}: ${block.commands[0]?.command}`,
        async () => {
          let status = 0;
          for (const shown of block.commands) status = await checkCommand(shown, out, status);
        },
        TIMEOUT_MS * block.commands.length,
      );
});

describe('reading console blocks', () => {
  it('finds commands with their output and their lines', () => {
    const markdown = [
      'Text',
      '```console',
      '$ npm ci && npm start',
      '...',
      '$ a \\',
      '>   b',
      'out',
      '```',
      '```ts',
      '$ no',
      '```',
      '  ```console',
      '  $ c',
      '  ```',
      '```console',
      'no command',
      '```',
    ].join('\n');
    expect(consoleBlocks(markdown)).toEqual([
      {
        line: 2,
        commands: [
          { command: 'npm ci && npm start', line: 3, output: ['...'] },
          { command: 'a b', line: 5, output: ['out'] },
        ],
      },
      { line: 12, commands: [{ command: 'c', line: 13, output: [] }] },
    ]);
  });

  it.each([
    ['npm start', { how: 'run', script: "npx tsx cli.ts --out 'OUT'" }],
    ['npm start -- --seed 1', { how: 'run', script: "npx tsx cli.ts --out 'OUT' --seed 1" }],
    ['npm start -- run --out x', { how: 'run', script: 'npx tsx cli.ts run --out x' }],
    ['npm start -- clauses | head -3', { how: 'run', script: 'npx tsx cli.ts clauses | head -3' }],
    ['npm start -- replay reports/out/f.jsonl', { how: 'run', script: 'npx tsx cli.ts replay OUT/f.jsonl' }],
    [
      'npm start -- run --profile linux-6.1',
      { how: 'run', script: "npx tsx cli.ts run --out 'OUT' --profile linux-6.1" },
    ],
    [
      'npm start -- run --system linux-6.1',
      { how: 'run-if-ready', script: "npx tsx cli.ts run --out 'OUT' --system linux-6.1", systems: ['linux-6.1'] },
    ],
    ['npm ci', { how: 'exists', npmScript: 'ci' }],
    ['npm test', { how: 'exists', npmScript: 'test' }],
    ['npm run systems:install', { how: 'exists', npmScript: 'systems:install' }],
    ['cat reports/out/summary.json', { how: 'run', script: 'cat OUT/summary.json' }],
    ['sudo apt-get install x', { how: 'read' }],
  ])('treats `%s` as it should', (command, treatment) => {
    expect(treatmentOf(command, 'OUT')).toEqual(treatment);
  });

  it('finds the flags of a command', () => {
    expect(flagsOf('npm start -- run --seed 1 --json=x')).toEqual(['--seed', '--json']);
  });
});

describe('comparing output', () => {
  const lines = (text: string): readonly string[] => text.split('|');

  it.each([
    ['a|b', 'a|b'],
    ['a|b', '|a  |b||'],
    ['...', ''],
    ['...', 'a|b'],
    ['a|...|d', 'a|b|c|d'],
    ['a|...|d', 'a|d'],
    ['...|d|...', 'd|d|e'],
    ['...|b|c', 'b|x|b|c'],
    ['seed … runs [..]', 'seed 42 runs 17'],
    ['1 + (2) [x] $', '1 + (2) [x] $'],
    ['> vfio@0.1.0 start|> tsx cli.ts||a', 'a'],
    ['a', '\u001b[31ma\u001b[0m'],
  ])('%s agrees with %s', (shown, came) => {
    expect(outputMismatch(lines(shown), lines(came))).toBeUndefined();
  });

  it.each([
    ['a|b', 'a', 'shown: b\ncame:  (nothing more)'],
    ['a', 'a|b', 'shown: (nothing more)\ncame:  b'],
    ['a|b', 'a|c', 'shown: b\ncame:  c'],
    ['a|...|d', 'a|b|c', 'shown: d\ncame:  b'],
    ['a|...|d', 'a|d|e', 'shown: (nothing more)\ncame:  e'],
    ['seed … runs', 'seed 42', 'shown: seed … runs\ncame:  seed 42'],
    ['a.c', 'abc', 'shown: a.c\ncame:  abc'],
    ['a', '', 'shown: a\ncame:  (nothing more)'],
  ])('%s differs from %s', (shown, came, mismatch) => {
    expect(outputMismatch(lines(shown), lines(came))).toBe(mismatch);
  });
});

describe('checking a command', () => {
  const shown = (command: string, ...output: string[]): ShownCommand => ({ command, line: 1, output });

  it('passes what is shown, and hands its exit code on', async () => {
    await expect(checkCommand(shown('echo "a b"; exit 3', 'a …'), 'OUT', 0)).resolves.toBe(3);
    await expect(checkCommand(shown('echo $?', '3'), 'OUT', 3)).resolves.toBe(0);
  });

  it('fails on other output, an exit code nobody is told of, and an unknown script', async () => {
    await expect(checkCommand(shown('echo a', 'b'), 'OUT', 0)).rejects.toThrow('shown: b');
    await expect(checkCommand(shown('exit 2'), 'OUT', 0)).rejects.toThrow('exit code 2');
    await expect(checkCommand(shown('npm run unheard-of'), 'OUT', 0)).rejects.toThrow('unheard-of');
  });
});
