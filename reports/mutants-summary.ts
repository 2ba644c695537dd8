import { type MutantRow, survivorsOf } from './mutants-text.ts';

/** What `mutants --json` writes: `mutants` as in the summary of a run, with what is told of each beside it. */
export function mutantsJson(rows: readonly MutantRow[]): string {
  const survivors = survivorsOf(rows);
  const mutants = { total: rows.length, killed: rows.length - survivors.length, survivors, list: rows };
  return `${JSON.stringify({ schema: 'vfio-irq/mutants@1', mutants }, undefined, 2)}\n`;
}
