import { type Operation, printEvent, printOperation, printOutcome, type Trace } from '#vocabulary';

/** A run in which everything held: each operation with its answer. */
export function heldText(operations: readonly Operation[], { steps }: Trace, system: string): string {
  const lines = operations.map((operation, index) => {
    const step = steps[index];
    const answer = step === undefined ? [] : [printOutcome(step.outcome), ...step.events.map(printEvent)];
    return `  ${index}  ${printOperation(operation)}  ${answer.join(', ')}`;
  });
  return [...lines, `✓ Everything held on ${system}.`].join('\n');
}
