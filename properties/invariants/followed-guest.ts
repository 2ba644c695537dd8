import {
  ARMED,
  type DeviceObservation,
  type GuestObservation,
  isGuestOperation,
  type Message,
  type Operation,
  type PciFunction,
  type Step,
  type VectorChange,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VmmCall,
  type Window,
} from '#vocabulary';
import { disables } from './calls.ts';
import { GuestEvents, SETTLED } from './guest-events.ts';
import type { GuestRaise, GuestView, Received } from './guest-moment.ts';
import { type Gates, GuestTable } from './guest-table.ts';
import type { Label, Memory } from './memory.ts';
import { Refusals } from './refusals.ts';

interface Arm {
  readonly vector: number;
  readonly window: Window;
  readonly index: number;
}

const NO_CALLS: readonly VmmCall[] = [];
const NO_RAISES: readonly GuestRaise[] = [];
const NOTHING_RECEIVED: readonly Received[] = [];
const UNCHANGED: readonly number[] = [];
const UNSEEN: readonly VectorChange[] = [];

/** The view of one device that a guest has, moved on from step to step. */
export class FollowedGuest implements GuestView, Memory<FollowedGuest> {
  readonly config: PciFunction;
  readonly place: number;
  seen: GuestObservation | undefined;
  readonly touched = new Set<number>();
  hostOn = false;
  hostOffSince: number | null = null;
  hostOffBefore: number | null = null;
  changed: readonly number[] = [];
  raises: readonly GuestRaise[] = NO_RAISES;
  received: readonly Received[] = NOTHING_RECEIVED;
  calls: readonly VmmCall[] | undefined;
  settled = SETTLED;
  readonly #account: GuestEvents;
  readonly #table: GuestTable;
  readonly #refusals: Refusals;
  /** Raises that wait for the next operation of the guest. */
  #arms: Arm[] = [];
  /** By vector, at the host; state 0 is left out. */
  readonly #states = new Map<number, number>();
  /** Of the vectors that changed in this step. */
  readonly #statesBefore = new Map<number, number>();
  /** By vector, as the guest reads them; state 0 is left out. */
  readonly #guestStates = new Map<number, number>();

  constructor(
    config: PciFunction,
    place: number,
    initial: DeviceObservation | undefined,
    table = new GuestTable(config, place),
    refusals = new Refusals(),
    account = new GuestEvents(),
  ) {
    this.config = config;
    this.place = place;
    this.#table = table;
    this.#refusals = refusals;
    this.#account = account;
    if (initial !== undefined) this.#observe(initial);
  }

  /** For after a step: what that step alone has shown is left out. */
  copy(): FollowedGuest {
    const copy = new FollowedGuest(
      this.config,
      this.place,
      undefined,
      this.#table.copy(),
      this.#refusals.copy(),
      this.#account.copy(),
    );
    copy.hostOn = this.hostOn;
    copy.hostOffSince = this.hostOffSince;
    copy.#arms = this.#arms.slice();
    for (const [vector, state] of this.#states) copy.#states.set(vector, state);
    for (const [vector, state] of this.#guestStates) copy.#guestStates.set(vector, state);
    // What is seen before the first operation is judged with it: of a copy of later it is forgotten with the next step.
    for (const vector of this.touched) copy.touched.add(vector);
    return copy;
  }

  key(label: Label): string {
    const arms = this.#arms.map(({ vector, window, index }) => `a${vector}${window}${label(index)}`).join('');
    const off = this.hostOffSince === null ? '' : `o${label(this.hostOffSince)}`;
    return `${this.#table.key()}${this.#refusals.key()}${this.hostOn ? 1 : 0}${arms}${off}`;
  }

  keyOf(vector: number, label: Label): string {
    const state = String.fromCharCode(0x100 + this.stateAfter(vector) * 32 + this.guestState(vector));
    return `${state}${this.#table.keyOf(vector)}${this.#refusals.keyOf(vector)}${this.#account.keyOf(vector, label)}`;
  }

  get gatesBefore(): Gates {
    return this.#table.gatesBefore;
  }

  get gates(): Gates {
    return this.#table.gates;
  }

  get unmasked(): ReadonlySet<number> {
    return this.#table.unmasked;
  }

  get anyRefused(): boolean {
    return this.#refusals.some;
  }

  isOpen(vector: number): boolean {
    return this.#table.isOpen(vector);
  }

  wasOpen(vector: number): boolean {
    return this.#table.wasOpen(vector);
  }

  messages(vector: number): readonly Message[] {
    return this.#table.messages(vector);
  }

  written(vector: number, offset: number): number {
    return this.#table.read(vector, offset);
  }

  guestState(vector: number): number {
    return this.#guestStates.get(vector) ?? 0;
  }

  guestStates(): Iterable<readonly [vector: number, state: number]> {
    return this.#guestStates;
  }

  stateAfter(vector: number): number {
    return this.#states.get(vector) ?? 0;
  }

  stateBefore(vector: number): number {
    return this.#statesBefore.get(vector) ?? this.stateAfter(vector);
  }

  wasExcused(vector: number): boolean {
    return this.#refusals.excused(vector);
  }

  isExcused(vector: number): boolean {
    return this.#refusals.excuses(vector);
  }

  follow(operation: Operation, step: Step, index: number): void {
    const own = 'device' in operation && operation.device === this.place;
    const guest = own && isGuestOperation(operation) ? operation : null;
    this.#table.follow(guest);
    // What is seen before the first operation is judged with it.
    if (index > 0) this.touched.clear();
    for (const vector of this.#table.maskBefore.keys()) this.touched.add(vector);
    const wasOn = this.hostOn;
    this.hostOffBefore = this.hostOffSince;
    const observation = step.observation[this.place];
    if (observation !== undefined) this.#observe(observation);
    this.calls = step.calls === undefined || own ? step.calls : NO_CALLS;
    if (this.gates.enable !== this.gatesBefore.enable) this.#refusals.begin();
    const armed = this.changed.filter((vector) => (this.stateAfter(vector) & ARMED) !== 0);
    this.#refusals.follow(this.calls ?? NO_CALLS, armed, this.hostOn);
    if (this.hostOn || !this.gates.enable) this.hostOffSince = null;
    else if (wasOn || this.calls?.some(turnsOff) === true) this.hostOffSince = index;
    this.#followEvents(step, index, guest !== null);
    if (own && operation.kind === 'device.arm')
      this.#arms.push({ vector: operation.vector, window: operation.window, index });
    if (guest !== null && this.#arms.length > 0) this.#arms = [];
    this.settled = this.#account.follow(this);
  }

  #observe({ enable, changes, guest }: DeviceObservation): void {
    this.hostOn = enable;
    if (this.#statesBefore.size > 0) this.#statesBefore.clear();
    this.changed = changes.length === 0 ? UNCHANGED : changes.map(({ vector }) => vector);
    for (const { vector, state } of changes) {
      this.#statesBefore.set(vector, this.stateAfter(vector));
      if (state === 0) this.#states.delete(vector);
      else this.#states.set(vector, state);
    }
    this.seen = guest;
    for (const { vector, state } of guest?.changes ?? UNSEEN) {
      this.touched.add(vector);
      if (state === 0) this.#guestStates.delete(vector);
      else this.#guestStates.set(vector, state);
    }
  }

  #followEvents({ events }: Step, index: number, reacts: boolean): void {
    this.raises = NO_RAISES;
    this.received = NOTHING_RECEIVED;
    if (events.length === 0) return;
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
    const found = this.#arms.findIndex((arm) => arm.vector === vector && (window === null || arm.window === window));
    return found === -1 ? null : (this.#arms.splice(found, 1)[0]?.index ?? null);
  }
}

/** Whether a call has turned MSI-X off at the host: where it was off already it is not granted. */
function turnsOff(call: VmmCall): boolean {
  if (call.kind !== 'vfio' || !disables(call.operation)) return false;
  return call.operation.index === VFIO_PCI_MSIX_IRQ_INDEX && call.outcome.kind === 'ok';
}
