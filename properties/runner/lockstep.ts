import type { Platform, Scenario, System, Trace } from '#vocabulary';
import { specify } from '../../model/reference.ts';
import { type Expectation, expectationsOf } from '../expected.ts';
import { violations } from '../invariants/index.ts';
import type { Invariant, Violation } from '../invariants/invariant.ts';
import { compare } from './compare.ts';
import { completed } from './completed.ts';
import type { Divergence, Finding, JudgedViolation, Judgement } from './verdict.ts';

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
  const subjectScenario =
    terms.subjectPlatform === undefined ? scenario : withPlatform(scenario, terms.subjectPlatform);
  // A subject in another process works meanwhile.
  const running = subject.run(subjectScenario);
  const reference = specify(scenario);
  return judge(scenario, reference, await running, subject, terms);
}

/** Judges two recorded runs. Nothing is run: a saved run of a real kernel can be judged again. */
export function judge(
  scenario: Scenario,
  reference: Trace,
  subject: Trace,
  { name, precision }: Pick<System, 'name' | 'precision'>,
  { profile, invariants }: Terms,
): Judgement {
  const divergences = compare(scenario, reference, subject, precision);
  const shown = completed(subject, reference, precision);
  const found = violations(invariants, scenario.config, scenario.operations, shown);
  // Nearly always nothing is wrong, and nobody needs to know what is expected to be.
  if (divergences.length === 0 && found.length === 0 && !hasDied(subject))
    return { reference, subject, divergences, violations: [] };
  const expectations = expectationsOf(profile, name);
  const judged = found.map(
    (violation): JudgedViolation => ({ ...violation, expectedBy: expectedBy(violation, reference, expectations) }),
  );
  const fault = knownFault(reference, subject, divergences, expectations);
  if (fault === null) return { reference, subject, divergences, violations: judged };
  // What comes after a fault that is known says nothing new.
  return {
    reference,
    subject,
    divergences: divergences.filter(({ step }) => step < fault.step),
    violations: [...judged.filter(({ step }) => step < fault.step), fault],
  };
}

/** The first thing that the subject did otherwise, or died of, where that is expected of it. */
function knownFault(
  reference: Trace,
  subject: Trace,
  divergences: readonly Divergence[],
  expectations: readonly Expectation[],
): JudgedViolation | null {
  const died = hasDied(subject) ? subject.steps.length - 1 : Number.POSITIVE_INFINITY;
  const step = Math.min(died, divergences[0]?.step ?? Number.POSITIVE_INFINITY);
  const spoken = reference.steps[step]?.clauses ?? [];
  const expectation = expectations.find(
    ({ invariant, clause }) => invariant === 'conformance' && spoken.includes(clause),
  );
  if (expectation === undefined) return null;
  const message = died === step ? 'the system died of it' : `the system differs in its ${divergences[0]?.path}`;
  return { invariant: 'conformance', step, causes: [step], message, expectedBy: expectation.clause };
}

/** A system that died in a step says so in it, and there are no more. */
function hasDied({ steps }: Trace): boolean {
  return steps.at(-1)?.outcome.kind === 'unknown';
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

/** Whether the subject died, and not of what it is known to die of. */
export function isUnforeseenEnd(subject: Trace, violations: readonly JudgedViolation[]): boolean {
  if (!hasDied(subject)) return false;
  return !violations.some(({ invariant, step }) => invariant === 'conformance' && step === subject.steps.length - 1);
}

/** What came of a judgement, the worst first; `held` when nothing did. */
export function verdictOf({ divergences, violations, subject }: Judgement): Finding['verdict'] | 'held' {
  if (isUnforeseenEnd(subject, violations)) return 'unknown';
  if (violations.some(({ expectedBy }) => expectedBy === null))
    return divergences.length > 0 ? 'divergence' : 'violation';
  if (divergences.length > 0) return 'divergence';
  return violations.length > 0 ? 'expected' : 'held';
}
