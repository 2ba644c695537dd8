import {
  type Config,
  deviceOf,
  type GuestObservation,
  isGuestOperation,
  type Message,
  type Observation,
  type Operation,
  type PciFunction,
  type Step,
  type VmmCall,
  type Window,
} from '#vocabulary';
import type { VectorSet } from './by-vector.ts';
import { FollowedGuest } from './followed-guest.ts';
import type { Settled } from './guest-events.ts';
import type { Gates } from './guest-table.ts';
import type { SetCall } from './refusals.ts';

/** One operation on a machine with a VMM with its step, and what the steps so far say of the devices. */
export interface GuestMoment {
  readonly operation: Operation;
  readonly step: Step;
  /** Index of the operation. */
  readonly index: number;
  /** In the order of the Config. */
  readonly devices: readonly GuestView[];
  /** The device the operation is about, if it is about one. */
  readonly device: GuestView | undefined;
}

/** An event that a device had, of a vector that it has. */
export interface GuestRaise {
  readonly vector: number;
  readonly window: Window | null;
  /** Index of the operation in which it happened. */
  readonly raisedAt: number;
  /** Index of the `device.arm` that it comes from, if it comes from one. */
  readonly armedAt: number | null;
}

/** Messages of one content that the guest received. */
export interface Received {
  readonly message: Message;
  readonly count: number;
}

/** What the steps say of one device that a guest has. */
export interface GuestView {
  readonly config: PciFunction;
  /** Its place in the Config. */
  readonly place: number;
  /** What the guest has written. */
  readonly gatesBefore: Gates;
  readonly gates: Gates;
  /** Vectors whose mask bit the guest has cleared. */
  readonly unmasked: Pick<VectorSet, 'has' | 'next'>;
  /** What the guest reads after the operation, where it is seen. */
  readonly seen: GuestObservation | undefined;
  /** Vectors whose mask bit the operation wrote, or that read otherwise than before. */
  readonly touched: readonly number[];
  /** MSI-X Enable at the host. */
  readonly hostOn: boolean;
  /** The operation that has turned MSI-X off at the host, while it is off and the guest has it on. */
  readonly hostOffSince: number | null;
  /** The same before the operation. */
  readonly hostOffBefore: number | null;
  /** Vectors whose state at the host changed. */
  readonly changed: readonly number[];
  /** In the order in which they happened. */
  readonly raises: readonly GuestRaise[];
  readonly received: readonly Received[];
  /** What the operation did to the account of events and messages. */
  readonly settled: Settled;
  /** What the VMM asked of the host for this device; undefined where it is not seen. */
  readonly calls: readonly VmmCall[] | undefined;
  /** Those among them that set triggers of MSI-X vectors. */
  readonly setCalls: readonly SetCall[];
  /** Whether a call that sets triggers was refused since the guest enabled MSI-X. */
  readonly anyRefused: boolean;
  /** Whether the guest lets the vector through, bus mastering aside, after the operation. */
  isOpen(vector: number): boolean;
  wasOpen(vector: number): boolean;
  /** What may come as the vector's message. The first is what its entry says after the operation. */
  messages(vector: number): readonly Message[];
  /** The 32 bits at a place of an entry as the guest has written them. */
  written(vector: number, offset: number): number;
  /** UNMASKED and PENDING as the guest reads them after the operation. */
  guestState(vector: number): number;
  /** The vectors for which that is not 0. */
  readonly guestStates: Iterable<readonly [vector: number, state: number]>;
  /** The vector's state at the host, after the operation. */
  stateAfter(vector: number): number;
  /** Whether the host has refused the vector and never granted it, before the operation and after it. */
  wasExcused(vector: number): boolean;
  isExcused(vector: number): boolean;
}

/** What is followed of the devices of a run, before its first step. */
export function startGuests({ devices }: Config, initial: Observation): readonly FollowedGuest[] {
  return devices.map((device, place) => new FollowedGuest(device, place, initial[place]));
}

/** Moves it on by a step. The moment is valid until the next is asked for. */
export function nextGuestMoment(
  devices: readonly FollowedGuest[],
  operation: Operation,
  step: Step,
  index: number,
): GuestMoment {
  const place = deviceOf(operation) ?? -1;
  const guest = isGuestOperation(operation) ? operation : null;
  for (const device of devices) device.follow(operation, place, guest, step, index);
  return { operation, step, index, devices, device: place === -1 ? undefined : devices[place] };
}
