import { validate } from 'ctrf';
import { describe, expect, it } from 'vitest';
import { glossary } from '../commands/shown.ts';
import { specify } from '../model/reference.ts';
import { NO_COVERAGE } from '../properties/runner/coverage.ts';
import { writeFinding } from '../properties/runner/record.ts';
import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import { ctrfJson } from './ctrf.ts';
import { GOLDEN_FINDINGS, goldenFile, goldenFinding } from './golden-findings.ts';
import { htmlPage } from './html.ts';
import { junitXml } from './junit.ts';
import { stepSummary } from './step-summary.ts';
import { findingText } from './text.ts';

const FILES = new Map(GOLDEN_FINDINGS.map((name) => [goldenFinding(name).id, goldenFile(name)]));
const replayCommand = ({ id }: Finding): string => `npm start -- replay ${FILES.get(id)}`;
const OPTIONS = { ...glossary(), replayCommand };

/** A campaign that found one thing. */
function resultOf(finding: Finding): CampaignResult {
  const { id, system, profile, judgement } = finding;
  const isBroken = finding.verdict !== 'expected';
  const first = judgement.violations.find(({ expectedBy }) => (expectedBy === null) === isBroken);
  return {
    ...{ system, profile, verdict: isBroken ? 'fail' : 'pass', scenarios: 100, operations: 3000, seconds: 0.5 },
    divergences: judgement.divergences.length === 0 ? 0 : 1,
    violations:
      first === undefined ? [] : [{ invariant: first.invariant, clause: first.expectedBy, count: 1, findings: [id] }],
    findings: [finding],
    clauses: {},
    coverage: NO_COVERAGE,
  };
}

const RUN: RunResult = {
  seed: 4,
  shard: { index: 1, count: 1 },
  startedAt: '2025-11-21T08:30:00.000Z',
  environment: { node: 'v20.20.2', platform: 'linux x64', kernel: '6.12.63', cpus: 4 },
  command: 'npm start -- run --seed 4',
  invariants: [],
  seconds: 2,
  results: GOLDEN_FINDINGS.map((name) => resultOf(goldenFinding(name))),
};

/** The part of the page that tells a finding. */
function article(page: string, id: string): string {
  return new RegExp(`<article [^>]*id="finding-${id}"[\\s\\S]*?</article>`).exec(page)?.[0] ?? 'none';
}

describe.each(GOLDEN_FINDINGS)('the finding %s', (name) => {
  const finding = goldenFinding(name);

  it('is what the model says today', () => {
    const { reference } = finding.judgement;
    const withoutClauses = (steps: typeof reference.steps): readonly object[] =>
      steps.map((step) => ({ ...step, clauses: [] }));
    expect(withoutClauses(specify(finding.scenario).steps)).toEqual(withoutClauses(reference.steps));
    expect(writeFinding(finding)).toContain(`"id":"${finding.id}"`);
  });

  it('is told on a terminal', async () => {
    const text = findingText(finding, { ...OPTIONS, replayCommand: replayCommand(finding) });
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/findings/${name}.txt`);
  });

  it('is told on the page', async () => {
    const rows = article(htmlPage(RUN, OPTIONS), finding.id);
    expect(rows).toContain('<table');
    await expect(`${rows}\n`).toMatchFileSnapshot(`golden/findings/${name}.html`);
  });
});

describe('a run of these findings', () => {
  it('is JUnit', async () => {
    await expect(junitXml(RUN, OPTIONS)).toMatchFileSnapshot('golden/findings/junit.xml');
  });

  it('is CTRF', async () => {
    const text = ctrfJson(RUN, OPTIONS);
    expect(validate(JSON.parse(text))).toEqual({ valid: true, errors: [] });
    await expect(text).toMatchFileSnapshot('golden/findings/ctrf.json');
  });

  it('is a summary of a GitHub job', async () => {
    await expect(stepSummary(RUN, OPTIONS)).toMatchFileSnapshot('golden/findings/step-summary.md');
  });
});
