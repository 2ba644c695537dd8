import type { Operation, OperationKind, Platform, Step, Support, Window } from '#vocabulary';

/** Something that must be seen now and then, or the generators are too weak for the promises to mean much. */
export interface Witness {
  /** What is seen, in a few words. Unique on a platform. */
  readonly name: string;
  /** It must be seen in one scenario of so many at least: about a third of how often it was seen. */
  readonly oneIn: number;
  /** What must be asked for it to be seen. */
  readonly needs: readonly OperationKind[];
  /** Whether it can be seen on a platform of its family at all; on every one when left out. */
  readonly isPossible?: (platform: Platform) => boolean;
  /** What it takes note of: steps of other kinds are not shown to it. Left out where it looks at every step. */
  readonly looksAt?: readonly OperationKind[];
  /** Looks at one scenario, step after step; whether this step completes what is to be seen. */
  readonly watch: () => Look;
}

/** Whether a step completes what is to be seen. */
export type Look = (operation: Operation, step: Step) => boolean;

/** A witness of a single step. */
export function atOnce(look: Look): Witness['watch'] {
  return () => look;
}

/** A witness of two steps about the same device, the second any time after the first. */
export function inTurn(first: Look, second: Look): Witness['watch'] {
  return () => {
    /** The devices of which the first was seen; none is nearly always all there is. */
    let begun: Set<number> | null = null;
    return (operation, step) => {
      if (begun !== null && 'device' in operation && begun.has(operation.device) && second(operation, step))
        return true;
      if (first(operation, step) && 'device' in operation) begun = (begun ?? new Set()).add(operation.device);
      return false;
    };
  };
}

/** Whether a system can be asked what it takes, and the platform can show it. */
export function isWatched(
  { needs, isPossible }: Witness,
  { operations }: Pick<Support, 'operations'>,
  platform: Platform,
): boolean {
  return needs.every((kind) => operations.has(kind)) && (isPossible === undefined || isPossible(platform));
}

export const isErrno = ({ outcome }: Step, errno: string): boolean =>
  outcome.kind === 'errno' && outcome.errno === errno;

export function hasEvent({ events }: Step, kind: Step['events'][number]['kind']): boolean {
  for (const event of events) if (event.kind === kind) return true;
  return false;
}

export function isRaisedIn(events: Step['events'], window: Window): boolean {
  for (const event of events) if (event.kind === 'raised' && event.window === window) return true;
  return false;
}
