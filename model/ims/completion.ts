import { ABANDONED, type GuestSubmit, INVALID_INTERRUPT_HANDLE, SUCCESS } from '#vocabulary';
import { added } from '../added.ts';
import { cite, declare } from '../cite.ts';
import { emulatedEvent, messageArrives } from './interrupt.ts';
import { entryAt, type Mdev, type ParentState, setEntry, type Work } from './parent.ts';
import { dropPasid, takePasid } from './pasid.ts';
import { translate } from './translation.ts';

const CLAUSE = declare({
  dedicated: {
    id: 'ims.completion.dedicated-queue',
    title: 'A descriptor of the dedicated queue carries the default PASID of the mdev.',
    source: 'DSA 3.0, 5.4 and 7.5.3',
  },
  shared: {
    id: 'ims.completion.shared-queue',
    title:
      'A descriptor of the shared queue carries what the CPU translates its PASID to; one not bound is the default.',
    source: 'ENQCMD in DSA 3.0, 7.5.3; "/dev/ioasid" RFC of 2021, 1.4.2 (W19)',
  },
  refused: {
    id: 'ims.completion.refused',
    title: 'A descriptor whose handle or PASID is not that of the entry is not executed: status 0x19, no interrupt.',
    source: 'DSA 3.0, 5.4, table 5-2',
  },
  reported: {
    id: 'ims.completion.reported',
    title: 'A refusal is told to the mdev that submitted it and to no other, with the PASID as its guest calls it.',
    source: 'DSA 3.0, 7.5.8; the error paths of the idxd drivers of 2020 and 2021 (W18)',
  },
  notAsked: {
    id: 'ims.completion.no-interrupt-asked',
    title: 'A descriptor that does not ask for a completion interrupt is not checked against an entry.',
    source: 'Request Completion Interrupt, DSA 3.0, 5.4',
  },
  passed: {
    id: 'ims.completion.passed',
    title: 'Handle and PASID are checked when a descriptor is begun; it remembers the entry, not what that said.',
    source: 'DSA 3.0, 5.4 (W3)',
  },
  ignored: {
    id: 'ims.completion.ignored',
    title: 'A completion on an entry with Ignore makes no interrupt and sets no pending bit.',
    source: 'DSA 3.0, 5.4',
  },
  masked: {
    id: 'ims.completion.masked',
    title: 'A completion on a masked entry sets its pending bit; a second one adds nothing.',
    source: 'DSA 3.0, 5.4',
  },
  fired: {
    id: 'ims.completion.fired',
    title: 'A completion on an open entry sends the message that the entry has at that time.',
    source: 'DSA 3.0, 5.4',
  },
  drained: {
    id: 'ims.completion.drained',
    title: 'Before an entry changes hands or PASID, every descriptor that passed its check there has completed.',
    source: 'Drain in DSA 3.0, 5.8 and 7.5.7 (W3)',
  },
  abandoned: {
    id: 'ims.completion.abandoned',
    title: 'When the queues of an mdev stop, what was begun completes and what was not is abandoned.',
    source: 'Abort and Drain in DSA 3.0, 5.8',
  },
});

/** A descriptor reaches a queue. Source: DSA 3.0, 3.3 (portals and queues). */
export function submit(parent: ParentState, mdev: Mdev, operation: GuestSubmit): 0 | 'EBUSY' | 'ENODEV' {
  if (parent.work.has(operation.descriptor)) return 'EBUSY';
  if (mdev.defaultPasid === 0) return 'ENODEV';
  const { descriptor, queue, handle } = operation;
  const pasid = carriedPasid(parent, mdev, operation);
  takePasid(parent, pasid);
  parent.work.set(descriptor, {
    device: mdev.index,
    pasid,
    guestPasid: queue === 'shared' ? operation.pasid : 0,
    handle,
    rci: operation.rci !== false,
    started: false,
    entry: null,
  });
  return 0;
}

function carriedPasid(parent: ParentState, mdev: Mdev, { queue, pasid }: GuestSubmit): number {
  if (queue === 'dedicated') {
    cite(CLAUSE.dedicated);
    return mdev.defaultPasid;
  }
  cite(CLAUSE.shared);
  return translate(parent, mdev, pasid) ?? mdev.defaultPasid;
}

/** The hardware begins with a descriptor. */
export function start(parent: ParentState, descriptor: number): 0 | 'EINVAL' {
  const work = parent.work.get(descriptor);
  if (work === undefined || work.started) return 'EINVAL';
  if (!work.rci) {
    cite(CLAUSE.notAsked);
    parent.work.set(descriptor, { ...work, started: true });
  } else if (passes(parent, work)) {
    cite(CLAUSE.passed);
    parent.work.set(descriptor, { ...work, started: true, entry: work.handle });
  } else {
    refuse(parent, descriptor, work);
  }
  return 0;
}

/** An entry without an owner is closed, and so is one of which nothing is known. */
function passes(parent: ParentState, { handle, pasid }: Work): boolean {
  return isValidHandle(parent, handle) && parent.entries.get(handle)?.pasid === pasid;
}

/** Source: DSA 3.0, 5.4 (a). */
function isValidHandle({ hardware, entries }: ParentState, handle: number): boolean {
  return hardware.handles === 'index' ? handle < hardware.entries : entries.get(handle)?.handle === true;
}

function refuse(parent: ParentState, descriptor: number, { device, pasid, guestPasid }: Work): void {
  cite(CLAUSE.refused);
  parent.events = added(parent.events, { kind: 'completed', device, descriptor, status: INVALID_INTERRUPT_HANDLE });
  parent.work.delete(descriptor);
  dropPasid(parent, pasid);
  cite(CLAUSE.reported);
  parent.events = added(parent.events, { kind: 'error', device, pasid: guestPasid });
  emulatedEvent(parent, device);
}

/** The hardware ends a descriptor that it has begun. Source: DSA 3.0, 5.4. */
export function complete(parent: ParentState, descriptor: number): 0 | 'EINVAL' {
  const work = parent.work.get(descriptor);
  if (work === undefined || !work.started) return 'EINVAL';
  const { device, pasid, entry } = work;
  parent.events = added(parent.events, { kind: 'completed', device, descriptor, status: SUCCESS });
  parent.work.delete(descriptor);
  if (entry !== null) interruptOf(parent, entry);
  dropPasid(parent, pasid);
  return 0;
}

function interruptOf(parent: ParentState, index: number): void {
  const { ignore, mask, data } = entryAt(parent, index);
  if (ignore) {
    cite(CLAUSE.ignored);
  } else if (mask) {
    cite(CLAUSE.masked);
    setEntry(parent, index, { pending: true });
  } else {
    cite(CLAUSE.fired);
    messageArrives(parent, data);
  }
}

/** Waits for the descriptors that have passed their check against an entry. */
export function quiesce(parent: ParentState, index: number): void {
  for (const descriptor of inFlight(parent, ({ entry }) => entry === index)) {
    cite(CLAUSE.drained);
    complete(parent, descriptor);
  }
}

/** The queues of an mdev take nothing more. */
export function stopQueues(parent: ParentState, mdev: Mdev): void {
  for (const descriptor of inFlight(parent, ({ device }) => device === mdev.index)) {
    cite(CLAUSE.abandoned);
    if (complete(parent, descriptor) !== 0) abandon(parent, descriptor);
  }
}

/** Source: Abort in DSA 3.0, 5.8. */
function abandon(parent: ParentState, descriptor: number): void {
  const work = parent.work.get(descriptor);
  if (work === undefined) throw new Error(`descriptor ${descriptor} is not in flight`);
  parent.events = added(parent.events, { kind: 'completed', device: work.device, descriptor, status: ABANDONED });
  parent.work.delete(descriptor);
  dropPasid(parent, work.pasid);
}

/** Source: ours: by the number that the scenario gives. */
function inFlight({ work }: ParentState, isMeant: (work: Work) => boolean): readonly number[] {
  if (work.size === 0) return NONE;
  const found: number[] = [];
  for (const [descriptor, of] of work) if (isMeant(of)) found.push(descriptor);
  return found.sort((left, right) => left - right);
}

const NONE: readonly number[] = [];
