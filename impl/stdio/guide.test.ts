import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { consoleBlocks, outputMismatch } from '../../.ci/readme.ts';

const ROOT = join(import.meta.dirname, '../..');
const TSX = fileURLToPath(import.meta.resolve('tsx'));
const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

const guide = readFileSync(join(import.meta.dirname, 'GUIDE.md'), 'utf8');
const protocol = readFileSync(join(import.meta.dirname, 'PROTOCOL.md'), 'utf8');

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** A file to write, or commands to run, in the order in which they stand in the guide. */
const steps = [...guide.matchAll(/^```(python \S+|console)\n[\s\S]*?^```$/gm)].map(([block, head = '']) => {
  const line = guide.slice(0, guide.indexOf(block)).split('\n').length;
  const [, file] = head.split(' ');
  return { block, file, line };
});

function run(command: string): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const script = command.replace(/^npm start --/, `'${process.execPath}' --import '${TSX}' '${join(ROOT, 'cli.ts')}'`);
  const env = { ...process.env, NO_COLOR: '1', PYTHONDONTWRITEBYTECODE: '1' };
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.on('close', (status) => resolve({ status: status ?? -1, lines: text.split('\n') }));
  });
}

describe('the guide', () => {
  if (!hasPython) {
    console.error('SKIPPED the guide and the transcript of impl/stdio: there is no python3; apt-get install python3');
    it.skipIf(true)('needs python3, which is not here: apt-get install python3', () => undefined);
    return;
  }

  it('has files and commands', () => {
    expect(steps.filter(({ file }) => file !== undefined).map(({ file }) => file)).toEqual([
      ...['harness.py', 'harness.py', 'device.py', 'device.py'],
    ]);
    expect(consoleBlocks(guide)).toHaveLength(5);
  });

  let status = 0;
  for (const { block, file, line } of steps)
    if (file !== undefined)
      it(`GUIDE.md:${line}: ${file}`, () => {
        const text = `${block.split('\n').slice(1, -1).join('\n')}\n`;
        writeFileSync(join(folder, file), text);
        expect(text.split('\n').length).toBeLessThan(150);
      });
    else
      for (const { command, output } of consoleBlocks(block)[0]?.commands ?? [])
        it(`GUIDE.md:${line}: ${command}`, async () => {
          const ran = await run(command === 'echo $?' ? `echo ${status}` : command);
          status = ran.status;
          expect(outputMismatch(output, ran.lines), `all that came:\n${ran.lines.join('\n')}`).toBeUndefined();
        }, 300_000);

  it('the harness at its end, without the fault, answers as the transcript of the protocol says', async () => {
    const files = steps.filter(({ file }) => file !== undefined).slice(1);
    for (const { block, file } of files)
      writeFileSync(join(folder, file ?? ''), `${block.split('\n').slice(1, -1).join('\n')}\n`);
    const transcript = /^```transcript\n([\s\S]*?)^```$/m.exec(protocol)?.[1] ?? '';
    const lines = transcript.trimEnd().split('\n');
    const asked = lines.filter((line) => line.startsWith('> ')).map((line) => line.slice(2));
    const answered = lines.filter((line) => line.startsWith('< ')).map((line) => line.slice(2));
    expect(asked.length).toBeGreaterThan(5);
    const { stdout } = spawnSync('python3', ['harness.py'], {
      cwd: folder,
      input: `${asked.join('\n')}\n`,
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(stdout.trimEnd().split('\n')).toEqual(answered);
  });
});
