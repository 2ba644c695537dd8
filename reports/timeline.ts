import type { DeviceObservation, Event, Observation, Operation, OperationKind, Step, Trace, Window } from '#vocabulary';
import {
  deviceOf,
  printChanges,
  printEvent,
  printOperation,
  printOutcome,
  printRegisters,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import type { Divergence, Finding, JudgedViolation } from '../properties/runner/verdict.ts';

/** Who asks for an operation: the word before its dot. */
export type Actor = OperationKind extends infer Kind ? (Kind extends `${infer Name}.${string}` ? Name : never) : never;

/** What one system did with one operation, in words. */
export interface Answer {
  readonly outcome: string;
  readonly events: readonly EventWords[];
  /** What is now observed otherwise than before. */
  readonly changes: readonly string[];
}

/** An event and the actor at which it shows: a raise at the device, a signal at the user of vfio. */
export interface EventWords {
  readonly actor: Actor;
  readonly words: string;
}

/** A violation seen from one row: `place` where it showed, `cause` where it is only part of the story. */
export interface Pointer {
  readonly kind: 'place' | 'cause';
  readonly violation: JudgedViolation;
}

export interface TimelineRow {
  readonly index: number;
  readonly actor: Actor;
  readonly operation: string;
  /** The reference's answer; undefined when it was not asked. */
  readonly expected: Answer | undefined;
  /** The subject's answer; undefined when it was not asked, because it did not live so long. */
  readonly got: Answer | undefined;
  /** As the comparer saw it, which does not compare what the subject cannot show. */
  readonly divergences: readonly Divergence[];
  readonly differs: boolean;
  /** Ids of the clauses that spoke. */
  readonly clauses: readonly string[];
  readonly pointers: readonly Pointer[];
  /** The window that this operation opens or lies in. */
  readonly window: Window | undefined;
}

/** A finding as rows. */
export interface Timeline {
  /** Divergences of the state before the first operation. */
  readonly before: readonly Divergence[];
  readonly rows: readonly TimelineRow[];
}

export function timelineOf({ scenario, judgement }: Finding): Timeline {
  const { reference, subject, divergences, violations } = judgement;
  const windows = windowsOf(scenario.operations, [reference, subject]);
  return {
    before: divergences.filter(({ step }) => step === -1),
    rows: scenario.operations.map((operation, index) => {
      const expected = answerOf(reference, index);
      const got = answerOf(subject, index);
      const divergencesHere = divergences.filter(({ step }) => step === index);
      return {
        index,
        actor: actorOf(operation),
        operation: printOperation(operation),
        expected,
        got,
        divergences: divergencesHere,
        differs: divergencesHere.length > 0 || subject.steps[index]?.outcome.kind === 'unknown',
        clauses: reference.steps[index]?.clauses ?? [],
        pointers: violations
          .filter(({ causes }) => causes.includes(index))
          .map((violation) => ({
            kind: violation.step === index ? 'place' : 'cause',
            violation,
          })),
        window: windows[index],
      };
    }),
  };
}

function actorOf(operation: Operation): Actor {
  return operation.kind.slice(0, operation.kind.indexOf('.')) as Actor;
}

function answerOf(trace: Trace, index: number): Answer | undefined {
  const step = trace.steps[index];
  if (step === undefined) return undefined;
  const before = trace.steps[index - 1]?.observation ?? trace.initial;
  return {
    outcome: printOutcome(step.outcome),
    events: step.events.map((event) => ({ actor: eventActor(event), words: printEvent(event) })),
    changes: changesOf(before, step.observation),
  };
}

function eventActor(event: Event): Actor {
  switch (event.kind) {
    case 'raised':
      return 'device';
    case 'signalled':
      return 'vfio';
  }
}

function changesOf(before: Observation, after: Observation): readonly string[] {
  return after.flatMap((device, index) => {
    const at = index === 0 ? '' : ` @${index}`;
    return [...controlChanges(before[index], device), ...vectorChanges(device)].map((words) => `${words}${at}`);
  });
}

function controlChanges(before: DeviceObservation | undefined, after: DeviceObservation): readonly string[] {
  const changes: string[] = [];
  if (before?.enable !== after.enable) changes.push(after.enable ? 'MSI-X on' : 'MSI-X off');
  if ((before?.registers ?? 0) !== after.registers) changes.push(`registers ${printRegisters(after.registers)}`);
  if (before?.functionMask !== after.functionMask)
    changes.push(after.functionMask ? 'function masked' : 'function unmasked');
  if (before?.msixInfoFlags !== after.msixInfoFlags) changes.push(`MSI-X info flags ${after.msixInfoFlags}`);
  return changes;
}

function vectorChanges(device: DeviceObservation): readonly string[] {
  return device.changes.length === 0 ? [] : [printChanges(device)];
}

/**
 * The window at each operation. It opens with the call that turned MSI-X or MSI off, and lasts until the next call on
 * the same device; what other actors do meanwhile happens in it.
 */
function windowsOf(operations: readonly Operation[], traces: readonly Trace[]): readonly (Window | undefined)[] {
  const open = new Map<number, Window>();
  return operations.map((operation, index) => {
    const device = deviceOf(operation);
    if (device === undefined) return open.values().next().value;
    if (actorOf(operation) === 'vfio') open.delete(device);
    for (const trace of traces) {
      const opened = openedBy(operation, trace.steps[index]);
      if (opened !== undefined) open.set(device, opened);
    }
    return open.get(device);
  });
}

function openedBy(operation: Operation, step: Step | undefined): Window | undefined {
  if (step === undefined) return undefined;
  for (const event of step.events) {
    if (event.kind === 'raised' && event.window !== null) return event.window;
  }
  return turnsVectorsOff(operation) && step.outcome.kind === 'ok' ? 'teardown-gap' : undefined;
}

function turnsVectorsOff(operation: Operation): boolean {
  return (
    operation.kind === 'vfio.setIrqs' &&
    (operation.index === VFIO_PCI_MSIX_IRQ_INDEX || operation.index === VFIO_PCI_MSI_IRQ_INDEX) &&
    operation.flags === (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER) &&
    operation.count === 0
  );
}
