import type { Scenario } from '#vocabulary';
import { isUnforeseenEnd } from './lockstep.ts';
import type { Finding, Judgement } from './verdict.ts';

/** What kinds of failure a judgement shows: two failures of one kind are told once. */
export function signatures(
  { operations }: Scenario,
  { divergences, violations, subject }: Judgement,
): readonly string[] {
  if (isUnforeseenEnd(subject, violations)) return ['unknown'];
  if (divergences.length === 0 && violations.length === 0) return [];
  const unexpected = violations.filter(({ expectedBy }) => expectedBy === null).map(({ invariant }) => invariant);
  const expected = violations.flatMap(({ invariant, expectedBy }) =>
    expectedBy === null ? [] : [`expected ${invariant} ${expectedBy}`],
  );
  return [
    ...new Set([
      ...divergenceSignature(operations, divergences),
      ...unexpected.map((id) => `violation ${id}`),
      ...expected,
    ]),
  ];
}

/**
 * The first divergence stands for those that follow from it; one before the first operation for itself alone.
 * Numbers are left out, so that one fault is one finding and shrinking is free to change them.
 */
function divergenceSignature(operations: Scenario['operations'], divergences: Judgement['divergences']): string[] {
  const atStart = divergences.find(({ step }) => step === -1);
  const afterwards = divergences.find(({ step }) => step >= 0);
  return [atStart, afterwards].flatMap((first) => (first === undefined ? [] : [signatureOf(operations, first)]));
}

function signatureOf(operations: Scenario['operations'], first: Judgement['divergences'][number]): string {
  const kind = operations[first.step]?.kind ?? 'start';
  return `divergence ${kind} ${first.path} ${first.expected} / ${first.got}`.replace(/\d+/g, 'N');
}

export function verdictOf(signature: string): Finding['verdict'] {
  const [word] = signature.split(' ');
  if (word === 'divergence' || word === 'violation' || word === 'unknown' || word === 'expected') return word;
  throw new Error(`no verdict begins with ${word}`);
}
