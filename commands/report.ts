import { growthCosts } from '../properties/runner/growth-cost.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import { htmlPage } from '../reports/html.ts';
import { merged } from '../reports/merge.ts';
import { printable } from '../reports/printable.ts';
import { findingFile, readReportFiles } from '../reports/recorded.ts';
import { DEFAULT_OUT, pageFile, replayCommand, summaryFile } from '../reports/run-reports.ts';
import { verdictWords, worstVerdict } from '../reports/scoreboard.ts';
import { shownPath, writeWhole } from '../reports/write.ts';
import { EXIT, makeRoom, parse, UsageError } from './arguments.ts';
import { GROWTH_VECTORS } from './bench.ts';
import { wordsOf } from './shown.ts';

/** The page, made again from what runs have left; shards of one run are added up. */
export function report(args: readonly string[]): number {
  const { values, positionals } = parse(args, { out: { type: 'string' } }, true);
  const out = values.out ?? DEFAULT_OUT;
  const files = positionals.length === 0 ? [summaryFile(out)] : [...new Set(positionals)];
  const { runs, findingFiles, lostFindings, ...companions } = readReportFiles(files);
  const [first, ...others] = runs;
  if (first === undefined) throw new UsageError(`report: expected the summary of a run among ${files.join(', ')}`);
  const { run, remarks } = merged(first, others);
  const told = [...remarks, ...lostWords(lostFindings)];
  const page = pageFile(out);
  makeRoom(page);
  const options = {
    ...wordsOf(run.invariants),
    ...companions,
    replayCommand: (finding: Finding) =>
      replayCommand(findingFiles.get(finding) ?? findingFile(out, finding.id), finding),
    growth: growthCosts(GROWTH_VECTORS),
    parts: runs,
    remarks: told,
  };
  writeWhole(page, htmlPage(run, options));
  for (const remark of told) process.stdout.write(`! ${printable(remark)}\n`);
  process.stdout.write(`${printable(verdictWords(run))}\nPage  ${shownPath(page)}\n`);
  switch (worstVerdict(run.results)) {
    case 'fail':
      return EXIT.broken;
    case 'errored':
      return EXIT.harness;
    case 'pass':
    case 'skipped':
      return EXIT.held;
  }
}

function lostWords(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  const rest = ids.length > 3 ? ` and ${ids.length - 3} more` : '';
  return [`Findings that do not lie beside their run are not shown: ${ids.slice(0, 3).join(', ')}${rest}.`];
}
