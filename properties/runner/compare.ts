import {
  type DeviceObservation,
  type Event,
  type GuestObservation,
  type Observation,
  PENDING,
  type Precision,
  printCall,
  printEvent,
  printOutcome,
  printRegisters,
  printVectorState,
  type Scenario,
  type Step,
  type Trace,
  UNMASKED,
  type VectorChange,
  type VmmCall,
} from '#vocabulary';
import { ParentSides } from './compare-parent.ts';
import { isSameRun, isSameStep } from './same-run.ts';
import { type Kind, Sides } from './sides.ts';
import { Told } from './told.ts';
import type { Divergence } from './verdict.ts';

/**
 * Lays two runs of one scenario side by side, under what the subject can show. It goes on after a difference;
 * a difference that lasts is reported where it begins and where it changes.
 */
export function compare(scenario: Scenario, reference: Trace, subject: Trace, precision: Precision): Divergence[] {
  if (isSameRun(reference, subject, precision)) return [];
  const told = new Told();
  const devices = scenario.config.devices.map((_, index) => new DeviceSides(index, told, precision));
  const parent = new ParentSides(told);
  // A system that ended, or declined, before it was looked at has shown nothing that could differ.
  const isUnseen = subject.initial.length === 0 && (subject.lastWords ?? subject.skipped) !== undefined;
  if (!isUnseen) {
    for (const device of devices) device.compare(-1, reference.initial, subject.initial);
    parent.compare(-1, reference.initialParent, subject.initialParent);
  }
  // A run that ended early has said so in its last outcome.
  const answered = Math.min(reference.steps.length, subject.steps.length);
  for (let step = 0; step < answered; step += 1) {
    const expected = reference.steps[step] as Step;
    const got = subject.steps[step] as Step;
    if (told.isEmpty && isSameStep(expected, got, precision)) {
      for (const device of devices) device.agree(got.observation);
      if (got.parent !== undefined) parent.agree(got.parent);
      continue;
    }
    compareAnswers(step, expected, got, precision, told);
    if (got.outcome.kind === 'unknown') continue;
    for (const device of devices) device.compare(step, expected.observation, got.observation);
    parent.compare(step, expected.parent, got.parent);
  }
  return told.found;
}

function compareAnswers(step: number, expected: Step, got: Step, precision: Precision, told: Told): void {
  told.once(step, 'outcome', printOutcome(expected.outcome), printOutcome(got.outcome));
  if (got.outcome.kind === 'unknown') return;
  told.once(step, 'events', printEvents(expected.events, precision), printEvents(got.events, precision));
  told.once(step, 'calls', printCalls(expected.calls), printCalls(got.calls));
}

function printCalls(calls: readonly VmmCall[] = []): string {
  return calls.length === 0 ? 'nothing' : calls.map(printCall).join('; ');
}

function printEvents(events: readonly Event[], { seesMessage }: Precision): string {
  const seen =
    seesMessage === undefined ? events : events.filter((event) => event.kind !== 'message' || seesMessage(event));
  return seen.length === 0 ? 'nothing' : seen.map(printEvent).join(', ');
}

/** The vectors of a device, of whose states the bits of `mask` are seen. */
function vectorsOf(mask: number): Kind<VectorChange> {
  return {
    name: ({ vector }) => `vector ${vector}`,
    print: ({ state }) => printVectorState(state & mask),
    unspoken: ({ vector }) => ({ vector, state: 0 }),
  };
}

const NO_CHANGES: readonly VectorChange[] = [];

/** One device on both sides: what its host shows, and what its guest sees. */
class DeviceSides {
  readonly #index: number;
  readonly #told: Told;
  readonly #precision: Precision;
  readonly #vectors: Sides<VectorChange>;
  readonly #guestVectors: Sides<VectorChange>;

  constructor(index: number, told: Told, precision: Precision) {
    this.#index = index;
    this.#told = told;
    this.#precision = precision;
    this.#vectors = new Sides(told, `device ${index}`, vectorsOf(precision.vectorState));
    this.#guestVectors = new Sides(told, `device ${index} guest`, vectorsOf(UNMASKED | PENDING));
  }

  /** Both sides tell the same, and nothing that differs lasts. */
  agree(observation: Observation): void {
    const { changes, guest } = observation[this.#index] as DeviceObservation;
    this.#vectors.agree(changes);
    if (guest !== undefined) this.#guestVectors.agree(guest.changes);
  }

  compare(step: number, expected: Observation, got: Observation): void {
    const left = expected[this.#index];
    const right = got[this.#index];
    if (left === undefined || right === undefined) throw new Error(`device ${this.#index} was not observed`);
    this.#registers(step, left, right);
    this.#vectors.compare(step, left.changes, right.changes);
    this.#guest(step, left.guest, right.guest);
  }

  #registers(step: number, left: DeviceObservation, right: DeviceObservation): void {
    const place = `device ${this.#index}`;
    const { messageControl, registers } = this.#precision;
    const seen = ({ registers: all }: DeviceObservation): string => printRegisters(all & registers);
    if (messageControl) {
      this.#told.register(step, `${place} enable`, String(left.enable), String(right.enable));
      this.#told.register(step, `${place} function mask`, String(left.functionMask), String(right.functionMask));
    }
    this.#told.register(step, `${place} registers`, seen(left), seen(right));
    this.#told.register(step, `${place} MSI-X flags`, String(left.msixInfoFlags), String(right.msixInfoFlags));
  }

  /** What the guest of a VMM sees. Where neither side has one there is nothing to compare. */
  #guest(step: number, left: GuestObservation | undefined, right: GuestObservation | undefined): void {
    if (left === undefined && right === undefined) return;
    this.#told.register(step, `device ${this.#index} guest Message Control`, printControl(left), printControl(right));
    this.#guestVectors.compare(step, left?.changes ?? NO_CHANGES, right?.changes ?? NO_CHANGES);
  }
}

function printControl(observation: GuestObservation | undefined): string {
  if (observation === undefined) return 'not seen';
  return `${observation.enable ? 'on' : 'off'}${observation.functionMask ? ' function-masked' : ''}`;
}
