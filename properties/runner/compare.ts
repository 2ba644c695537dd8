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
  VECTOR_STATE_MASK,
  type VectorChange,
  type VmmCall,
} from '#vocabulary';
import { ParentSides } from './compare-parent.ts';
import { isSameCall, isSameEvent, isSameOutcome } from './same.ts';
import { areSame, type Kind, Sides } from './sides.ts';
import { Told } from './told.ts';
import type { Divergence } from './verdict.ts';

/**
 * Lays two runs of one scenario side by side, under what the subject can show. It goes on after a difference;
 * a difference that lasts is reported where it begins and where it changes.
 */
export function compare(scenario: Scenario, reference: Trace, subject: Trace, precision: Precision): Divergence[] {
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
    compareAnswers(step, expected, got, precision, told);
    if (got.outcome.kind === 'unknown') continue;
    for (const device of devices) device.compare(step, expected.observation, got.observation);
    parent.compare(step, expected.parent, got.parent);
  }
  return told.found;
}

const NO_CALLS: readonly VmmCall[] = [];

/** Only what differs is printed: it is the notation that says whether that can be seen. */
function compareAnswers(step: number, expected: Step, got: Step, precision: Precision, told: Told): void {
  if (!isSameOutcome(expected.outcome, got.outcome))
    told.once(step, 'outcome', printOutcome(expected.outcome), printOutcome(got.outcome));
  if (got.outcome.kind === 'unknown') return;
  if (!areSame(expected.events, got.events, isSameEvent))
    told.once(step, 'events', printEvents(expected.events, precision), printEvents(got.events, precision));
  const { calls: expectedCalls = NO_CALLS } = expected;
  const { calls: gotCalls = NO_CALLS } = got;
  if (!areSame(expectedCalls, gotCalls, isSameCall))
    told.once(step, 'calls', printCalls(expectedCalls), printCalls(gotCalls));
}

function printCalls(calls: readonly VmmCall[]): string {
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
    isSame: (left, right) => left.vector === right.vector && ((left.state ^ right.state) & mask) === 0,
    name: ({ vector }) => `vector ${vector}`,
    print: ({ state }) => printVectorState(state & mask),
    unspoken: ({ vector }) => ({ vector, state: 0 }),
  };
}

/** By what is seen of them, so that none is made for a scenario. */
const VECTORS = Array.from({ length: VECTOR_STATE_MASK + 1 }, (_, mask) => vectorsOf(mask));
function vectorsSeen(mask: number): Kind<VectorChange> {
  return VECTORS[mask] as Kind<VectorChange>;
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
    this.#vectors = new Sides(told, `device ${index}`, vectorsSeen(precision.vectorState));
    this.#guestVectors = new Sides(told, `device ${index} guest`, vectorsSeen(UNMASKED | PENDING));
  }

  compare(step: number, expected: Observation, got: Observation): void {
    const left = expected[this.#index];
    const right = got[this.#index];
    if (left === undefined || right === undefined) throw new Error(`device ${this.#index} was not observed`);
    if (!this.#told.isEmpty || !this.#isSame(left, right)) this.#registers(step, left, right);
    this.#vectors.compare(step, left.changes, right.changes);
    this.#guest(step, left.guest, right.guest);
  }

  #isSame(left: DeviceObservation, right: DeviceObservation): boolean {
    const { messageControl, registers } = this.#precision;
    if (messageControl && (left.enable !== right.enable || left.functionMask !== right.functionMask)) return false;
    return ((left.registers ^ right.registers) & registers) === 0 && left.msixInfoFlags === right.msixInfoFlags;
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
    const isSame =
      left !== undefined &&
      right !== undefined &&
      left.enable === right.enable &&
      left.functionMask === right.functionMask;
    if (!this.#told.isEmpty || !isSame) {
      const path = `device ${this.#index} guest Message Control`;
      this.#told.register(step, path, printControl(left), printControl(right));
    }
    this.#guestVectors.compare(step, left?.changes ?? NO_CHANGES, right?.changes ?? NO_CHANGES);
  }
}

function printControl(observation: GuestObservation | undefined): string {
  if (observation === undefined) return 'not seen';
  return `${observation.enable ? 'on' : 'off'}${observation.functionMask ? ' function-masked' : ''}`;
}
