import type { Event, Step, Window } from '#vocabulary';
import { toldBy } from './mdev-interrupts.ts';
import type { MdevMoment } from './mdev-moment.ts';

/**
 * A step of mdevs that a VMM shows as one of functions that raise: what a guest is owed does not depend on where its
 * interrupts come from. Each interrupt that a vector had to tell is raised once, and nothing else is.
 */
export function asRaises(moment: MdevMoment): Step {
  const { step } = moment;
  if (step.events.length === 0) return step;
  const raises = step.events.flatMap((event) => raised(moment, event));
  return { ...step, events: [...raises, ...step.events.filter(({ kind }) => kind === 'message')] };
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
