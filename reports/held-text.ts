import { type Operation, printEvent, printOperation, printOutcome, type Step, type Trace } from '#vocabulary';
import { callLines } from './calls.ts';
import { guestChanges } from './changes.ts';

/** A run in which everything held: each operation with its answer, and the calls of a VMM beneath. */
export function heldText(operations: readonly Operation[], trace: Trace, system: string): string {
  const lines = operations.flatMap((operation, index) => {
    const step = trace.steps[index];
    const answer = step === undefined ? [] : answerWords(step, trace.steps[index - 1]?.observation ?? trace.initial);
    const calls = callLines(step?.calls ?? []).map((call) => `       ${call}`);
    return [`  ${index}  ${printOperation(operation)}  ${answer.join(', ')}`, ...calls];
  });
  return [...lines, `✓ Everything held on ${system}.`].join('\n');
}

function answerWords({ outcome, events, observation }: Step, before: Trace['initial']): readonly string[] {
  return [printOutcome(outcome), ...events.map(printEvent), ...guestChanges(before, observation)];
}
