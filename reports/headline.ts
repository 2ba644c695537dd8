import type { Window } from '#vocabulary';
import type { Divergence, Finding, JudgedViolation } from '../properties/runner/verdict.ts';
import { shortened } from './calls.ts';
import { expectationSource, type Glossary, promiseOf } from './glossary.ts';
import { enumerated } from './layout.ts';

/** What each window is, for a legend. */
export const WINDOW_MEANINGS: Readonly<Record<Window, string>> = {
  'teardown-gap': 'MSI-X or MSI has been turned off, the next call is not made yet',
  'before-call': "the guest's write is done, the VMM has not made its first call yet",
  'after-set': 'the first call that set up MSI-X has returned to the VMM, which has not gone on yet',
};

/** What broke, in one plain sentence. */
export function headlineOf(finding: Finding, glossary: Glossary): string {
  switch (finding.verdict) {
    case 'divergence': {
      const { divergences } = finding.judgement;
      // A difference that was there before the first operation says least of what the finding is about.
      const divergence = divergences.find(({ step }) => step >= 0) ?? divergences[0];
      return divergence === undefined ? 'The answers differ.' : divergenceWords(divergence);
    }
    case 'violation': {
      const violation = violationOf(finding);
      return violation === undefined
        ? 'A promise is broken.'
        : `${violation.invariant} is broken: ${promiseOf(violation.invariant, glossary)}`;
    }
    case 'expected': {
      const violation = violationOf(finding);
      return violation === undefined
        ? 'A promise is broken, as expected.'
        : `${violation.invariant} is broken, as expected: ${promiseOf(violation.invariant, glossary)}`;
    }
    case 'unknown':
      return unknownWords(finding);
  }
}

/** The violation a finding is about: one that nobody expects, or for an `expected` finding one that somebody does. */
export function violationOf(finding: Finding): JudgedViolation | undefined {
  const wanted = finding.verdict === 'expected';
  return finding.judgement.violations.find(({ expectedBy }) => (expectedBy !== null) === wanted);
}

/** The place of a divergence and both answers. */
export function divergenceWords(divergence: Divergence): string {
  const { step } = divergence;
  const place = step === -1 ? 'The state at the start' : `Operation ${step}`;
  const { what, expected, got } = differenceOf(divergence);
  return `${place} differs from the reference in ${what}: expected ${expected || 'nothing'}, got ${got || 'nothing'}`;
}

/** A divergence beside its operation: what differs, and both answers. */
export function differenceWords(divergence: Divergence): string {
  const { what, expected, got } = differenceOf(divergence);
  return `${what}: expected ${expected}, got ${got}`;
}

interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

function differenceOf(divergence: Divergence): Difference {
  return divergence.path === 'calls' ? firstCall(divergence) : { what: divergence.path, ...divergence };
}

/** Of two lists of calls the first that differ: what follows, follows from them. */
function firstCall({ expected, got }: Divergence): Difference {
  const [left, right] = [callsIn(expected), callsIn(got)];
  const differing = left.findIndex((call, place) => call !== right[place]);
  const first = differing === -1 ? left.length : differing;
  return {
    what: `call ${first + 1} of the VMM`,
    expected: shortened(left[first] ?? 'no more'),
    got: shortened(right[first] ?? 'no more'),
  };
}

function callsIn(text: string): readonly string[] {
  return text === 'nothing' ? [] : text.split('; ');
}

function unknownWords({ judgement, scenario }: Finding): string {
  const last = judgement.subject.steps.length - 1;
  const outcome = judgement.subject.steps[last]?.outcome;
  if (outcome?.kind === 'unknown') {
    return outcome.reason === 'crash'
      ? `The system crashed at operation ${last}.`
      : `The system did not answer operation ${last} in time.`;
  }
  return `The system answered ${judgement.subject.steps.length} of ${scenario.operations.length} operations.`;
}

/** What a violation says, with the operations that it is made of besides the one at which it showed. */
export function violationWords({ message, causes, step }: JudgedViolation): string {
  const others = causes.filter((cause) => cause !== step);
  return others.length === 0 ? message : `${message} (with ${enumerated('operation', others)})`;
}

/** Why a violation is expected, with its source; null when nobody expects it. */
export function expectationWords(finding: Finding, violation: JudgedViolation, glossary: Glossary): string | null {
  if (violation.expectedBy === null) return null;
  const source = expectationSource(finding.profile, violation.invariant, violation.expectedBy, glossary);
  return `${violation.invariant} on ${finding.profile}, by ${violation.expectedBy}: ${source}`;
}

/** Which profile judged, and which one the subject behaves by when that is another. */
export function profileWords({ profile, subjectProfile }: Finding): string {
  return subjectProfile === profile ? profile : `${profile} (the system itself behaves as ${subjectProfile})`;
}
