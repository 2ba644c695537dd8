import type { Platform, Precision, Scenario, System, Trace } from '#vocabulary';
import { specify } from '../../model/reference.ts';
import { EXPECTATIONS, type Expectation } from '../expected.ts';
import { violations } from '../invariants/index.ts';
import type { Invariant, Violation } from '../invariants/invariant.ts';
import { compare } from './compare.ts';
import type { Finding, JudgedViolation, Judgement } from './verdict.ts';

/** What a scenario is judged by. */
export interface Terms {
  /** Whose expected violations count. */
  readonly profile: string;
  readonly invariants: readonly Invariant[];
  /** How the subject's platform behaves, where that was set against the profile on purpose; else as the Config says. */
  readonly subjectPlatform?: Platform;
}

/** Runs a scenario on the reference and the subject side by side and judges it. */
export async function lockstep(subject: System, scenario: Scenario, terms: Terms): Promise<Judgement> {
  const reference = specify(scenario);
  const subjectScenario =
    terms.subjectPlatform === undefined ? scenario : withPlatform(scenario, terms.subjectPlatform);
  const trace = await subject.run(subjectScenario);
  return judge(scenario, reference, trace, subject.precision, terms);
}

/** Judges two recorded runs. Nothing is run: a saved run of a real kernel can be judged again. */
export function judge(
  scenario: Scenario,
  reference: Trace,
  subject: Trace,
  precision: Precision,
  { profile, invariants }: Terms,
): Judgement {
  const expectations = EXPECTATIONS.filter((expectation) => expectation.profile === profile);
  return {
    reference,
    subject,
    divergences: compare(scenario, reference, subject, precision),
    violations: violations(invariants, scenario.config, scenario.operations, subject).map(
      (violation): JudgedViolation => ({ ...violation, expectedBy: expectedBy(violation, reference, expectations) }),
    ),
  };
}

/** The clause that explains a violation: it spoke in the reference at one of the causes. */
function expectedBy(violation: Violation, reference: Trace, expectations: readonly Expectation[]): string | null {
  const expectation = expectations.find(
    ({ invariant, clause }) =>
      invariant === violation.invariant &&
      violation.causes.some((cause) => reference.steps[cause]?.clauses.includes(clause)),
  );
  return expectation?.clause ?? null;
}

function withPlatform({ config, operations }: Scenario, platform: Platform): Scenario {
  return { config: { ...config, ...platform }, operations };
}

/** What came of a judgement, the worst first; `held` when nothing did. */
export function verdictOf({ divergences, violations, subject }: Judgement): Finding['verdict'] | 'held' {
  if (subject.steps.at(-1)?.outcome.kind === 'unknown') return 'unknown';
  if (violations.some(({ expectedBy }) => expectedBy === null))
    return divergences.length > 0 ? 'divergence' : 'violation';
  if (divergences.length > 0) return 'divergence';
  return violations.length > 0 ? 'expected' : 'held';
}
