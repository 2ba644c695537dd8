import {
  type DeviceObservation,
  type GuestObservation,
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
  type VfioReset,
  type VfioSetIrqs,
  type VmmCall,
} from '#vocabulary';
import { ParentSides } from './compare-parent.ts';
import { Told } from './told.ts';
import type { Divergence } from './verdict.ts';

/**
 * Lays two runs of one scenario side by side, under what the subject can show. It goes on after a difference;
 * a difference that lasts is reported where it begins and where it changes.
 */
export function compare(scenario: Scenario, reference: Trace, subject: Trace, precision: Precision): Divergence[] {
  const devices = scenario.config.devices.map(() => ({ host: new Sides(), guest: new Sides() }));
  const parent = new ParentSides();
  const found: Divergence[] = [];
  // A system that ended before it was looked at has shown nothing that could differ.
  const [first] = subject.steps;
  if (subject.initial.length > 0 || (first !== undefined && first.outcome.kind !== 'unknown')) {
    compareObservations(-1, reference.initial, subject.initial, devices, precision, found);
    parent.compare(-1, reference.initialParent, subject.initialParent, found);
  }
  for (const [index, expected] of reference.steps.entries()) {
    const got = subject.steps[index];
    // A run that ended early has said so in its last outcome.
    if (got === undefined) break;
    compareSteps(index, expected, got, devices, precision, found);
    if (got.outcome.kind !== 'unknown') parent.compare(index, expected.parent, got.parent, found);
  }
  return found;
}

function compareSteps(
  step: number,
  expected: Step,
  got: Step,
  devices: readonly DeviceSides[],
  precision: Precision,
  found: Divergence[],
): void {
  // Outcomes and events are compared as they print: the notation says all there is to them.
  const outcomes = [printOutcome(expected.outcome), printOutcome(got.outcome)] as const;
  if (outcomes[0] !== outcomes[1]) found.push({ step, path: 'outcome', expected: outcomes[0], got: outcomes[1] });
  if (got.outcome.kind === 'unknown') return;
  if (expected.events.length > 0 || got.events.length > 0) {
    const events = [printEvents(expected, precision), printEvents(got, precision)] as const;
    if (events[0] !== events[1]) found.push({ step, path: 'events', expected: events[0], got: events[1] });
  }
  if (!areSameCalls(expected.calls ?? [], got.calls ?? []))
    found.push({ step, path: 'calls', expected: printCalls(expected), got: printCalls(got) });
  compareObservations(step, expected.observation, got.observation, devices, precision, found);
}

/** Looks before anything is printed: nearly always they are the same. */
function areSameCalls(expected: readonly VmmCall[], got: readonly VmmCall[]): boolean {
  return expected.length === got.length && expected.every((call, place) => isSameCall(call, got[place]));
}

function isSameCall(expected: VmmCall, got: VmmCall | undefined): boolean {
  if (got === undefined || got.kind !== expected.kind) return false;
  if (expected.kind !== 'vfio' || got.kind !== 'vfio' || !isSameRange(expected.operation, got.operation))
    return printCall(expected) === printCall(got);
  const answers = [printOutcome(expected.outcome), printOutcome(got.outcome)] as const;
  return answers[0] === answers[1];
}

function isSameRange(expected: VfioSetIrqs | VfioReset, got: VfioSetIrqs | VfioReset): boolean {
  if (expected.kind !== 'vfio.setIrqs' || got.kind !== 'vfio.setIrqs') return false;
  return (
    expected.device === got.device &&
    expected.flags === got.flags &&
    expected.index === got.index &&
    expected.start === got.start &&
    expected.count === got.count &&
    expected.data.length === got.data.length &&
    expected.data.every((element, place) => element === got.data[place])
  );
}

function printCalls({ calls = [] }: Step): string {
  return calls.length === 0 ? 'nothing' : calls.map(printCall).join('; ');
}

function printEvents({ events }: Step, { seesMessage }: Precision): string {
  const seen =
    seesMessage === undefined ? events : events.filter((event) => event.kind !== 'message' || seesMessage(event));
  return seen.length === 0 ? 'nothing' : seen.map(printEvent).join(', ');
}

function compareObservations(
  step: number,
  expected: readonly DeviceObservation[],
  got: readonly DeviceObservation[],
  devices: readonly DeviceSides[],
  precision: Precision,
  found: Divergence[],
): void {
  for (const [index, { host: sides, guest }] of devices.entries()) {
    const left = expected[index];
    const right = got[index];
    if (left === undefined || right === undefined) throw new Error(`device ${index} was not observed`);
    if (precision.messageControl) {
      sides.register(step, `device ${index} enable`, String(left.enable), String(right.enable), found);
      sides.register(
        step,
        `device ${index} function mask`,
        String(left.functionMask),
        String(right.functionMask),
        found,
      );
    }
    const registers = [left.registers & precision.registers, right.registers & precision.registers] as const;
    if (registers[0] !== registers[1] || sides.hasTold)
      sides.register(
        step,
        `device ${index} registers`,
        printRegisters(registers[0]),
        printRegisters(registers[1]),
        found,
      );
    const flags = [String(left.msixInfoFlags), String(right.msixInfoFlags)] as const;
    sides.register(step, `device ${index} MSI-X flags`, flags[0], flags[1], found);
    sides.vectors(step, `device ${index}`, left.changes, right.changes, precision.vectorState, found);
    compareGuests(step, `device ${index} guest`, left.guest, right.guest, guest, found);
  }
}

/** What the guest of a VMM sees. Where neither side has one there is nothing to compare. */
function compareGuests(
  step: number,
  place: string,
  expected: GuestObservation | undefined,
  got: GuestObservation | undefined,
  sides: Sides,
  found: Divergence[],
): void {
  if (expected === undefined && got === undefined) return;
  const controls = [printControl(expected), printControl(got)] as const;
  sides.register(step, `${place} Message Control`, controls[0], controls[1], found);
  sides.vectors(step, place, expected?.changes ?? [], got?.changes ?? [], UNMASKED | PENDING, found);
}

function printControl(observation: GuestObservation | undefined): string {
  if (observation === undefined) return 'not seen';
  return `${observation.enable ? 'on' : 'off'}${observation.functionMask ? ' function-masked' : ''}`;
}

/** One device on both sides: what its host shows, and what its guest sees. */
interface DeviceSides {
  readonly host: Sides;
  readonly guest: Sides;
}

/** One device on both sides, as the observations so far add up. */
class Sides {
  readonly #reference = new Map<number, number>();
  readonly #subject = new Map<number, number>();
  readonly #told = new Told();

  get hasTold(): boolean {
    return !this.#told.isEmpty;
  }

  register(step: number, path: string, expected: string, got: string, found: Divergence[]): void {
    this.#told.register(step, path, expected, got, found);
  }

  vectors(
    step: number,
    place: string,
    expected: readonly VectorChange[],
    got: readonly VectorChange[],
    mask: number,
    found: Divergence[],
  ): void {
    for (const { vector, state } of expected) this.#reference.set(vector, state);
    for (const { vector, state } of got) this.#subject.set(vector, state);
    for (const { vector } of expected) this.#vector(step, place, vector, mask, found);
    for (const { vector } of got) this.#vector(step, place, vector, mask, found);
  }

  #vector(step: number, place: string, vector: number, mask: number, found: Divergence[]): void {
    const expected = (this.#reference.get(vector) ?? 0) & mask;
    const got = (this.#subject.get(vector) ?? 0) & mask;
    if (expected === got && this.#told.isEmpty) return;
    this.register(step, `${place} vector ${vector}`, printVectorState(expected), printVectorState(got), found);
  }
}
