import { type Clause, type Observation, printChanges, printEvent, printOutcome, printRegisters } from '#vocabulary';
import type { Judgement } from '../properties/runner/verdict.ts';
import { callLines } from './calls.ts';
import { guestChanges } from './changes.ts';

/** A published story on one profile: operations, a VMM's calls and the answers, then what the promises say of it. */
export function storyText(
  { says, source }: { readonly says: string; readonly source: string },
  profile: string,
  operations: readonly string[],
  { subject, violations }: Judgement,
  clauses: readonly Clause[],
): string {
  const steps = subject.steps.map(({ outcome, events, observation, calls = [] }, index) => {
    const before = subject.steps[index - 1]?.observation ?? subject.initial;
    const changes = observation.flatMap((device) => {
      const words = printChanges(device);
      return words === '' ? [] : [device.guest === undefined ? words : `host: ${words}`];
    });
    const answer = [
      printOutcome(outcome),
      ...events.map(printEvent),
      ...guestChanges(before, observation),
      ...registerChanges(before, observation),
      ...changes,
    ].join('; ');
    const asked = callLines(calls).map((call) => `       ${call}`);
    return [`  ${index}  ${operations[index]}`, ...asked, `     ${answer}`].join('\n');
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
