import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What Stryker says of a mutant in its JSON report, as far as it is asked here. */
interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  /** Tests that were run, also those that a mutant did not fail. */
  readonly testsCompleted?: number;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

export interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>;
}

/**
 * Survivors that no test has met, one line each: the Vitest runner of Stryker 9 loses a run at times, and then a mutant
 * that was never switched on is told as one that was not noticed (stryker-js #6073).
 */
export function unmet({ files }: Report): readonly string[] {
  return Object.entries(files).flatMap(([path, { mutants }]) =>
    mutants
      .filter(({ status, testsCompleted = 0 }) => status === 'Survived' && testsCompleted === 0)
      .map(({ mutatorName, replacement, location: { start } }) => {
        return `${path}:${start.line}:${start.column}: ${mutatorName} ${replacement} survived, and no test was run`;
      }),
  );
}

if (process.argv[1] === import.meta.filename) {
  const path = join(import.meta.dirname, '../../reports/out/mutation/mutation.json');
  const lines = unmet(JSON.parse(readFileSync(path, 'utf8')));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = lines.length === 0 ? 0 : 1;
}
