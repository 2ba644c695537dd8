import {
  type Event,
  type GuestObservation,
  type Message,
  type PciFunction,
  PENDING,
  UNMASKED,
  type VectorChange,
} from '#vocabulary';
import { added } from './added.ts';
import { readsPending } from './qemu/pba-read.ts';
import type { Delivered, VirtualFunction, Vmm } from './qemu/virtual-function.ts';
import type { VectorSet } from './vector-set.ts';

/** The messages that guests have received since this was asked last, in the order in which events are told. */
export function messageEvents(vmm: Vmm): readonly Event[] {
  const { delivered } = vmm;
  if (delivered === null) return [];
  vmm.delivered = null;
  if (delivered.length > 1) delivered.sort(inOrder);
  let events: Told[] | null = null;
  let last: Told | null = null;
  for (const message of delivered) {
    if (last !== null && inOrder(last, message) === 0) {
      last.count += message.count;
      continue;
    }
    const { device, address, high, data, count } = message;
    last = { kind: 'message', device, address, high, data, count };
    events = added(events, last);
  }
  return events ?? [];
}

/** A message whose count still grows. */
type Told = Message & { readonly kind: 'message'; readonly device: number; count: number };

/** Messages that differ in nothing but their counts are told as one. */
function inOrder(left: Delivered, right: Delivered): number {
  return left.device - right.device || left.high - right.high || left.address - right.address || left.data - right.data;
}

/** All events of a step: what was raised, then what came of it. */
export function eventsOf(raised: readonly Event[] | null, heard: readonly Event[]): readonly Event[] {
  if (raised === null) return heard;
  return heard.length === 0 ? raised : joined(raised, heard);
}

/** Most often one signal follows one raise: two lists that are spread take several times as long. */
function joined(raised: readonly Event[], heard: readonly Event[]): readonly Event[] {
  const first = raised[0];
  const last = heard[0];
  if (raised.length === 1 && heard.length === 1 && first !== undefined && last !== undefined) return [first, last];
  return [...raised, ...heard];
}

/**
 * What a guest reads of its device.
 * @param touched vectors that may be other than before at the host
 * @param reported what the observations before have said, by vector
 */
export function observeGuest(vf: VirtualFunction, touched: VectorSet, reported: number[]): GuestObservation {
  vf.touched.addAll(touched);
  const changes = changesOf(vf, vf.touched, reported, guestState);
  vf.touched.clear();
  return { enable: vf.enable, functionMask: vf.functionMask, changes };
}

function guestState(vf: VirtualFunction, vector: number): number {
  return (vf.unmasked.has(vector) ? UNMASKED : 0) + (readsPending(vf, vector) ? PENDING : 0);
}

/** Every vector of a function is in state 0 until something else is said. */
export function nothingReported(config: PciFunction): number[] {
  return new Array<number>(Math.max(config.msixVectors, config.msiVectors ?? 0)).fill(0);
}

/** The vectors looked at whose state is not what was reported, which is brought up to date. */
export function changesOf<Device>(
  device: Device,
  looked: VectorSet,
  reported: number[],
  stateOf: (device: Device, vector: number) => number,
): readonly VectorChange[] {
  let changes: VectorChange[] | null = null;
  for (let vector = looked.next(0); vector !== -1; vector = looked.next(vector + 1)) {
    const state = stateOf(device, vector);
    if (state === reported[vector]) continue;
    reported[vector] = state;
    changes = added(changes, { vector, state });
  }
  return changes ?? UNCHANGED;
}

const UNCHANGED: readonly VectorChange[] = [];
