import type { Event, Operation, OperationKind, Step, Trace, VmmCall, Window } from '#vocabulary';
import { printEvent, printOperation, printOutcome } from '#vocabulary';
import type { Divergence, Finding, JudgedViolation } from '../properties/runner/verdict.ts';
import { callLines, callsBeside } from './calls.ts';
import { guestChanges, hostChanges } from './changes.ts';
import { parentChanges } from './parent-changes.ts';
import { fateWords, type Raise, raisesOf } from './raises.ts';
import { callsBefore, windowsOf } from './timeline-windows.ts';

/** Who asks for an operation: the word before its dot. */
export type Actor = OperationKind extends infer Kind ? (Kind extends `${infer Name}.${string}` ? Name : never) : never;

/** What one system did with one operation, in words. */
export interface Answer {
  readonly outcome: string;
  /** What a VMM asked of the host, with the answers; empty where there is none. */
  readonly calls: readonly string[];
  /** What a device did between the calls. */
  readonly gaps: readonly CallGap[];
  readonly events: readonly EventWords[];
  /** What a guest now sees otherwise than before. */
  readonly guest: readonly string[];
  /** What is now observed of the host's devices otherwise than before. */
  readonly changes: readonly string[];
  /** The same of the parent of mdevs; empty where there are none. */
  readonly parent: readonly string[];
}

/** A raise in a window between the calls of a VMM: before `calls[line]`. */
export interface CallGap {
  readonly line: number;
  readonly raise: Raise;
}

/** An event and the actor at which it shows: a raise at the device, a signal at the user, a message at the guest. */
export interface EventWords {
  readonly actor: Actor;
  readonly words: string;
  /** Of a raise its way to its end. */
  readonly raise?: Raise;
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
  /** Raises that were pending before the operation. */
  readonly waiting: readonly Raise[];
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
  const owed = raisesOf(scenario, reference, { violations: [], reference: [] });
  const raises = raisesOf(scenario, subject, { violations, reference: owed });
  return {
    parent: parentChanges(subject.initialParent),
    before: divergences.filter(({ step }) => step === -1),
    rows: scenario.operations.map((operation, index) => {
      const expected = answerOf(reference, index, owed);
      const got = answerOf(subject, index, raises);
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
        waiting: raises.filter(({ step, fate }) => step < index && (fate.kind === 'pending' || fate.at >= index)),
      };
    }),
  };
}

function actorOf(operation: Operation): Actor {
  return operation.kind.slice(0, operation.kind.indexOf('.')) as Actor;
}

function answerOf(trace: Trace, index: number, raises: readonly Raise[]): Answer | undefined {
  const step = trace.steps[index];
  if (step === undefined) return undefined;
  const before = trace.steps[index - 1]?.observation ?? trace.initial;
  return {
    outcome: printOutcome(step.outcome),
    ...callsOf(
      step.calls ?? [],
      raises.filter((raise) => raise.step === index),
    ),
    events: eventsOf(
      step,
      raises.filter((raise) => raise.step === index),
    ),
    guest: guestChanges(before, step.observation),
    changes: hostChanges(before, step.observation),
    parent: parentChanges(step.parent),
  };
}

/** The calls, broken where a device raised in between. */
function callsOf(calls: readonly VmmCall[], raises: readonly Raise[]): Pick<Answer, 'calls' | 'gaps'> {
  const placed = raises.flatMap((raise) =>
    raise.window === null || calls.length === 0 ? [] : [{ raise, place: callsBefore(calls, raise.window) }],
  );
  const lines: string[] = [];
  const gaps: CallGap[] = [];
  let from = 0;
  for (const { raise, place } of placed.sort((left, right) => left.place - right.place)) {
    lines.push(...callLines(calls.slice(from, place)));
    gaps.push({ line: lines.length, raise });
    from = place;
  }
  return { calls: [...lines, ...callLines(calls.slice(from))], gaps };
}

/** The words of all events; a raise says how it ended where that is not seen beside it. */
function eventsOf({ events }: Step, raises: readonly Raise[]): readonly EventWords[] {
  const left = [...raises];
  return events.map((event) => {
    const words = { actor: eventActor(event), words: printEvent(event) };
    if (event.kind !== 'raised') return words;
    const place = left.findIndex(({ device, vector }) => device === event.device && vector === event.vector);
    const [raise] = left.splice(place, 1);
    return raise === undefined ? words : { ...words, words: `${words.words}${fateWords(raise)}`, raise };
  });
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
