import type { CampaignResult, Finding } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { findingText } from './text.ts';

export interface CaseOptions extends Glossary {
  readonly replayCommand: (finding: Finding) => string;
}

/** What one promise came to on one system and profile. */
export type CaseVerdict =
  | { readonly kind: 'passed'; readonly remark?: string }
  | { readonly kind: 'failed'; readonly message: string; readonly details: string }
  | { readonly kind: 'skipped' | 'errored'; readonly message: string };

export interface TestCase {
  readonly name: string;
  readonly verdict: CaseVerdict;
}

/** The cases of a campaign for a CI: `conformance`, and every invariant that says something of its machines. */
export function casesOf(result: CampaignResult, options: CaseOptions): readonly TestCase[] {
  const promised = options.invariants.filter(({ isPromisedOn }) => isPromisedOn?.(result.profile) ?? true);
  return [
    { name: 'conformance', verdict: givenVerdict(result) ?? conformanceVerdict(result, options) },
    ...promised.map(({ id }) => ({
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

function conformanceVerdict({ divergences, findings }: CampaignResult, options: CaseOptions): CaseVerdict {
  const told = findings.filter(({ verdict }) => verdict === 'divergence' || verdict === 'unknown');
  if (divergences === 0 && told.length === 0) return { kind: 'passed' };
  const message =
    divergences === 0 ? 'the system crashed or hung' : `scenarios that differ from the reference: ${divergences}`;
  return { kind: 'failed', message, details: findingTexts(told, options) };
}

function invariantVerdict(id: string, result: CampaignResult, options: CaseOptions): CaseVerdict {
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

function findingTexts(findings: readonly Finding[], { replayCommand, ...glossary }: CaseOptions): string {
  return findings
    .map((finding) => findingText(finding, { ...glossary, replayCommand: replayCommand(finding) }))
    .join('\n\n');
}
