import {
  type DeviceObservation,
  type GuestObservation,
  type Observation,
  PENDING,
  type Precision,
  type Step,
  type Trace,
  UNMASKED,
  type VectorChange,
  type VmmCall,
} from '#vocabulary';
import { areSame, isSameCall, isSameEvent, isSameOutcome } from './same.ts';
import { isSameParent } from './same-parent.ts';

/**
 * Whether two runs are the same in everything that the subject can show. Nearly always they are, and then nothing has
 * to be remembered or printed to know it. Where they are not, they may print the same even so.
 */
export function isSameRun(reference: Trace, subject: Trace, precision: Precision): boolean {
  if (reference.steps.length !== subject.steps.length) return false;
  if (!isSameObservation(reference.initial, subject.initial, precision)) return false;
  if (!isSameParent(reference.initialParent, subject.initialParent)) return false;
  for (let place = 0; place < reference.steps.length; place += 1)
    if (!isSameStep(reference.steps[place] as Step, subject.steps[place] as Step, precision)) return false;
  return true;
}

/** The same of one step. */
export function isSameStep(left: Step, right: Step, precision: Precision): boolean {
  return (
    isSameOutcome(left.outcome, right.outcome) &&
    areSame(left.events, right.events, isSameEvent) &&
    isSameObservation(left.observation, right.observation, precision) &&
    areSameCalls(left.calls, right.calls) &&
    isSameParent(left.parent, right.parent)
  );
}

function areSameCalls(left: readonly VmmCall[] | undefined, right: readonly VmmCall[] | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return areSame(left, right, isSameCall);
}

function isSameObservation(left: Observation, right: Observation, precision: Precision): boolean {
  if (left.length !== right.length) return false;
  for (let place = 0; place < left.length; place += 1)
    if (!isSameDevice(left[place] as DeviceObservation, right[place] as DeviceObservation, precision)) return false;
  return true;
}

function isSameDevice(left: DeviceObservation, right: DeviceObservation, precision: Precision): boolean {
  const { messageControl, registers, vectorState } = precision;
  if (messageControl && (left.enable !== right.enable || left.functionMask !== right.functionMask)) return false;
  return (
    ((left.registers ^ right.registers) & registers) === 0 &&
    left.msixInfoFlags === right.msixInfoFlags &&
    areSameChanges(left.changes, right.changes, vectorState) &&
    isSameGuest(left.guest, right.guest)
  );
}

function isSameGuest(left: GuestObservation | undefined, right: GuestObservation | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.enable === right.enable &&
    left.functionMask === right.functionMask &&
    areSameChanges(left.changes, right.changes, UNMASKED | PENDING)
  );
}

/** @param seen the bits of a vector's state that are seen */
function areSameChanges(left: readonly VectorChange[], right: readonly VectorChange[], seen: number): boolean {
  if (left.length !== right.length) return false;
  for (let place = 0; place < left.length; place += 1) {
    const [one, other] = [left[place] as VectorChange, right[place] as VectorChange];
    if (one.vector !== other.vector || ((one.state ^ other.state) & seen) !== 0) return false;
  }
  return true;
}
