import type {
  DeviceObservation,
  Event,
  EventfdName,
  GuestObservation,
  Observation,
  Outcome,
  ParentObservation,
  Step,
  Trace,
  VectorChange,
  VmmCall,
  Window,
} from '#vocabulary';
import { MSIX_VECTORS_MAX } from '#vocabulary';
import { CallPool, type SetIrqsCall } from './call-pool.ts';
import type { Device } from './device.ts';
import type { Guest } from './guest.ts';
import { MessageList } from './message-list.ts';
import { OK } from './outcomes.ts';
import { Arena, FilledLists, ListArena, type Mutable } from './pool.ts';

type BareObservation = Mutable<Omit<DeviceObservation, 'guest'>>;

/** What is told of a device that is shown to a guest. */
interface ShownObservation extends BareObservation {
  readonly guest: Mutable<GuestObservation>;
}

const NO_PARENT: ParentObservation = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };

/** What a machine does not have is not there: calls of a VMM, or a parent of mdevs. */
function stepMaker(hasVmm: boolean, hasParent: boolean): () => Mutable<Step> {
  const parts = { ...(hasVmm ? { calls: [] } : {}), ...(hasParent ? { parent: NO_PARENT } : {}) };
  return () => ({ outcome: OK, events: NONE, observation: NONE, ...parts, clauses: [] });
}

function makeObservation(): BareObservation {
  return { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: NONE };
}

function makeShownObservation(): ShownObservation {
  const guest = { enable: false, functionMask: false, changes: NONE };
  return { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: NONE, guest };
}

function makeChange(): Mutable<VectorChange> {
  return { vector: 0, state: 0 };
}

function makeRaised(): Mutable<Event & { kind: 'raised' }> {
  return { kind: 'raised', device: 0, vector: 0, window: null };
}

function makeCompleted(): Mutable<Event & { kind: 'completed' }> {
  return { kind: 'completed', device: 0, descriptor: 0, status: 0 };
}

function makeError(): Mutable<Event & { kind: 'error' }> {
  return { kind: 'error', device: 0, pasid: 0 };
}

function makeRevoked(): Mutable<Event & { kind: 'revoked' }> {
  return { kind: 'revoked', device: 0 };
}

function makeSignalled(): Mutable<Event & { kind: 'signalled' }> {
  return { kind: 'signalled', eventfd: 'e0', count: 0 };
}

const NONE: readonly never[] = [];

/** Writes Traces into objects that it made for earlier ones. A Trace is valid until the next `begin`. */
export class TracePool {
  readonly #steps = new Arena(stepMaker(false, false));
  readonly #shownSteps = new Arena(stepMaker(true, false));
  readonly #mdevSteps = new Arena(stepMaker(false, true));
  readonly #shownMdevSteps = new Arena(stepMaker(true, true));
  readonly #observations = new FilledLists(makeObservation);
  readonly #shownObservations = new FilledLists(makeShownObservation);
  readonly #changes = new FilledLists(makeChange);
  readonly #raised = new Arena(makeRaised);
  readonly #completed = new Arena(makeCompleted);
  readonly #errors = new Arena(makeError);
  readonly #revoked = new Arena(makeRevoked);
  readonly #signalled = new Arena(makeSignalled);
  readonly #messages = new MessageList();
  readonly #calls = new CallPool();
  readonly #eventLists = new ListArena<Event>();
  /** The vectors that a list is made of. */
  readonly #changed = new Uint16Array(MSIX_VECTORS_MAX);
  readonly #callLists = new ListArena<VmmCall>();
  #trace: Mutable<Trace> = { initial: [], steps: [] };
  /** Those of the machine that the scenario is on. */
  #current = this.#steps;

  /** What was told before is forgotten. `guests` is empty where there is no VMM. */
  begin(devices: readonly Device[], guests: readonly Guest[]): void {
    this.#reset(guests.length > 0 ? this.#shownSteps : this.#steps);
    this.#trace = { initial: this.#observeAll(devices, guests), steps: [] };
  }

  /** The same for mdevs that no VMM shows; they are observed by others. */
  beginMdevs(initial: Observation, initialParent: ParentObservation): void {
    this.#reset(this.#mdevSteps);
    this.#trace = { initial, initialParent, steps: [] };
  }

  /** The same for mdevs that a VMM shows. */
  beginShownMdevs(guests: readonly Guest[], initialParent: ParentObservation): void {
    this.#reset(this.#shownMdevSteps);
    this.#trace = { initial: this.#observeShown(guests), initialParent, steps: [] };
  }

  #reset(current: Arena<Mutable<Step>>): void {
    this.#current = current;
    current.reset();
    this.#observations.reset();
    this.#shownObservations.reset();
    this.#changes.reset();
    this.#raised.reset();
    this.#completed.reset();
    this.#errors.reset();
    this.#revoked.reset();
    this.#signalled.reset();
    this.#messages.reset();
    this.#calls.reset();
    this.#eventLists.reset();
    this.#callLists.reset();
  }

  raised(device: number, vector: number, window: Window | null): void {
    const event = this.#raised.next();
    event.device = device;
    event.vector = vector;
    event.window = window;
    this.#eventLists.push(event);
  }

  completed(device: number, descriptor: number, status: number): void {
    const event = this.#completed.next();
    event.device = device;
    event.descriptor = descriptor;
    event.status = status;
    this.#eventLists.push(event);
  }

  error(device: number, pasid: number): void {
    const event = this.#errors.next();
    event.device = device;
    event.pasid = pasid;
    this.#eventLists.push(event);
  }

  revoked(device: number): void {
    const event = this.#revoked.next();
    event.device = device;
    this.#eventLists.push(event);
  }

  signalled(eventfd: EventfdName, count: number): void {
    const event = this.#signalled.next();
    event.eventfd = eventfd;
    event.count = count;
    this.#eventLists.push(event);
  }

  /** The guest has received a message. */
  message(device: number, address: number, high: number, data: number): void {
    this.#messages.add(device, address, high, data);
  }

  /** A VFIO_DEVICE_SET_IRQS that the caller has still to write, to ask and to answer. */
  setIrqs(device: number, flags: number, index: number, start: number, count: number): SetIrqsCall {
    const call = this.#calls.setIrqs();
    call.begin(device, flags, index, start, count);
    this.#callLists.push(call.call);
    return call;
  }

  vfioReset(device: number, outcome: Outcome): void {
    this.#callLists.push(this.#calls.vfioReset(device, outcome));
  }

  setGsiRouting(): void {
    this.#callLists.push(this.#calls.setGsiRouting());
  }

  irqfd(eventfd: EventfdName, assign: boolean): void {
    this.#callLists.push(this.#calls.irqfd(eventfd, assign));
  }

  endStep(outcome: Outcome, devices: readonly Device[]): void {
    this.#stepOf(outcome).observation = this.#observe(devices);
  }

  endShownStep(outcome: Outcome, guests: readonly Guest[]): void {
    const step = this.#stepOf(outcome);
    step.observation = this.#observeShown(guests);
    step.calls = this.#callLists.next();
  }

  endMdevStep(outcome: Outcome, observation: Observation, parent: ParentObservation): void {
    const step = this.#stepOf(outcome);
    step.observation = observation;
    step.parent = parent;
  }

  endShownMdevStep(outcome: Outcome, guests: readonly Guest[], parent: ParentObservation): void {
    const step = this.#stepOf(outcome);
    step.observation = this.#observeShown(guests);
    step.calls = this.#callLists.next();
    step.parent = parent;
  }

  #stepOf(outcome: Outcome): Mutable<Step> {
    for (let place = 0; place < this.#messages.length; place += 1) this.#eventLists.push(this.#messages.at(place));
    this.#messages.told();
    const step = this.#current.next();
    step.outcome = outcome;
    step.events = this.#eventLists.next();
    return step;
  }

  finish(): Trace {
    this.#trace.steps = this.#current.handedOut();
    return this.#trace;
  }

  #observeAll(devices: readonly Device[], guests: readonly Guest[]): Observation {
    return guests.length > 0 ? this.#observeShown(guests) : this.#observe(devices);
  }

  #observe(devices: readonly Device[]): Observation {
    const observation = this.#observations.next(devices.length);
    for (let place = 0; place < devices.length; place += 1)
      this.#describe(devices[place] as Device, observation[place] as BareObservation);
    return observation;
  }

  #observeShown(guests: readonly Guest[]): Observation {
    const observation = this.#shownObservations.next(guests.length);
    for (let place = 0; place < guests.length; place += 1) {
      const guest = guests[place] as Guest;
      const shown = observation[place] as ShownObservation;
      guest.lookAtDevice();
      shown.guest.enable = guest.enable;
      shown.guest.functionMask = guest.functionMask;
      shown.guest.changes = this.#changesOf(guest);
      this.#describe(guest.device, shown);
    }
    return observation;
  }

  #describe(device: Device, observation: BareObservation): void {
    observation.enable = device.msixEnable;
    observation.msixInfoFlags = device.openCount === 0 ? 0 : device.msixInfoFlags;
    observation.registers = device.seenRegisters();
    observation.changes = this.#changesOf(device);
  }

  #changesOf(seen: Device | Guest): readonly VectorChange[] {
    const count = seen.takeChanges(this.#changed);
    if (count === 0) return NONE;
    const changes = this.#changes.next(count);
    for (let place = 0; place < count; place += 1) {
      const change = changes[place] as Mutable<VectorChange>;
      const vector = this.#changed[place] as number;
      change.vector = vector;
      change.state = seen.state(vector);
    }
    return changes;
  }
}
