import { type Event, type GuestObservation, PENDING, UNMASKED, type VectorChange } from '#vocabulary';
import { readsPending } from './qemu/pba-read.ts';
import type { VirtualFunction, Vmm } from './qemu/virtual-function.ts';

/** The messages that guests have received since this was asked last, in the order in which events are told. */
export function messageEvents({ delivered }: Vmm): readonly Event[] {
  if (delivered.size === 0) return NONE;
  const messages = [...delivered.values()].map((message): Event & { kind: 'message' } => ({
    kind: 'message',
    ...message,
  }));
  delivered.clear();
  return messages.sort(
    (left, right) =>
      left.device - right.device || left.high - right.high || left.address - right.address || left.data - right.data,
  );
}

const NONE: readonly Event[] = [];

/**
 * What a guest reads of its device.
 * @param touched vectors that may be other than before at the host
 * @param reported what the observations before have said
 */
export function observeGuest(
  vf: VirtualFunction,
  touched: Iterable<number>,
  reported: Map<number, number>,
): GuestObservation {
  const looked = new Set(vf.touched);
  for (const vector of touched) looked.add(vector);
  vf.touched.clear();
  const changes = changesOf(looked, reported, (vector) => guestState(vf, vector));
  return { enable: vf.enable, functionMask: vf.functionMask, changes };
}

function guestState(vf: VirtualFunction, vector: number): number {
  return (vf.unmasked.has(vector) ? UNMASKED : 0) + (readsPending(vf, vector) ? PENDING : 0);
}

/** The vectors looked at whose state is not what was reported, which is brought up to date. */
export function changesOf(
  looked: ReadonlySet<number>,
  reported: Map<number, number>,
  stateOf: (vector: number) => number,
): readonly VectorChange[] {
  if (looked.size === 0) return UNCHANGED;
  const changes: VectorChange[] = [];
  for (const vector of looked) {
    const state = stateOf(vector);
    if (state === (reported.get(vector) ?? 0)) continue;
    if (state === 0) reported.delete(vector);
    else reported.set(vector, state);
    changes.push({ vector, state });
  }
  return changes.length < 2 ? changes : changes.sort((left, right) => left.vector - right.vector);
}

const UNCHANGED: readonly VectorChange[] = [];
