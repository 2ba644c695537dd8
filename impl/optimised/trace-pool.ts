import type {
  DeviceObservation,
  Event,
  EventfdName,
  Observation,
  Outcome,
  Step,
  Trace,
  VectorChange,
  Window,
} from '#vocabulary';
import type { Device } from './device.ts';
import { OK } from './outcomes.ts';
import { Arena, List } from './pool.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A Step and the lists its arrays are views of. */
interface StepRecord {
  readonly step: Mutable<Step>;
  readonly events: List<Event>;
  readonly observation: List<DeviceObservation>;
}

interface ObservationRecord {
  readonly observation: Mutable<DeviceObservation>;
  readonly changes: List<VectorChange>;
}

function makeStep(): StepRecord {
  return {
    step: { outcome: OK, events: [], observation: [], clauses: [] },
    events: new List(),
    observation: new List(),
  };
}

function makeObservation(): ObservationRecord {
  return {
    observation: { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, changes: [] },
    changes: new List(),
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
  readonly #observations = new Arena(makeObservation);
  readonly #changes = new Arena(makeChange);
  readonly #raised = new Arena(makeRaised);
  readonly #signalled = new Arena(makeSignalled);
  readonly #initial = new List<DeviceObservation>();
  readonly #answered = new List<Step>();
  readonly #trace: Mutable<Trace> = { initial: [], steps: [] };
  #current = makeStep();

  begin(devices: readonly Device[]): void {
    this.#steps.reset();
    this.#observations.reset();
    this.#changes.reset();
    this.#raised.reset();
    this.#signalled.reset();
    this.#answered.clear();
    this.#trace.initial = this.#observe(devices, this.#initial);
  }

  beginStep(): void {
    this.#current = this.#steps.next();
    this.#current.events.clear();
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

  endStep(outcome: Outcome, devices: readonly Device[]): void {
    const { step, events, observation } = this.#current;
    step.outcome = outcome;
    step.events = events.view();
    step.observation = this.#observe(devices, observation);
    this.#answered.push(step);
  }

  finish(): Trace {
    this.#trace.steps = this.#answered.view();
    return this.#trace;
  }

  #observe(devices: readonly Device[], into: List<DeviceObservation>): Observation {
    into.clear();
    for (const device of devices) {
      const { observation, changes } = this.#observations.next();
      observation.enable = device.msixEnable;
      observation.msixInfoFlags = device.openCount === 0 ? 0 : device.msixInfoFlags;
      observation.registers = device.seenRegisters();
      observation.changes = this.#changesOf(device, changes);
      into.push(observation);
    }
    return into.view();
  }

  #changesOf(device: Device, into: List<VectorChange>): readonly VectorChange[] {
    into.clear();
    for (let vector = device.nextChange(0); vector !== -1; vector = device.nextChange(vector + 1)) {
      const change = this.#changes.next();
      change.vector = vector;
      change.state = device.state(vector);
      into.push(change);
    }
    return into.view();
  }
}
