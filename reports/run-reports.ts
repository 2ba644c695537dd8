import { join } from 'node:path';
import { writeFinding } from '../properties/runner/record.ts';
import type { Finding, GrowthCost, RunResult } from '../properties/runner/verdict.ts';
import { ctrfJson } from './ctrf.ts';
import type { Glossary } from './glossary.ts';
import { htmlPage } from './html.ts';
import { junitXml } from './junit.ts';
import { mutantCounts } from './mutants-summary.ts';
import { OWN_COMMAND } from './own-command.ts';
import type { Palette } from './palette.ts';
import { companionsIn, findingFile } from './recorded.ts';
import { scoreboardText } from './scoreboard-text.ts';
import { shellWord } from './shell-word.ts';
import { stepSummary } from './step-summary.ts';
import { summaryJson } from './summary.ts';
import { findingText } from './text.ts';
import { append, shownPath, writeWhole } from './write.ts';

/** Where reports go when nothing else is said. */
export const DEFAULT_OUT = 'reports/out';

/** Where the reports of a run go. */
export interface ReportFiles {
  /** The folder of the page, the findings and the summary that `clauses` reads. */
  readonly out: string;
  readonly json: string | undefined;
  readonly junit: string | undefined;
  readonly ctrf: string | undefined;
  /** Where others write too: a summary is put behind what is there. */
  readonly stepSummary: string | undefined;
}

/** The summary of the last run. */
export function summaryFile(out: string): string {
  return join(out, 'summary.json');
}

/** The page of the last run. */
export function pageFile(out: string): string {
  return join(out, 'index.html');
}

/**
 * What replays the finding of a file. The program that is to run it again is named: `replay` starts none that nobody
 * but a file has named.
 */
export function replayCommand(file: string, { system }: Finding): string {
  const runner = system.startsWith('stdio:') ? ` --system ${shellWord(system)}` : '';
  return `${OWN_COMMAND} replay ${shellWord(shownPath(file))}${runner}`;
}

/** Writes the files of a run and returns what a terminal shows of it: findings that fail it, then the scoreboard. */
export function reportRun(
  run: RunResult,
  files: ReportFiles,
  glossary: Glossary,
  palette: Palette,
  growth: readonly GrowthCost[] = [],
): string {
  const findings = run.results.flatMap((result) => result.findings);
  const companions = companionsIn(files.out);
  const fileOf = ({ id }: Finding): string => findingFile(files.out, id);
  const words = { ...glossary, replayCommand: (finding: Finding): string => replayCommand(fileOf(finding), finding) };
  for (const finding of findings) writeWhole(fileOf(finding), writeFinding(finding));
  const page = pageFile(files.out);
  writeWhole(page, htmlPage(run, { ...words, ...companions, growth }));
  const { mutants } = companions;
  const summary = summaryJson(run, glossary.clauses, mutants === undefined ? undefined : mutantCounts(mutants));
  writeWhole(summaryFile(files.out), summary);
  if (files.json !== undefined) writeWhole(files.json, summary);
  if (files.junit !== undefined) writeWhole(files.junit, junitXml(run, words));
  if (files.ctrf !== undefined) writeWhole(files.ctrf, ctrfJson(run, words));
  if (files.stepSummary !== undefined) append(files.stepSummary, stepSummary(run, words));
  const shown = findings.filter(({ verdict }) => verdict !== 'expected');
  const texts = shown.map((finding) =>
    findingText(finding, { ...glossary, replayCommand: words.replayCommand(finding), palette }),
  );
  const folder = shownPath(files.out);
  const elsewhere = folder === DEFAULT_OUT ? '' : ` --out ${folder}`;
  const clausesCommand = `${OWN_COMMAND} clauses${elsewhere}`;
  const shownFile = (finding: Finding): string => shownPath(fileOf(finding));
  const board = { ...words, findingFile: shownFile, clausesCommand, page: shownPath(page), palette };
  return [...texts, scoreboardText(run, board)].map((text) => `${text}\n`).join('\n');
}
