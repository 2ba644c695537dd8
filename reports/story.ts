import { type Clause, type Observation, printChanges, printEvent, printOutcome, printRegisters } from '#vocabulary';
import type { Judgement } from '../properties/runner/verdict.ts';

/** A published story on one profile: each operation with its answer, then what the promises say of it. */
export function storyText(
  { says, source }: { readonly says: string; readonly source: string },
  profile: string,
  operations: readonly string[],
  { subject, violations }: Judgement,
  clauses: readonly Clause[],
): string {
  const steps = subject.steps.map(({ outcome, events, observation }, index) => {
    const before = subject.steps[index - 1]?.observation ?? subject.initial;
    const changes = observation.map(printChanges).filter((text) => text !== '');
    const answer = [
      printOutcome(outcome),
      ...events.map(printEvent),
      ...registerChanges(before, observation),
      ...changes,
    ].join('; ');
    return `  ${index}  ${operations[index]}\n     ${answer}`;
  });
  const broken = violations.map(({ invariant, message, expectedBy }) => {
    const clause = clauses.find(({ id }) => id === expectedBy);
    return `  ✗ ${invariant}: ${message}\n    known: ${expectedBy} (${clause?.source})`;
  });
  const verdict = broken.length === 0 ? ['  ✓ every promise is kept'] : broken;
  return [says, `Source: ${source}. Profile: ${profile}.`, '', ...steps, '', ...verdict, ''].join('\n');
}

function registerChanges(before: Observation, after: Observation): readonly string[] {
  return after.flatMap(({ registers }, device) =>
    before[device]?.registers === registers ? [] : [`registers ${printRegisters(registers)}`],
  );
}
