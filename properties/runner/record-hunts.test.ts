import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type Hunt, unanswered } from './mutants.ts';
import { codeHash, jobsLeft, openJournal } from './record-hunts.ts';

const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-hunts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const killed = (id: string, seed: number): Hunt => ({
  ...{ id, seed, verdict: 'killed', by: 'no-leak', scenarios: 3, operations: 40, toldAfter: 3 },
  ...{ shrunk: null, proof: null, seconds: 0.25 },
});

it('goes on where it was interrupted, without what failed and without half a line', () => {
  const file = join(folder, 'hunts.jsonl');
  const journal = openJournal(file, 'this code');
  expect(journal.done).toEqual([]);
  journal.keep(killed('S01', 0));
  journal.keep(unanswered({ id: 'S02', seed: 0 }, 'its worker ended'));
  journal.keep(killed('S01', 1));
  appendFileSync(file, '{"id":"S03","se');
  expect(openJournal(file, 'this code').done).toEqual([killed('S01', 0), killed('S01', 1)]);
  expect(readFileSync(file, 'utf8')).not.toContain('S03');
  const jobs = ['S01', 'S02', 'S03'].map((id) => ({ id, seed: 1, scenarios: 100 }));
  expect(jobsLeft(jobs, openJournal(file, 'this code').done).map(({ id }) => id)).toEqual(['S02', 'S03']);
});

it('searches again where a line of the journal is damaged', () => {
  const file = join(folder, 'damaged.jsonl');
  openJournal(file, 'this code').keep(killed('S01', 0));
  appendFileSync(file, 'null\n{"id":"S02","se\n{"id":"S03","seed":0,"verdict":"killed"}\n');
  const journal = openJournal(file, 'this code');
  expect(journal.done).toEqual([killed('S01', 0)]);
  journal.keep(killed('S04', 0));
  expect(openJournal(file, 'this code').done).toEqual([killed('S01', 0), killed('S04', 0)]);
});

it('begins anew when the code has changed, and leaves nothing when all is done', () => {
  const file = join(folder, 'other.jsonl');
  openJournal(file, 'this code').keep(killed('S01', 0));
  const journal = openJournal(file, 'other code');
  expect(journal.done).toEqual([]);
  expect(openJournal(file, 'this code').done).toEqual([]);
  journal.close();
  expect(existsSync(file)).toBe(false);
});

it('the same code has the same hash', () => {
  expect(codeHash()).toMatch(/^[0-9a-f]{64}$/);
  expect(codeHash()).toBe(codeHash());
});
