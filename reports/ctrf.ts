import type { CampaignResult, RunResult } from '../properties/runner/verdict.ts';
import { type CaseOptions, type CaseVerdict, casesOf, type TestCase } from './cases.ts';

/** The version of the Common Test Report Format that is written. */
const SPEC_VERSION = '0.0.0';

type Status = 'passed' | 'failed' | 'skipped' | 'other';

/** One test of a report. Times are in milliseconds. */
interface CtrfTest {
  readonly name: string;
  readonly suite: readonly string[];
  readonly status: Status;
  /** Where `status` has no word for it. */
  readonly rawStatus?: string;
  readonly duration: number;
  readonly message?: string;
  readonly trace?: string;
}

/**
 * A run in the Common Test Report Format: the cases of the JUnit file. What the harness could not judge is `other`,
 * with the raw status `errored`. Shards of one run have one `runId`, as they have one seed.
 */
export function ctrfJson(run: RunResult, options: CaseOptions): string {
  const tests = run.results.flatMap((result) => casesOf(result, options).map((testCase) => testOf(result, testCase)));
  const count = (status: Status): number => tests.filter((test) => test.status === status).length;
  const start = Date.parse(run.startedAt);
  const duration = Math.round(run.seconds * 1000);
  const report = {
    reportFormat: 'CTRF',
    specVersion: SPEC_VERSION,
    runId: `vfio-irq-seed-${run.seed}`,
    timestamp: run.startedAt,
    generatedBy: 'vfio-irq-conformance',
    results: {
      tool: { name: 'vfio-irq' },
      summary: {
        tests: tests.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: 0,
        other: count('other'),
        suites: run.results.length,
        start,
        stop: start + duration,
        duration,
      },
      tests,
    },
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** A campaign judges all its cases at once: its time stands at the first of them. */
function testOf({ system, profile, seconds }: CampaignResult, { name, verdict }: TestCase): CtrfTest {
  const duration = name === 'conformance' ? Math.round(seconds * 1000) : 0;
  return { name, suite: [system, profile], ...statusOf(verdict), duration };
}

function statusOf(verdict: CaseVerdict): Pick<CtrfTest, 'status' | 'rawStatus' | 'message' | 'trace'> {
  switch (verdict.kind) {
    case 'passed':
      return { status: 'passed', ...(verdict.remark === undefined ? {} : { message: verdict.remark }) };
    case 'failed':
      return { status: 'failed', message: verdict.message, trace: verdict.details };
    case 'skipped':
      return { status: 'skipped', message: verdict.message };
    case 'errored':
      return { status: 'other', rawStatus: 'errored', message: verdict.message };
  }
}
