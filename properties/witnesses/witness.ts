import type { Config, Operation, OperationKind, Platform, Step, Support } from '#vocabulary';

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
  /** Looks at one scenario, step after step; whether this step completes what is to be seen. */
  readonly watch: (config: Config) => (operation: Operation, step: Step) => boolean;
}

/** A witness of a single step. */
export function atOnce(look: (operation: Operation, step: Step) => boolean): Witness['watch'] {
  return () => look;
}

/** A witness of two steps about the same device, the second any time after the first. */
export function inTurn(
  first: (operation: Operation, step: Step) => boolean,
  second: (operation: Operation, step: Step) => boolean,
): Witness['watch'] {
  return () => {
    const begun = new Set<number>();
    return (operation, step) => {
      if (!('device' in operation)) return false;
      if (begun.has(operation.device) && second(operation, step)) return true;
      if (first(operation, step)) begun.add(operation.device);
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

export const hasEvent = ({ events }: Step, kind: Step['events'][number]['kind']): boolean =>
  events.some((event) => event.kind === kind);
