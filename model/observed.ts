import { type Event, type GuestObservation, PENDING, UNMASKED, type VectorChange } from '#vocabulary';
import { readsPending } from './qemu/pba-read.ts';
import type { VirtualFunction, Vmm } from './qemu/virtual-function.ts';
import type { VectorSet } from './vector-set.ts';

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
export function observeGuest(vf: VirtualFunction, touched: VectorSet, reported: Map<number, number>): GuestObservation {
  vf.touched.addAll(touched);
  const changes = changesOf(vf.touched, reported, (vector) => guestState(vf, vector));
  vf.touched.clear();
  return { enable: vf.enable, functionMask: vf.functionMask, changes };
}

function guestState(vf: VirtualFunction, vector: number): number {
  return (vf.unmasked.has(vector) ? UNMASKED : 0) + (readsPending(vf, vector) ? PENDING : 0);
}

/** The vectors looked at whose state is not what was reported, which is brought up to date. */
export function changesOf(
  looked: VectorSet,
  reported: Map<number, number>,
  stateOf: (vector: number) => number,
): readonly VectorChange[] {
  let changes: VectorChange[] | null = null;
  for (let vector = looked.next(0); vector !== -1; vector = looked.next(vector + 1)) {
    const state = stateOf(vector);
    if (state === (reported.get(vector) ?? 0)) continue;
    if (state === 0) reported.delete(vector);
    else reported.set(vector, state);
    // What is pushed to an empty list takes room for many.
    if (changes === null) changes = [{ vector, state }];
    else changes.push({ vector, state });
  }
  return changes ?? UNCHANGED;
}

const UNCHANGED: readonly VectorChange[] = [];
