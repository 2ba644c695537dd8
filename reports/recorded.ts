import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRecorded } from '../properties/runner/record.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import type { BenchRow } from './bench-json.ts';
import type { RecordedRun } from './merge.ts';
import type { MutantRow } from './mutants-text.ts';
import { readBench } from './read-bench.ts';
import { type CodeCoverage, readCoverage } from './read-coverage.ts';
import { SummaryError, schemaOf } from './read-json.ts';
import { readMutants } from './read-mutants.ts';
import { readRun } from './read-summary.ts';

/** What other commands have left to be shown with a run; undefined where they have not. */
export interface Companions {
  readonly mutants?: readonly MutantRow[];
  readonly bench?: readonly BenchRow[];
  readonly coverage?: readonly CodeCoverage[];
}

/** The files of a report, read. */
export interface Recorded extends Companions {
  readonly runs: readonly RecordedRun[];
  /** Where each finding lies. */
  readonly findingFiles: ReadonlyMap<Finding, string>;
  /** Ids of findings that a run names and that are not beside it. */
  readonly lostFindings: readonly string[];
}

/** Where a finding of a run lies. */
export function findingFile(out: string, id: string): string {
  return join(out, 'findings', `${id}.jsonl`);
}

/**
 * What lies in the folder of a run.
 * @throws SummaryError
 */
export function companionsIn(folder: string): Companions {
  const mutants = join(folder, 'mutants.json');
  const bench = join(folder, 'bench.json');
  const coverage = join(folder, 'coverage', 'coverage-summary.json');
  return {
    ...(existsSync(mutants) ? { mutants: readMutants(textOf(mutants), mutants) } : {}),
    ...(existsSync(bench) ? { bench: readBench(textOf(bench), bench) } : {}),
    ...(existsSync(coverage) ? { coverage: readCoverage(textOf(coverage), coverage) } : {}),
  };
}

/**
 * Reads summaries with their findings and companions beside them, and companions named by themselves, which come first.
 * @throws SummaryError, and RecordError of a finding
 */
export function readReportFiles(files: readonly string[]): Recorded {
  const runs: RecordedRun[] = [];
  const findingFiles = new Map<Finding, string>();
  const lostFindings: string[] = [];
  let beside: Companions = {};
  let named: Companions = {};
  for (const file of files) {
    const text = textOf(file);
    const schema = schemaOf(text, file);
    if (schema === 'vfio-irq/mutants@1') named = { ...named, mutants: readMutants(text, file) };
    else if (schema === 'vfio-irq/bench@1') named = { ...named, bench: readBench(text, file) };
    else {
      const findingOf = (id: string): Finding | undefined => {
        const path = findingFile(dirname(file), id);
        if (!existsSync(path)) {
          lostFindings.push(id);
          return undefined;
        }
        const finding = readFindingFile(path);
        findingFiles.set(finding, path);
        return finding;
      };
      runs.push({ file, run: readRun(text, file, findingOf) });
      beside = { ...beside, ...companionsIn(dirname(file)) };
    }
  }
  return { runs, findingFiles, lostFindings, ...beside, ...named };
}

function readFindingFile(path: string): Finding {
  const recorded = readRecorded(textOf(path), path);
  if (recorded.kind === 'finding') return recorded.finding;
  throw new SummaryError(`${path}: expected a finding, got a scenario`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SummaryError(`${file}: expected a file to read (${error instanceof Error ? error.message : error})`);
  }
}
