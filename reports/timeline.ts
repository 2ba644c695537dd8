import type { Event, Operation, OperationKind, Trace, Window } from '#vocabulary';
import { printEvent, printOperation, printOutcome } from '#vocabulary';
import type { Divergence, Finding, JudgedViolation } from '../properties/runner/verdict.ts';
import { callLines, callsBeside } from './calls.ts';
import { guestChanges, hostChanges } from './changes.ts';
import { parentChanges } from './parent-changes.ts';
import { windowsOf } from './timeline-windows.ts';

/** Who asks for an operation: the word before its dot. */
export type Actor = OperationKind extends infer Kind ? (Kind extends `${infer Name}.${string}` ? Name : never) : never;

/** What one system did with one operation, in words. */
export interface Answer {
  readonly outcome: string;
  /** What a VMM asked of the host, with the answers; empty where there is none. */
  readonly calls: readonly string[];
  readonly events: readonly EventWords[];
  /** What a guest now sees otherwise than before. */
  readonly guest: readonly string[];
  /** What is now observed of the host's devices otherwise than before. */
  readonly changes: readonly string[];
  /** The same of the parent of mdevs; empty where there are none. */
  readonly parent: readonly string[];
}

/** An event and the actor at which it shows: a raise at the device, a signal at the user, a message at the guest. */
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
  /** The windows that this operation opens or lies in. */
  readonly windows: readonly Window[];
}

/** Differences that the answers of a row do not show. */
export function untoldDivergences({ divergences, expected, got }: TimelineRow): readonly Divergence[] {
  const callsAreTold = callsBeside(got?.calls ?? [], expected?.calls ?? []).length > 0;
  return divergences.filter(({ path }) => (path === 'calls' ? !callsAreTold : path !== 'outcome' && path !== 'events'));
}

/** A finding as rows. */
export interface Timeline {
  /** What is observed before the first operation of the parent of mdevs; empty where there are none. */
  readonly parent: readonly string[];
  /** Divergences of the state before the first operation. */
  readonly before: readonly Divergence[];
  readonly rows: readonly TimelineRow[];
}

export function timelineOf({ scenario, judgement }: Finding): Timeline {
  const { reference, subject, divergences, violations } = judgement;
  const windows = windowsOf(scenario, [reference, subject]);
  return {
    parent: parentChanges(subject.initialParent),
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
        windows: windows[index] ?? [],
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
    calls: callLines(step.calls ?? []),
    events: step.events.map((event) => ({ actor: eventActor(event), words: printEvent(event) })),
    guest: guestChanges(before, step.observation),
    changes: hostChanges(before, step.observation),
    parent: parentChanges(step.parent),
  };
}

function eventActor(event: Event): Actor {
  switch (event.kind) {
    case 'raised':
      return 'device';
    case 'completed':
    case 'error':
    case 'revoked':
      return 'guest';
    case 'signalled':
      return 'vfio';
    case 'message':
      return 'guest';
  }
}
