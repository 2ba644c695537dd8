import {
  ARMED,
  type DeviceObservation,
  type GuestObservation,
  type GuestOperation,
  type Message,
  type Operation,
  type PciFunction,
  type Step,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VmmCall,
  WINDOWS,
  type Window,
} from '#vocabulary';
import { ByVector, VectorMap, type VectorSet } from './by-vector.ts';
import { disables } from './calls.ts';
import { GuestEvents, SETTLED } from './guest-events.ts';
import type { GuestRaise, GuestView, Received } from './guest-moment.ts';
import { type Gates, GuestTable } from './guest-table.ts';
import { flags, type Label, type Memory, type Words } from './memory.ts';
import { Refusals, type SetCall, setCalls } from './refusals.ts';

export interface Arm {
  readonly vector: number;
  readonly window: Window;
  readonly index: number;
}

const NO_ARMS: readonly Arm[] = [];
const NO_CALLS: readonly VmmCall[] = [];
const NOTHING_SET: readonly SetCall[] = [];
const NO_RAISES: readonly GuestRaise[] = [];
const NOTHING_RECEIVED: readonly Received[] = [];
const UNCHANGED: readonly number[] = [];

/** The view of one device that a guest has, moved on from step to step. */
export class FollowedGuest implements GuestView, Memory<FollowedGuest> {
  readonly config: PciFunction;
  readonly place: number;
  seen: GuestObservation | undefined;
  touched: readonly number[] = UNCHANGED;
  hostOn = false;
  hostOffSince: number | null = null;
  hostOffBefore: number | null = null;
  changed: readonly number[] = UNCHANGED;
  raises: readonly GuestRaise[] = NO_RAISES;
  received: readonly Received[] = NOTHING_RECEIVED;
  calls: readonly VmmCall[] | undefined;
  setCalls: readonly SetCall[] = NOTHING_SET;
  settled = SETTLED;
  readonly account = new GuestEvents();
  readonly table: GuestTable;
  readonly refusals = new Refusals();
  /** Raises that wait for the next operation of the guest. */
  arms: readonly Arm[] = NO_ARMS;
  /** At the host. */
  readonly states = new ByVector(0);
  /** As the guest reads them; state 0 is left out. */
  readonly guestStates = new VectorMap<number>();

  constructor(config: PciFunction, place: number, initial: DeviceObservation | undefined) {
    this.config = config;
    this.place = place;
    this.table = new GuestTable(config, place);
    if (initial !== undefined) this.#observe(initial);
  }

  become(other: FollowedGuest): void {
    this.table.become(other.table);
    this.refusals.become(other.refusals);
    this.account.become(other.account);
    this.hostOn = other.hostOn;
    this.hostOffSince = other.hostOffSince;
    this.arms = other.arms;
    this.states.become(other.states);
    this.guestStates.become(other.guestStates);
    // What is seen before the first operation is judged with it: that of later is forgotten with the next step.
    this.touched = other.touched;
  }

  tell(words: Words, label: Label): void {
    this.table.tell(words);
    this.refusals.tell(words);
    words.put(flags(this.hostOn, this.hostOffSince !== null) + this.arms.length * 4);
    if (this.hostOffSince !== null) words.put(label(this.hostOffSince));
    for (const { vector, window, index } of this.arms) {
      words.put(vector);
      words.put(WINDOWS.indexOf(window));
      words.put(label(index));
    }
  }

  tellVector(vector: number, words: Words, label: Label): void {
    words.put(this.stateAfter(vector) * 0x100 + this.guestState(vector));
    this.table.tellVector(vector, words);
    this.refusals.tellVector(vector, words);
    this.account.tellVector(vector, words, label);
  }

  get gatesBefore(): Gates {
    return this.table.gatesBefore;
  }

  get gates(): Gates {
    return this.table.gates;
  }

  get unmasked(): VectorSet {
    return this.table.unmasked;
  }

  get anyRefused(): boolean {
    return this.refusals.some;
  }

  isOpen(vector: number): boolean {
    return this.table.isOpen(vector);
  }

  wasOpen(vector: number): boolean {
    return this.table.wasOpen(vector);
  }

  messages(vector: number): readonly Message[] {
    return this.table.messages(vector);
  }

  written(vector: number, offset: number): number {
    return this.table.read(vector, offset);
  }

  guestState(vector: number): number {
    return this.guestStates.get(vector) ?? 0;
  }

  stateAfter(vector: number): number {
    return this.states.of(vector);
  }

  wasExcused(vector: number): boolean {
    return this.refusals.excused(vector);
  }

  isExcused(vector: number): boolean {
    return this.refusals.excuses(vector);
  }

  /** @param guest the operation where it is a guest's, else null */
  follow(operation: Operation, place: number, guest: GuestOperation | null, step: Step, index: number): void {
    const own = place === this.place;
    const access = own ? guest : null;
    this.table.follow(access);
    // What is seen before the first operation is judged with it.
    if (index > 0) this.touched = UNCHANGED;
    for (const { vector } of this.table.maskWrites) this.#touch(vector);
    const wasOn = this.hostOn;
    this.hostOffBefore = this.hostOffSince;
    const observation = step.observation[this.place];
    if (observation !== undefined) this.#observe(observation);
    this.#followCalls(own ? step.calls : step.calls && NO_CALLS);
    if (this.hostOn || !this.gates.enable) this.hostOffSince = null;
    else if (wasOn || this.calls?.some(turnsOff) === true) this.hostOffSince = index;
    this.raises = NO_RAISES;
    this.received = NOTHING_RECEIVED;
    if (step.events.length > 0) this.#followEvents(step, index, access !== null);
    if (own && operation.kind === 'device.arm')
      this.arms = [...this.arms, { vector: operation.vector, window: operation.window, index }];
    if (access !== null) this.arms = NO_ARMS;
    this.settled = this.account.follow(this);
  }

  #touch(vector: number): void {
    if (!this.touched.includes(vector)) this.touched = [...this.touched, vector];
  }

  #observe({ enable, changes, guest }: DeviceObservation): void {
    this.hostOn = enable;
    this.changed = changes.length === 0 ? UNCHANGED : changes.map(({ vector }) => vector);
    for (const { vector, state } of changes) this.states.set(vector, state);
    this.seen = guest;
    if (guest === undefined) return;
    for (const { vector, state } of guest.changes) {
      this.#touch(vector);
      if (state === 0) this.guestStates.delete(vector);
      else this.guestStates.set(vector, state);
    }
  }

  #followCalls(calls: readonly VmmCall[] | undefined): void {
    this.calls = calls;
    this.setCalls = calls === undefined || calls.length === 0 ? NOTHING_SET : setCalls(calls);
    if (this.gates.enable !== this.gatesBefore.enable) this.refusals.begin();
    this.refusals.follow(this.setCalls, this.hostOn);
    for (const vector of this.changed) if ((this.stateAfter(vector) & ARMED) !== 0) this.refusals.arm(vector);
  }

  #followEvents({ events }: Step, index: number, reacts: boolean): void {
    const raises: GuestRaise[] = [];
    const received: Received[] = [];
    for (const event of events) {
      if (event.kind === 'signalled' || event.device !== this.place) continue;
      if (event.kind === 'message') {
        const { address, high, data, count } = event;
        received.push({ message: { address, high, data }, count });
      } else if (event.kind === 'raised' && this.config.silent !== true && event.vector < this.config.msixVectors) {
        const { vector, window } = event;
        raises.push({ vector, window, raisedAt: index, armedAt: reacts ? this.#armOf(vector, window) : null });
      }
    }
    this.raises = raises;
    this.received = received;
  }

  /** Which arming a raise comes from: each is used once. */
  #armOf(vector: number, window: Window | null): number | null {
    const found = this.arms.find((arm) => arm.vector === vector && (window === null || arm.window === window));
    if (found === undefined) return null;
    this.arms = this.arms.filter((arm) => arm !== found);
    return found.index;
  }
}

/** Whether a call has turned MSI-X off at the host: where it was off already it is not granted. */
function turnsOff(call: VmmCall): boolean {
  if (call.kind !== 'vfio' || !disables(call.operation)) return false;
  return call.operation.index === VFIO_PCI_MSIX_IRQ_INDEX && call.outcome.kind === 'ok';
}
