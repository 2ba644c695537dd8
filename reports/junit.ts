import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { type Markup, markup } from './markup.ts';
import { findingText } from './text.ts';

export interface JunitOptions extends Glossary {
  readonly replayCommand: (finding: Finding) => string;
}

/** What one testcase came to. */
type CaseVerdict =
  | { readonly kind: 'passed'; readonly remark?: string }
  | { readonly kind: 'failed'; readonly message: string; readonly details: string }
  | { readonly kind: 'skipped' | 'errored'; readonly message: string };

interface TestCase {
  readonly name: string;
  readonly verdict: CaseVerdict;
}

/** JUnit XML: a suite per system and profile; in it `conformance` and every invariant as a case. */
export function junitXml(run: RunResult, options: JunitOptions): string {
  const suites = run.results.map((result) => ({ result, cases: casesOf(result, options) }));
  const cases = suites.flatMap((suite) => suite.cases);
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="vfio-irq" ${counts(cases)} time="${run.seconds.toFixed(3)}">
${suites.map((suite) => suiteMarkup(suite.result, suite.cases, run.startedAt))}</testsuites>
`.markup;
}

function casesOf(result: CampaignResult, options: JunitOptions): readonly TestCase[] {
  return [
    { name: 'conformance', verdict: givenVerdict(result) ?? conformanceVerdict(result, options) },
    ...options.invariants.map(({ id }) => ({
      name: id,
      verdict: givenVerdict(result) ?? invariantVerdict(id, result, options),
    })),
  ];
}

/** The verdict of every case of a system that was not judged. */
function givenVerdict({ verdict, reason }: CampaignResult): CaseVerdict | undefined {
  switch (verdict) {
    case 'pass':
    case 'fail':
      return undefined;
    case 'skipped':
    case 'errored':
      return { kind: verdict, message: reason ?? 'no reason was given' };
  }
}

function conformanceVerdict({ divergences, findings }: CampaignResult, options: JunitOptions): CaseVerdict {
  const told = findings.filter(({ verdict }) => verdict === 'divergence' || verdict === 'unknown');
  if (divergences === 0 && told.length === 0) return { kind: 'passed' };
  const message =
    divergences === 0 ? 'the system crashed or hung' : `scenarios that differ from the reference: ${divergences}`;
  return { kind: 'failed', message, details: findingTexts(told, options) };
}

function invariantVerdict(id: string, result: CampaignResult, options: JunitOptions): CaseVerdict {
  const violations = result.violations.filter(({ invariant }) => invariant === id);
  const unexpected = violations.filter(({ clause, count }) => clause === null && count > 0);
  const gone = violations.flatMap(({ clause, count }) => (clause !== null && count === 0 ? [clause] : []));
  const found = violations.flatMap(({ clause, count }) => (clause !== null && count > 0 ? [clause] : []));
  if (unexpected.length > 0) {
    const ids = new Set(unexpected.flatMap(({ findings }) => findings));
    const count = unexpected.reduce((sum, violation) => sum + violation.count, 0);
    const told = result.findings.filter((finding) => ids.has(finding.id));
    return { kind: 'failed', message: `scenarios that break it: ${count}`, details: findingTexts(told, options) };
  }
  if (gone.length > 0) {
    return { kind: 'failed', message: `an expected violation no longer occurs: ${gone.join(', ')}`, details: '' };
  }
  return found.length === 0
    ? { kind: 'passed' }
    : { kind: 'passed', remark: `broken as expected by ${found.join(', ')}` };
}

function findingTexts(findings: readonly Finding[], { replayCommand, ...glossary }: JunitOptions): string {
  return findings
    .map((finding) => findingText(finding, { ...glossary, replayCommand: replayCommand(finding) }))
    .join('\n\n');
}

function counts(cases: readonly TestCase[]): Markup {
  const count = (kind: CaseVerdict['kind']): number => cases.filter(({ verdict }) => verdict.kind === kind).length;
  const troubles = markup`failures="${count('failed')}" errors="${count('errored')}" skipped="${count('skipped')}"`;
  return markup`tests="${cases.length}" ${troubles}`;
}

function suiteMarkup(result: CampaignResult, cases: readonly TestCase[], startedAt: string): Markup {
  const name = `${result.system} ${result.profile}`;
  const when = markup`time="${result.seconds.toFixed(3)}" timestamp="${startedAt}"`;
  return markup`  <testsuite name="${name}" ${counts(cases)} ${when}>
${cases.map((testCase) => caseMarkup(name, testCase))}  </testsuite>
`;
}

function caseMarkup(suite: string, { name, verdict }: TestCase): Markup {
  return markup`    <testcase classname="${suite}" name="${name}">${verdictMarkup(verdict)}</testcase>
`;
}

function verdictMarkup(verdict: CaseVerdict): Markup {
  switch (verdict.kind) {
    case 'passed':
      return verdict.remark === undefined ? markup`` : markup`<system-out>${verdict.remark}</system-out>`;
    case 'failed':
      return markup`<failure message="${verdict.message}">${verdict.details}</failure>`;
    case 'skipped':
      return markup`<skipped message="${verdict.message}"/>`;
    case 'errored':
      return markup`<error message="${verdict.message}"/>`;
  }
}
