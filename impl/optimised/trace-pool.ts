import type {
  DeviceObservation,
  Event,
  EventfdName,
  GuestObservation,
  Observation,
  Outcome,
  Step,
  Trace,
  VectorChange,
  VmmCall,
  Window,
} from '#vocabulary';
import { CallPool, type SetIrqsCall } from './call-pool.ts';
import type { Device } from './device.ts';
import type { Guest } from './guest.ts';
import { MessageList } from './message-list.ts';
import { OK } from './outcomes.ts';
import { Arena, List, type Mutable } from './pool.ts';

/** A Step and the lists its arrays are views of. */
interface StepRecord {
  readonly step: Mutable<Step>;
  readonly events: List<Event>;
  readonly observation: List<DeviceObservation>;
}

/** Of a machine with a VMM. A step is never of both kinds: what a machine does not have is not there. */
interface ShownStepRecord extends StepRecord {
  readonly calls: List<VmmCall>;
}

interface ObservationRecord {
  readonly observation: Mutable<DeviceObservation>;
  readonly changes: List<VectorChange>;
}

interface ShownObservationRecord extends ObservationRecord {
  readonly guest: Mutable<GuestObservation>;
  readonly guestChanges: List<VectorChange>;
}

function makeStep(): StepRecord {
  return {
    step: { outcome: OK, events: [], observation: [], clauses: [] },
    events: new List(),
    observation: new List(),
  };
}

function makeShownStep(): ShownStepRecord {
  return {
    step: { outcome: OK, events: [], observation: [], calls: [], clauses: [] },
    events: new List(),
    observation: new List(),
    calls: new List(),
  };
}

function makeObservation(): ObservationRecord {
  return {
    observation: { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: [] },
    changes: new List(),
  };
}

function makeShownObservation(): ShownObservationRecord {
  const guest = { enable: false, functionMask: false, changes: [] };
  return {
    observation: { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: [], guest },
    changes: new List(),
    guest,
    guestChanges: new List(),
  };
}

function makeChange(): Mutable<VectorChange> {
  return { vector: 0, state: 0 };
}

function makeRaised(): Mutable<Event & { kind: 'raised' }> {
  return { kind: 'raised', device: 0, vector: 0, window: null };
}

function makeSignalled(): Mutable<Event & { kind: 'signalled' }> {
  return { kind: 'signalled', eventfd: 'e0', count: 0 };
}

/** Writes Traces into objects that it made for earlier ones. A Trace is valid until the next `begin`. */
export class TracePool {
  readonly #steps = new Arena(makeStep);
  readonly #shownSteps = new Arena(makeShownStep);
  readonly #observations = new Arena(makeObservation);
  readonly #shownObservations = new Arena(makeShownObservation);
  readonly #changes = new Arena(makeChange);
  readonly #raised = new Arena(makeRaised);
  readonly #signalled = new Arena(makeSignalled);
  readonly #messages = new MessageList();
  readonly #calls = new CallPool();
  readonly #initial = new List<DeviceObservation>();
  readonly #answered = new List<Step>();
  readonly #trace: Mutable<Trace> = { initial: [], steps: [] };
  #current = makeStep();
  /** The same as #current on a machine with a VMM. */
  #shown = makeShownStep();

  /** What was told before is forgotten. `guests` is empty where there is no VMM. */
  begin(devices: readonly Device[], guests: readonly Guest[]): void {
    this.#steps.reset();
    this.#shownSteps.reset();
    this.#observations.reset();
    this.#shownObservations.reset();
    this.#changes.reset();
    this.#raised.reset();
    this.#signalled.reset();
    this.#messages.reset();
    this.#calls.reset();
    this.#answered.clear();
    this.#trace.initial =
      guests.length > 0 ? this.#observeShown(guests, this.#initial) : this.#observe(devices, this.#initial);
  }

  beginStep(): void {
    this.#current = this.#steps.next();
    this.#current.events.clear();
  }

  beginShownStep(): void {
    this.#shown = this.#shownSteps.next();
    this.#shown.events.clear();
    this.#shown.calls.clear();
    this.#current = this.#shown;
  }

  raised(device: number, vector: number, window: Window | null): void {
    const event = this.#raised.next();
    event.device = device;
    event.vector = vector;
    event.window = window;
    this.#current.events.push(event);
  }

  signalled(eventfd: EventfdName, count: number): void {
    const event = this.#signalled.next();
    event.eventfd = eventfd;
    event.count = count;
    this.#current.events.push(event);
  }

  /** The guest has received a message. */
  message(device: number, address: number, high: number, data: number): void {
    this.#messages.add(device, address, high, data);
  }

  /** A VFIO_DEVICE_SET_IRQS that the caller has still to write, to ask and to answer. */
  setIrqs(device: number, flags: number, index: number, start: number, count: number): SetIrqsCall {
    const call = this.#calls.setIrqs();
    call.begin(device, flags, index, start, count);
    this.#shown.calls.push(call.call);
    return call;
  }

  vfioReset(device: number, outcome: Outcome): void {
    this.#shown.calls.push(this.#calls.vfioReset(device, outcome));
  }

  setGsiRouting(): void {
    this.#shown.calls.push(this.#calls.setGsiRouting());
  }

  irqfd(eventfd: EventfdName, assign: boolean): void {
    this.#shown.calls.push(this.#calls.irqfd(eventfd, assign));
  }

  endStep(outcome: Outcome, devices: readonly Device[]): void {
    const { step, events, observation } = this.#current;
    step.outcome = outcome;
    step.events = events.view();
    step.observation = this.#observe(devices, observation);
    this.#answered.push(step);
  }

  endShownStep(outcome: Outcome, guests: readonly Guest[]): void {
    const { step, events, observation, calls } = this.#shown;
    for (let place = 0; place < this.#messages.length; place += 1) events.push(this.#messages.at(place));
    this.#messages.told();
    step.outcome = outcome;
    step.events = events.view();
    step.observation = this.#observeShown(guests, observation);
    step.calls = calls.view();
    this.#answered.push(step);
  }

  finish(): Trace {
    this.#trace.steps = this.#answered.view();
    return this.#trace;
  }

  #observe(devices: readonly Device[], into: List<DeviceObservation>): Observation {
    into.clear();
    for (const device of devices) into.push(this.#describe(device, this.#observations.next()));
    return into.view();
  }

  #observeShown(guests: readonly Guest[], into: List<DeviceObservation>): Observation {
    into.clear();
    for (const guest of guests) {
      const record = this.#shownObservations.next();
      guest.lookAtDevice();
      record.guest.enable = guest.enable;
      record.guest.functionMask = guest.functionMask;
      record.guest.changes = this.#changesOf(guest, record.guestChanges);
      into.push(this.#describe(guest.device, record));
    }
    return into.view();
  }

  #describe(device: Device, { observation, changes }: ObservationRecord): DeviceObservation {
    observation.enable = device.msixEnable;
    observation.msixInfoFlags = device.openCount === 0 ? 0 : device.msixInfoFlags;
    observation.registers = device.seenRegisters();
    observation.changes = this.#changesOf(device, changes);
    return observation;
  }

  #changesOf(seen: Device | Guest, into: List<VectorChange>): readonly VectorChange[] {
    into.clear();
    for (let vector = seen.nextChange(0); vector !== -1; vector = seen.nextChange(vector + 1)) {
      const change = this.#changes.next();
      change.vector = vector;
      change.state = seen.state(vector);
      into.push(change);
    }
    return into.view();
  }
}
