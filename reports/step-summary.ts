import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import type { CaseOptions } from './cases.ts';
import { headlineOf } from './headline.ts';
import { counted, grouped } from './layout.ts';
import { printable } from './printable.ts';

/** More findings than a reader of a summary wants: the page has all of them. */
const FINDINGS_MAX = 20;

const MARKS: Readonly<Record<CampaignResult['verdict'], string>> = {
  pass: '✅ held',
  fail: '❌ broken',
  skipped: '➖ not tested',
  errored: '⚠️ harness failed',
};

/** A run as Markdown, for the page that GitHub shows of a job: systems by verdict, and what broke. */
export function stepSummary(run: RunResult, options: CaseOptions): string {
  const findings = run.results.flatMap((result) => result.findings);
  const broken = findings.filter(({ verdict }) => verdict !== 'expected');
  const known = findings.length - broken.length;
  const history = known === 0 ? '' : ` ${counted(known, 'finding')} of known history.`;
  const lines = [
    `## vfio-irq: ${titleOf(run)}`,
    '',
    `Seed ${run.seed}, ${run.seconds.toFixed(1)} s.${history}`,
    '',
    '| system | profile | verdict | scenarios | operations | differences |',
    '|---|---|---|--:|--:|--:|',
    ...run.results.map(systemRow),
    ...findingLines(broken, options),
  ];
  return `${lines.join('\n')}\n`;
}

function titleOf({ results }: RunResult): string {
  const count = (verdict: CampaignResult['verdict']): number =>
    results.filter((result) => result.verdict === verdict).length;
  const judged = count('pass') + count('fail');
  const untested = results.length - judged;
  const rest = untested === 0 ? '' : `, ${untested} not tested`;
  return count('fail') === 0
    ? `${counted(judged, 'campaign')} held${rest}`
    : `${count('fail')} of ${counted(judged, 'campaign')} did not hold${rest}`;
}

function systemRow({ system, profile, verdict, reason, scenarios, operations, divergences }: CampaignResult): string {
  const why = reason === undefined ? '' : `: ${escaped(reason)}`;
  const numbers = [scenarios, operations, divergences].map(grouped).join(' | ');
  return `| ${escaped(system)} | ${escaped(profile)} | ${MARKS[verdict]}${why} | ${numbers} |`;
}

function findingLines(findings: readonly Finding[], options: CaseOptions): readonly string[] {
  if (findings.length === 0) return [];
  const rest = findings.length - FINDINGS_MAX;
  return [
    '',
    '### Findings',
    '',
    '| finding | on | what broke | to repeat it |',
    '|---|---|---|---|',
    ...findings.slice(0, FINDINGS_MAX).map((finding) => findingRow(finding, options)),
    ...(rest > 0 ? ['', `${counted(rest, 'more finding')} on the page.`] : []),
  ];
}

function findingRow(finding: Finding, options: CaseOptions): string {
  const place = `${escaped(finding.system)}, ${escaped(finding.profile)}`;
  const command = printable(options.replayCommand(finding)).replaceAll(/[`|\s]+/g, ' ');
  return `| ${finding.id} | ${place} | ${escaped(headlineOf(finding, options))} | \`${command}\` |`;
}

/** Text that Markdown takes as it is, in a cell of a table. */
function escaped(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|~#]/g, (character) => `\\${character}`)
    .replaceAll(/\s+/g, ' ');
}
