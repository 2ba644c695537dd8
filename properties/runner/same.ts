import type { Event, Outcome, VfioReset, VfioSetIrqs, VmmCall } from '#vocabulary';

/**
 * Two outcomes, events or calls are the same where they print the same: the notation says all there is to them. Nearly
 * always they are, and then nothing is printed.
 */

/** Whether two outcomes are the same in everything that is printed of them. */
export function isSameOutcome(left: Outcome, right: Outcome): boolean {
  switch (left.kind) {
    case 'ok':
      return right.kind === 'ok';
    case 'irqInfo':
      return right.kind === 'irqInfo' && left.flags === right.flags && left.count === right.count;
    case 'value':
      return right.kind === 'value' && left.value === right.value;
    case 'status':
      return right.kind === 'status' && left.status === right.status;
    case 'errno':
      return right.kind === 'errno' && left.errno === right.errno;
    case 'positive':
      return right.kind === 'positive' && left.value === right.value;
    case 'unknown':
      return right.kind === 'unknown' && left.reason === right.reason;
  }
}

/** Whether two events are the same in everything that is printed of them. */
export function isSameEvent(left: Event, right: Event): boolean {
  switch (left.kind) {
    case 'raised':
      return (
        right.kind === 'raised' &&
        left.vector === right.vector &&
        left.device === right.device &&
        left.window === right.window
      );
    case 'completed':
      return (
        right.kind === 'completed' &&
        left.descriptor === right.descriptor &&
        left.device === right.device &&
        left.status === right.status
      );
    case 'error':
      return right.kind === 'error' && left.pasid === right.pasid && left.device === right.device;
    case 'revoked':
      return right.kind === 'revoked' && left.device === right.device;
    case 'signalled':
      return right.kind === 'signalled' && left.eventfd === right.eventfd && left.count === right.count;
    case 'message':
      return (
        right.kind === 'message' &&
        left.data === right.data &&
        left.address === right.address &&
        left.high === right.high &&
        left.device === right.device &&
        left.count === right.count
      );
  }
}

/** Whether two calls are the same in everything that a call is; others may still print the same. */
export function isSameCall(left: VmmCall, right: VmmCall): boolean {
  switch (left.kind) {
    case 'vfio':
      return (
        right.kind === 'vfio' &&
        isSameRequest(left.operation, right.operation) &&
        isSameOutcome(left.outcome, right.outcome)
      );
    case 'kvm.setGsiRouting':
      return right.kind === 'kvm.setGsiRouting';
    case 'kvm.irqfd':
      return right.kind === 'kvm.irqfd' && left.eventfd === right.eventfd && left.assign === right.assign;
  }
}

function isSameRequest(left: VfioSetIrqs | VfioReset, right: VfioSetIrqs | VfioReset): boolean {
  if (left.kind === 'vfio.reset' || right.kind === 'vfio.reset') return left.kind === right.kind;
  if (left.index !== right.index || left.flags !== right.flags) return false;
  if (left.start !== right.start || left.count !== right.count || left.data.length !== right.data.length) return false;
  for (let place = 0; place < left.data.length; place += 1) if (left.data[place] !== right.data[place]) return false;
  return true;
}

/** Whether two lists are the same, item by item. */
export function areSame<Item>(
  left: readonly Item[],
  right: readonly Item[],
  isSame: (left: Item, right: Item) => boolean,
): boolean {
  if (left.length !== right.length) return false;
  for (let place = 0; place < left.length; place += 1)
    if (!isSame(left[place] as Item, right[place] as Item)) return false;
  return true;
}
