import { type Clause, type Observation, printChanges, printEvent, printOutcome, printRegisters } from '#vocabulary';
import type { Judgement } from '../properties/runner/verdict.ts';
import { callLines } from './calls.ts';
import { guestChanges } from './changes.ts';
import { parentChanges } from './parent-changes.ts';

/** A published story on one profile: operations, a VMM's calls and the answers, then what the promises say of it. */
export function storyText(
  { says, source }: { readonly says: string; readonly source: string },
  profile: string,
  operations: readonly string[],
  { subject, violations }: Judgement,
  clauses: readonly Clause[],
): string {
  const steps = storyLines(operations, { subject });
  const broken = violations.map(({ invariant, message, expectedBy }) => {
    const clause = clauses.find(({ id }) => id === expectedBy);
    return `  ✗ ${invariant}: ${message}\n    known: ${expectedBy} (${clause?.source})`;
  });
  const verdict = broken.length === 0 ? ['  ✓ every promise is kept'] : broken;
  const start = parentChanges(subject.initialParent).map((words) => `  start: ${words}`);
  return [says, `Source: ${source}. Profile: ${profile}.`, '', ...start, ...steps, '', ...verdict, ''].join('\n');
}

/** Each operation with the calls of a VMM and what came of it. */
export function storyLines(operations: readonly string[], { subject }: Pick<Judgement, 'subject'>): readonly string[] {
  return subject.steps.map(({ outcome, events, observation, parent, calls = [] }, index) => {
    const before = subject.steps[index - 1]?.observation ?? subject.initial;
    const changes = observation.flatMap((device, place) => {
      const words = printChanges(device);
      const at = place === 0 ? '' : ` @${place}`;
      return words === '' ? [] : [`${device.guest === undefined ? '' : 'host: '}${words}${at}`];
    });
    const answer = [
      printOutcome(outcome),
      ...events.map(printEvent),
      ...guestChanges(before, observation),
      ...registerChanges(before, observation),
      ...changes,
    ].join('; ');
    const asked = callLines(calls).map((call) => `       ${call}`);
    const facts = parentChanges(parent).map((words) => `       ${words}`);
    return [`  ${index}  ${operations[index]}`, ...asked, `     ${answer}`, ...facts].join('\n');
  });
}

function registerChanges(before: Observation, after: Observation): readonly string[] {
  return after.flatMap(({ registers }, device) =>
    before[device]?.registers === registers ? [] : [`registers ${printRegisters(registers)}`],
  );
}
