import type { CampaignResult, RunResult } from '../properties/runner/verdict.ts';
import { type CaseOptions, type CaseVerdict, casesOf, type TestCase } from './cases.ts';
import { type Markup, markup } from './markup.ts';

/** JUnit XML: a suite per system and profile; in it `conformance` and every invariant as a case. */
export function junitXml(run: RunResult, options: CaseOptions): string {
  const suites = run.results.map((result) => ({ result, cases: casesOf(result, options) }));
  const cases = suites.flatMap((suite) => suite.cases);
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="vfio-irq" ${counts(cases)} time="${run.seconds.toFixed(3)}">
${suites.map((suite) => suiteMarkup(suite.result, suite.cases, run.startedAt))}</testsuites>
`.markup;
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
