import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { append, makeRoomFor, shownPath, writeWhole } from './write.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-write-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('write', () => {
  it('makes the folder, replaces what was there and leaves nothing else behind', () => {
    const file = join(folder, 'deep', 'report.txt');
    writeWhole(file, 'first');
    writeWhole(file, 'second');
    expect(readFileSync(file, 'utf8')).toBe('second');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['report.txt']);
  });

  it('says where no folder can be made, and does not try for ever', () => {
    expect(() => makeRoomFor('/proc/none/deep/report.txt')).toThrow(
      "ENOENT: no such file or directory, mkdir '/proc/none'",
    );
    const file = join(folder, 'plain.txt');
    writeWhole(file, 'text');
    expect(() => makeRoomFor(join(file, 'deep', 'report.txt'))).toThrow(file);
    expect(readFileSync(file, 'utf8')).toBe('text');
  });

  it('leaves nothing behind where a folder has the name, and says so before', () => {
    const taken = join(folder, 'taken', 'report.txt');
    mkdirSync(taken, { recursive: true });
    expect(() => makeRoomFor(taken)).toThrow('it is a folder');
    expect(() => writeWhole(taken, 'text')).toThrow('EISDIR');
    expect(readdirSync(join(folder, 'taken'))).toEqual(['report.txt']);
  });

  it('writes to a pipe and does not replace it', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    makeRoomFor(pipe);
    const read = promisify(execFile)('cat', [pipe]);
    writeWhole(pipe, 'text');
    expect(statSync(pipe).isFIFO()).toBe(true);
    expect((await read).stdout).toBe('text');
  });

  it.skipIf(process.getuid?.() === 0)('adds to a file in a folder in which none can be made', () => {
    const closed = join(folder, 'closed');
    const file = join(closed, 'summary.md');
    writeWhole(file, 'first');
    chmodSync(closed, 0o555);
    expect(() => makeRoomFor(file)).toThrow('EACCES');
    makeRoomFor(file, 'append');
    append(file, ' second');
    chmodSync(closed, 0o755);
    expect(readFileSync(file, 'utf8')).toBe('first second');
  });

  it('shows a path as it would be typed here', () => {
    expect(shownPath(resolve('reports/out/index.html'))).toBe(join('reports', 'out', 'index.html'));
    expect(shownPath(folder)).toBe(folder);
  });
});
