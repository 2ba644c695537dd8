import { type MutantRow, survivorsOf } from './mutants-text.ts';

/** The detection benchmark in three numbers: as in the summary of a run. */
export interface MutantCounts {
  readonly total: number;
  readonly killed: number;
  /** Ids of those that some search has not killed. */
  readonly survivors: readonly string[];
}

export function mutantCounts(rows: readonly MutantRow[]): MutantCounts {
  const survivors = survivorsOf(rows);
  return { total: rows.length, killed: rows.length - survivors.length, survivors };
}

/** What `mutants --json` writes: `mutants` as in the summary of a run, with what is told of each beside it. */
export function mutantsJson(rows: readonly MutantRow[]): string {
  const mutants = { ...mutantCounts(rows), list: rows };
  return `${JSON.stringify({ schema: 'vfio-irq/mutants@1', mutants }, undefined, 2)}\n`;
}
