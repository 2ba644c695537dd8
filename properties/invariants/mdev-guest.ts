import type { Event, Operation, Trace, Window } from '#vocabulary';
import type { MdevConfig } from './followed-parent.ts';
import { toldBy } from './mdev-interrupts.ts';
import { type MdevMoment, mdevMoments } from './mdev-moment.ts';

/**
 * A run of mdevs that a VMM shows as one of functions that raise: what a guest is owed does not depend on where its
 * interrupts come from. Each interrupt that a vector had to tell is raised once, and nothing else is.
 */
export function asRaises(config: MdevConfig, operations: readonly Operation[], trace: Trace): Trace {
  const steps = [...mdevMoments(config, operations, trace)].map((moment) => ({
    ...moment.step,
    events: [
      ...moment.step.events.flatMap((event) => raised(moment, event)),
      ...moment.step.events.filter(({ kind }) => kind === 'message'),
    ],
  }));
  return { ...trace, steps };
}

/** What happens while a VMM is at work for its guest may be before it has done what the guest wants. */
function raised(moment: MdevMoment, event: Event): Event[] {
  const told = toldBy(moment, event);
  if (told === null) return [];
  const { operation, step } = moment;
  const works = 'device' in operation && operation.device === told.device && (step.calls?.length ?? 0) > 0;
  const window: Window | null = works && operation.kind.startsWith('guest.') ? 'before-call' : null;
  return [{ kind: 'raised', device: told.device, vector: told.vector, window }];
}
