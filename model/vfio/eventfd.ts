import type { DataElement, Event, EventfdName } from '#vocabulary';
import { added } from '../added.ts';
import { cite, declare } from '../cite.ts';
import { digitOf, EventfdMap } from '../eventfd-map.ts';

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
  consumed: {
    id: 'vfio.eventfd.consumed',
    title: 'A count that the kernel waits for is read by the kernel, and the user does not see it.',
    source: 'virqfd_wakeup, eventfd_ctx_do_read, Linux 6.1 and 6.12',
  },
  closedByUser: {
    id: 'vfio.eventfd.closed-by-user',
    title:
      'A trigger keeps its own reference: closing the descriptor is no error and stops nothing, the signals go unseen.',
    source: 'eventfd_ctx_fdget, eventfd_ctx_put, Linux 6.1 and 6.12',
  },
});

/** What someone who reads an eventfd does when it is written, and when the user closes it. */
export interface Watcher {
  readonly written: () => void;
  readonly closed: () => void;
}

/** One eventfd; the kernel holds it by reference, the user by descriptor. */
export interface Eventfd {
  readonly name: EventfdName;
  /** The number in its name. */
  readonly number: number;
  open: boolean;
  /** How often it was signalled since that was last told. */
  count: number;
  /** Those in the kernel who read it, by whom they do it for. Null while there has been none. */
  watchers: Map<object, Watcher> | null;
}

/** The eventfds of one user. */
export interface Eventfds {
  /** By name, those whose descriptor is open. */
  readonly open: EventfdMap<Eventfd>;
  /** Those whose counts are not 0, in the order in which they rose; null where there are none. */
  signalled: Eventfd[] | null;
}

/** A user without eventfds. Source: ours, where a scenario starts. */
export function noEventfds(): Eventfds {
  return { open: new EventfdMap(), signalled: null };
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
  if (typeof element === 'number' || element === 'bad') {
    cite(CLAUSE.notOpen);
    return 'EBADF';
  }
  if (element === 'notEventfd') {
    cite(CLAUSE.notEventfd);
    return 'EINVAL';
  }
  return eventfds.open.get(element) ?? create(eventfds, element);
}

/** Source: eventfd(2). */
function create(eventfds: Eventfds, name: EventfdName): Eventfd {
  const created: Eventfd = { name, number: numberIn(name), open: true, count: 0, watchers: null };
  eventfds.open.set(name, created);
  return created;
}

/** Someone in the kernel reads the eventfd from now on. Source: vfs_poll, Linux 6.1 and 6.12. */
export function watch(eventfd: Eventfd, reader: object, watcher: Watcher): void {
  eventfd.watchers ??= new Map();
  eventfd.watchers.set(reader, watcher);
}

/** Source: eventfd_ctx_remove_wait_queue, Linux 6.1 and 6.12. */
export function unwatch(eventfd: Eventfd, reader: object): void {
  eventfd.watchers?.delete(reader);
  if (eventfd.watchers?.size === 0) eventfd.watchers = null;
}

/** The user adds 1 to an eventfd, and reads it back unless the kernel does. Source: write(2). */
export function writeEventfd(eventfds: Eventfds, name: EventfdName): void {
  signal(eventfds, eventfds.open.get(name) ?? create(eventfds, name));
}

/** An eventfd is signalled once. */
export function signal(eventfds: Eventfds, eventfd: Eventfd): void {
  if (!eventfd.open) {
    cite(CLAUSE.closedByUser);
    return;
  }
  if (eventfd.watchers !== null && eventfd.watchers.size > 0) {
    cite(CLAUSE.consumed);
    wake(eventfd.watchers);
    return;
  }
  cite(CLAUSE.signal);
  if (eventfd.count === 0) eventfds.signalled = added(eventfds.signalled, eventfd);
  eventfd.count += 1;
}

/**
 * Wakes each reader once. One that signals the eventfd it waits for goes on for ever in the kernel; here the user sees
 * its first signal, and that is that.
 * Source: virqfd_wakeup, Linux 6.1 and 6.12.
 */
function wake(watchers: Map<object, Watcher>): void {
  const woken = [...watchers];
  watchers.clear();
  for (const [, { written }] of woken) written();
  for (const [reader, watcher] of woken) watchers.set(reader, watcher);
}

/** The user closes a descriptor; the name stands for a new eventfd from here on. Source: close(2). */
export function closeEventfd(eventfds: Eventfds, name: EventfdName): void {
  const eventfd = eventfds.open.get(name);
  if (eventfd === undefined) return;
  eventfd.open = false;
  eventfds.open.delete(name);
  if (eventfd.watchers === null) return;
  for (const { closed } of eventfd.watchers.values()) closed();
  eventfd.watchers = null;
}

/** The counts that rose, by eventfd number; they are 0 again. Source: ours, as events are told. */
export function signalledEvents(eventfds: Eventfds): readonly Event[] {
  return eventfds.signalled === null ? [] : takeEvents(eventfds, eventfds.signalled);
}

/** Source: ours, as events are told. */
function takeEvents(eventfds: Eventfds, signalled: Eventfd[]): readonly Event[] {
  if (signalled.length > 1) signalled.sort((left, right) => left.number - right.number);
  // Most often one is signalled, and a list that is written down as one costs less than one that is filled.
  const [first] = signalled;
  const events = signalled.length === 1 && first !== undefined ? [eventOf(first)] : signalled.map(eventOf);
  resetCounts(eventfds, signalled);
  return events;
}

/** Source: ours, as events are told. */
function eventOf({ name, count }: Eventfd): Event {
  return { kind: 'signalled', eventfd: name, count };
}

/** Numbers of eventfds by their names: to read one is dear, and there are few. */
const numbers = new Map<EventfdName, number>();

/** Source: ours, how a scenario names eventfds. */
function numberIn(name: EventfdName): number {
  const digit = digitOf(name);
  if (digit !== -1) return digit;
  const known = numbers.get(name);
  if (known !== undefined) return known;
  const number = Number(name.slice(1));
  numbers.set(name, number);
  return number;
}

/** Whoever reads the eventfds has read them. Source: eventfd_read, Linux 6.1 and 6.12. */
export function forgetSignals(eventfds: Eventfds): void {
  if (eventfds.signalled !== null) resetCounts(eventfds, eventfds.signalled);
}

/** Source: eventfd_read, Linux 6.1 and 6.12. */
function resetCounts(eventfds: Eventfds, signalled: readonly Eventfd[]): void {
  for (const eventfd of signalled) eventfd.count = 0;
  eventfds.signalled = null;
}
