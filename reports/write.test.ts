import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { shownPath, writeWhole } from './write.ts';

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

  it('shows a path as it would be typed here', () => {
    expect(shownPath(resolve('reports/out/index.html'))).toBe(join('reports', 'out', 'index.html'));
    expect(shownPath(folder)).toBe(folder);
  });
});
