import { join } from 'node:path';
import { MUTANTS, mutantNamed } from '../impl/mutants/index.ts';
import { type Mutant, TIER_SCENARIOS } from '../impl/mutants/mutant.ts';
import { hunts } from '../properties/runner/mutant-hunts.ts';
import { type Hunt, summarise } from '../properties/runner/mutants.ts';
import { codeHash, jobsLeft, openJournal } from '../properties/runner/record-hunts.ts';
import { counted } from '../reports/layout.ts';
import { mutantsJson } from '../reports/mutants-summary.ts';
import { type MutantRow, mutantsText } from '../reports/mutants-text.ts';
import { DEFAULT_OUT } from '../reports/run-reports.ts';
import { writeWhole } from '../reports/write.ts';
import { EXIT, makeRoom, optional, parse, stopOnInterrupt, UsageError, wholeNumber } from './arguments.ts';
import { palette } from './shown.ts';

/** Searches of each mutant when nobody says. */
const SEEDS = 30;
/** Where the page finds what was found. */
const PAGE_FILE = join(DEFAULT_OUT, 'mutants.json');
/** What was done, as long as not all is. */
const JOURNAL_FILE = join(DEFAULT_OUT, 'mutants.jsonl');

/** The detection benchmark: every historic fault is searched for, with many seeds. */
export async function mutants(args: readonly string[]): Promise<number> {
  const { values } = parse(args, {
    id: { type: 'string', multiple: true },
    seeds: { type: 'string' },
    json: { type: 'string' },
  });
  const chosen = values.id === undefined ? MUTANTS : [...new Set(values.id.map(chosenMutant))];
  const seeds = optional(values.seeds, (text) => wholeNumber('--seeds', text, 1, 10_000)) ?? SEEDS;
  const files = [values.json, PAGE_FILE, JOURNAL_FILE].filter((file) => file !== undefined);
  for (const file of files) makeRoom(file);
  const stop = stopOnInterrupt();
  const found = await search(chosen, seeds, stop);
  const rows = chosen.map((mutant) => rowOf(mutant, found));
  process.stdout.write(`${mutantsText(rows, palette())}\n`);
  if (stop.aborted) process.stdout.write('Interrupted: this is what was found so far; the same command goes on.\n');
  if (values.json !== undefined) writeWhole(values.json, mutantsJson(rows));
  // The page tells of all mutants or of none.
  if (!stop.aborted && chosen === MUTANTS) writeWhole(PAGE_FILE, mutantsJson(rows));
  if (rows.some(({ errored }) => errored > 0)) return EXIT.harness;
  return stop.aborted || rows.some(({ killed }) => killed < seeds) ? EXIT.broken : EXIT.held;
}

function chosenMutant(id: string): Mutant {
  const mutant = mutantNamed(id);
  if (mutant !== undefined) return mutant;
  throw new UsageError(`--id: expected one of ${MUTANTS.map((known) => known.id).join(', ')}, got ${id}`);
}

/** Every search that was not done before, with as many at once as there are cores. */
async function search(chosen: readonly Mutant[], seeds: number, stop: AbortSignal): Promise<readonly Hunt[]> {
  const jobs = Array.from({ length: seeds }, (_, seed) =>
    chosen.map(({ id, tier }) => ({ id, seed, scenarios: TIER_SCENARIOS[tier] })),
  ).flat();
  const journal = openJournal(JOURNAL_FILE, codeHash());
  const left = jobsLeft(jobs, journal.done);
  const all = counted(jobs.length, 'search', 'searches');
  if (left.length < jobs.length)
    process.stderr.write(`${jobs.length - left.length} of ${all} were done before (${JOURNAL_FILE})\n`);
  let done = jobs.length - left.length;
  const isTerminal = process.stderr.isTTY === true;
  const found = await hunts(left, {
    stop,
    onHunt: (hunt) => {
      done += 1;
      journal.keep(hunt);
      if (isTerminal) process.stderr.write(`\r\x1b[2K${done} of ${all}, last of ${hunt.id}`);
    },
  });
  if (isTerminal) process.stderr.write('\r\x1b[2K');
  if (!stop.aborted) journal.close();
  const isAsked = ({ id, seed }: Hunt): boolean => jobs.some((job) => job.id === id && job.seed === seed);
  return [...journal.done.filter(isAsked), ...found];
}

function rowOf(mutant: Mutant, found: readonly Hunt[]): MutantRow {
  const summary = summarise(
    mutant,
    found.filter(({ id }) => id === mutant.id),
  );
  return { ...summary, title: mutant.title, tier: mutant.tier };
}
