import type { DataElement, EventfdName } from '#vocabulary';
import { cite, declare } from '../cite.ts';

const CLAUSE = declare({
  notOpen: {
    id: 'vfio.eventfd.not-open',
    title: 'A descriptor that is not open is EBADF.',
    source: 'eventfd_ctx_fdget, Linux 6.1 and 6.12',
  },
  notEventfd: {
    id: 'vfio.eventfd.not-an-eventfd',
    title: 'An open descriptor that is not an eventfd is EINVAL.',
    source: 'eventfd_ctx_fileget, Linux 6.1 and 6.12',
  },
  signal: {
    id: 'vfio.eventfd.signal',
    title: 'A signal adds one to the count.',
    source: 'eventfd_signal, Linux 6.1 and 6.12',
  },
  closedByUser: {
    id: 'vfio.eventfd.closed-by-user',
    title:
      'A trigger keeps its own reference: closing the descriptor is no error and stops nothing, the signals go unseen.',
    source: 'eventfd_ctx_fdget, eventfd_ctx_put, Linux 6.1 and 6.12',
  },
});

/** One eventfd; the kernel holds it by reference, the user by descriptor. */
export interface Eventfd {
  readonly name: EventfdName;
  open: boolean;
}

/** The eventfds of one user. */
export interface Eventfds {
  /** By name, those whose descriptor is open. */
  readonly open: Map<EventfdName, Eventfd>;
  /** Counts that rose during the current step. */
  readonly signalled: Map<EventfdName, number>;
}

/** A user without eventfds. Source: ours, where a scenario starts. */
export function noEventfds(): Eventfds {
  return { open: new Map(), signalled: new Map() };
}

/**
 * Whether an element is a negative descriptor: EVENTFD data is signed, so 0xffffffff is -1.
 * Source: struct vfio_irq_set, include/uapi/linux/vfio.h, Linux 6.1 and 6.12.
 */
export function isNegative(element: DataElement): boolean {
  return typeof element === 'number' && (element | 0) < 0;
}

/** Looks a descriptor up, or says why it cannot be. */
export function eventfdLookup(eventfds: Eventfds, element: DataElement): Eventfd | 'EBADF' | 'EINVAL' {
  if (element === 'bad' || typeof element === 'number') {
    cite(CLAUSE.notOpen);
    return 'EBADF';
  }
  if (element === 'notEventfd') {
    cite(CLAUSE.notEventfd);
    return 'EINVAL';
  }
  const known = eventfds.open.get(element);
  if (known !== undefined) return known;
  const created: Eventfd = { name: element, open: true };
  eventfds.open.set(element, created);
  return created;
}

/** The kernel signals an eventfd once. */
export function signal(eventfds: Eventfds, eventfd: Eventfd): void {
  if (!eventfd.open) {
    cite(CLAUSE.closedByUser);
    return;
  }
  cite(CLAUSE.signal);
  eventfds.signalled.set(eventfd.name, (eventfds.signalled.get(eventfd.name) ?? 0) + 1);
}

/** The user closes a descriptor; the name stands for a new eventfd from here on. Source: close(2). */
export function closeEventfd(eventfds: Eventfds, name: EventfdName): void {
  const eventfd = eventfds.open.get(name);
  if (eventfd === undefined) return;
  eventfd.open = false;
  eventfds.open.delete(name);
}
