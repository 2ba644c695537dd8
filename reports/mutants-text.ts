import { counted, grouped, left, right, widest } from './layout.ts';
import type { Palette } from './palette.ts';

interface Spread {
  readonly median: number;
  readonly worst: number;
}

/** What came of all searches of one mutant. */
export interface MutantRow {
  readonly id: string;
  readonly title: string;
  readonly tier: string;
  /** The promise that it must be seen to break. */
  readonly invariant: string;
  readonly seeds: number;
  readonly killed: number;
  readonly errored: number;
  /** Searches that the named promise ended. */
  readonly told: number;
  /** The ways in which it was killed, each once. */
  readonly by: readonly string[];
  readonly scenarios: Spread | null;
  readonly operations: Spread | null;
  /** Scenarios until the named promise was seen broken; null where it never was. */
  readonly toldAfter: Spread | null;
  /** Operations of the failing scenario as short as it gets. */
  readonly shrunk: Spread | null;
  /** Searches in which every shorter sequence was tried, in the scope of the minimiser. */
  readonly proved: number;
  /** Operations of the shortest sequence known. */
  readonly shortest: number;
  readonly seconds: number;
}

/** The detection benchmark as a table, a line for each mutant, and its sum. */
export function mutantsText(rows: readonly MutantRow[], palette: Palette): string {
  const ids = widest(['id', ...rows.map(({ id }) => id)]);
  const promises = widest(['told by', ...rows.map(toldBy)]);
  const header = [
    `    ${left('id', ids)}  tier  killed  ${left('told by', promises)}`,
    `${right('scenarios', 9)}  ${right('at worst', 8)}  ${right('operations', 10)}`,
    'shrunk  known  proved  seconds',
  ].join('  ');
  const lines = rows.map((row) => {
    const isKilled = row.killed === row.seeds;
    const mark = isKilled ? palette.good('✓') : palette.bad('✗');
    const cells = [
      `${left(row.id, ids)}  ${left(row.tier, 4)}  ${right(`${row.killed}/${row.seeds}`, 6)}`,
      left(toldBy(row), promises),
      `${number(row.scenarios?.median, 9)}  ${number(row.scenarios?.worst, 8)}  ${number(row.operations?.median, 10)}`,
      `${number(row.shrunk?.worst, 6)}  ${number(row.shortest, 5)}  ${number(row.proved, 6)}`,
      right(row.seconds.toFixed(1), 7),
    ].join('  ');
    return `  ${mark} ${cells}`;
  });
  const survivors = survivorsOf(rows);
  const sum = sumOf(rows.length, survivors);
  const told = survivors.length === 0 ? palette.good(sum) : palette.bad(sum);
  return [palette.strong('Mutants'), palette.quiet(header), ...lines, '', told].join('\n');
}

function sumOf(count: number, survivors: readonly string[]): string {
  if (count === 1)
    return survivors.length === 0
      ? '✓ The mutant is killed, whatever the seed.'
      : '✗ The mutant is not killed with every seed.';
  if (survivors.length === 0) return `✓ All ${count} mutants are killed, whatever the seed.`;
  return `✗ ${count - survivors.length} of ${count} mutants are killed with every seed; not ${survivors.join(', ')}.`;
}

/** The mutants that some search has not killed, by their ids. */
export function survivorsOf(rows: readonly MutantRow[]): readonly string[] {
  return rows.filter(({ killed, seeds }) => killed < seeds).map(({ id }) => id);
}

/** The promise that told of it, or that it was seen only as a difference from the model. */
export function toldBy({ invariant, killed, told, errored }: MutantRow): string {
  if (errored > 0) return `${counted(errored, 'search', 'searches')} failed`;
  if (told === killed && told > 0) return invariant;
  return told === 0 ? 'difference alone' : `${invariant} (${told} of ${killed})`;
}

function number(value: number | undefined, width: number): string {
  return right(value === undefined ? '–' : grouped(value), width);
}
