import type { DataElement, EventfdName, VfioSetIrqs } from '#vocabulary';
import {
  isEventfdName,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_INTX_IRQ_INDEX,
} from '#vocabulary';

/**
 * Eventfds that unmask INTx have names of their own, from e100 on: an eventfd that is both the trigger and the unmask
 * eventfd of one function keeps a real kernel busy for ever.
 */
export const UNMASK_NAMES: readonly EventfdName[] = ['e100', 'e101', 'e102'];
const UNMASK_NUMBER = 100;

/** 3 for `e3`. */
export function nameNumber(name: EventfdName): number {
  return Number(name.slice(1));
}

export function isUnmaskName(name: EventfdName): boolean {
  return nameNumber(name) >= UNMASK_NUMBER;
}

/** The simplest name that may stand for this one, and the nth after it. */
export function nameLike(name: EventfdName, nth = 0): EventfdName {
  return `e${(isUnmaskName(name) ? UNMASK_NUMBER : 0) + nth}`;
}

/** Whether its eventfds are there to unmask INTx. */
export function attachesUnmask({ index, flags }: VfioSetIrqs): boolean {
  return (
    index === VFIO_PCI_INTX_IRQ_INDEX &&
    (flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0 &&
    (flags & VFIO_IRQ_SET_ACTION_UNMASK) !== 0 &&
    (flags & VFIO_IRQ_SET_ACTION_TRIGGER) === 0
  );
}

/** The operation with names that it may have: for one whose index or flags have been changed. */
export function renamed(operation: VfioSetIrqs): VfioSetIrqs {
  const isUnmask = attachesUnmask(operation);
  if (!operation.data.some((element) => isWrong(element, isUnmask))) return operation;
  const data = operation.data.map((element) => (isWrong(element, isUnmask) ? otherName(element) : element));
  return changed(operation, { data });
}

/**
 * The operation with some of its fields changed, and all of them in one order, as if it had been written so: what
 * reads operations is slow where there are many shapes.
 */
export function changed(operation: VfioSetIrqs, change: Partial<VfioSetIrqs>): VfioSetIrqs {
  const { kind, device } = operation;
  const flags = change.flags ?? operation.flags;
  const index = change.index ?? operation.index;
  const start = change.start ?? operation.start;
  const count = change.count ?? operation.count;
  const data = change.data ?? operation.data;
  const argsz = change.argsz ?? operation.argsz;
  const unreadable = change.unreadable ?? operation.unreadable;
  if (argsz !== undefined && unreadable !== undefined)
    return { kind, device, flags, index, start, count, data, argsz, unreadable };
  if (argsz !== undefined) return { kind, device, flags, index, start, count, data, argsz };
  if (unreadable !== undefined) return { kind, device, flags, index, start, count, data, unreadable };
  return { kind, device, flags, index, start, count, data };
}

function isWrong(element: DataElement, isUnmask: boolean): element is EventfdName {
  return isEventfdName(element) && isUnmaskName(element) !== isUnmask;
}

function otherName(name: EventfdName): EventfdName {
  const number = nameNumber(name);
  return `e${isUnmaskName(name) ? number - UNMASK_NUMBER : UNMASK_NUMBER + (number % UNMASK_NAMES.length)}`;
}
