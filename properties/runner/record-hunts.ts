import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Job } from './mutant-hunts.ts';
import type { Hunt } from './mutants.ts';

const SCHEMA = 'vfio-irq/hunts@1';
/** Folders that decide what a search finds. */
const DECISIVE = ['../../model', '../../impl/optimised', '../../impl/mutants', '..'];

/** Searches as they are done, in a file, so that one who was interrupted does not begin anew. */
export interface Journal {
  /** Searches that were done before by the very same code, and that did not fail. */
  readonly done: readonly Hunt[];
  /** Notes that a search is done. */
  readonly keep: (hunt: Hunt) => void;
  /** All are done: nothing is left to go on with. */
  readonly close: () => void;
}

/** What is read of a line is the shape that this very code wrote: only damage is to be told from it. */
const note = z.object({
  id: z.string(),
  seed: z.int(),
  verdict: z.enum(['killed', 'survived', 'errored']),
  by: z.string().nullable(),
  scenarios: z.int(),
  operations: z.int(),
  toldAfter: z.int().nullable(),
  shrunk: z.object({ operations: z.array(z.unknown()) }).nullable(),
  proof: z.looseObject({}).nullable(),
  seconds: z.number(),
});

function huntOf(line: string): Hunt | null {
  try {
    const hunt: Hunt = JSON.parse(line);
    return note.safeParse(hunt).success ? hunt : null;
  } catch {
    return null;
  }
}

/**
 * Opens a journal. What other code has found is dropped, and so is a line that was damaged or not written to its end.
 * @param file in a folder that exists
 * @param code stands for the code, as `codeHash` tells it
 */
export function openJournal(file: string, code: string): Journal {
  const head = JSON.stringify({ schema: SCHEMA, code });
  const [first, ...lines] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  // What is behind the last line's end is empty, or half a line.
  const whole = first === head ? lines.slice(0, -1) : [];
  const done = whole.flatMap((line) => huntOf(line) ?? []);
  const kept = [head, ...done.map((hunt) => JSON.stringify(hunt))];
  writeFileSync(file, kept.map((line) => `${line}\n`).join(''));
  return {
    done: done.filter(({ verdict }) => verdict !== 'errored'),
    keep: (hunt) => appendFileSync(file, `${JSON.stringify(hunt)}\n`),
    close: () => rmSync(file),
  };
}

/** The jobs of which nobody has noted what came of them. */
export function jobsLeft(jobs: readonly Job[], done: readonly Hunt[]): readonly Job[] {
  const known = new Set(done.map(({ id, seed }) => `${id} ${seed}`));
  return jobs.filter(({ id, seed }) => !known.has(`${id} ${seed}`));
}

/** A hash of all code that decides what a search finds. */
export function codeHash(): string {
  const hash = createHash('sha256');
  for (const folder of DECISIVE) hashFolder(new URL(`${folder}/`, import.meta.url).pathname, hash);
  return hash.digest('hex');
}

function hashFolder(folder: string, hash: ReturnType<typeof createHash>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) hashFolder(path, hash);
    else if (/\.[jt]s$/.test(entry.name)) hash.update(entry.name).update(readFileSync(path));
  }
}
