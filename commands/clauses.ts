import { existsSync } from 'node:fs';
import { allClauses } from '../model/clauses.ts';
import { clausesText } from '../reports/clauses-text.ts';
import { readReached } from '../reports/read-summary.ts';
import { DEFAULT_OUT, summaryFile } from '../reports/run-reports.ts';
import { EXIT, parse, readText } from './arguments.ts';
import { palette } from './shown.ts';

/** The rules of the model, and which the last run reached. */
export function clauses(args: readonly string[]): number {
  const { values } = parse(args, { out: { type: 'string' } });
  const file = summaryFile(values.out ?? DEFAULT_OUT);
  const last = values.out !== undefined || existsSync(file) ? readReached(readText(file), file) : null;
  process.stdout.write(`${clausesText(allClauses(), last, palette())}\n`);
  return EXIT.held;
}
