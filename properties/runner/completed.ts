import {
  type DeviceObservation,
  type Event,
  type Observation,
  type Precision,
  REGISTERS_MASK,
  type Trace,
  VECTOR_STATE_MASK,
} from '#vocabulary';

/**
 * A run with what its system cannot show as the reference has it: an invariant wants to see everything, and what is not
 * seen is no violation.
 */
export function completed(subject: Trace, reference: Trace, precision: Precision): Trace {
  return withMessages(withState(subject, reference, precision), reference, precision);
}

function withMessages(subject: Trace, reference: Trace, { seesMessage }: Precision): Trace {
  if (seesMessage === undefined) return subject;
  const isSeen = (event: Event): boolean => event.kind !== 'message' || seesMessage(event);
  const steps = subject.steps.map((step, index) => {
    const unseen = (reference.steps[index]?.events ?? []).filter((event) => !isSeen(event));
    return unseen.length === 0 ? step : { ...step, events: [...step.events.filter(isSeen), ...unseen] };
  });
  return { ...subject, steps };
}

function withState(subject: Trace, reference: Trace, precision: Precision): Trace {
  const seesAll =
    precision.vectorState === VECTOR_STATE_MASK && precision.messageControl && precision.registers === REGISTERS_MASK;
  if (seesAll) return subject;
  const places = reference.initial.map(() => new BothStates(precision));
  const complete = (shown: Observation, known: Observation): Observation =>
    shown.map((device, place) => places[place]?.complete(device, known[place]) ?? device);
  return {
    ...subject,
    initial: complete(subject.initial, reference.initial),
    steps: subject.steps.map((step, index) => ({
      ...step,
      observation: complete(step.observation, reference.steps[index]?.observation ?? []),
    })),
  };
}

/** The vectors of one device, as both sides have them so far. */
class BothStates {
  readonly #precision: Precision;
  readonly #shown = new Map<number, number>();
  readonly #known = new Map<number, number>();

  constructor(precision: Precision) {
    this.#precision = precision;
  }

  complete(shown: DeviceObservation, known: DeviceObservation | undefined): DeviceObservation {
    if (known === undefined) return shown;
    const { vectorState, messageControl, registers } = this.#precision;
    for (const { vector, state } of shown.changes) this.#shown.set(vector, state & vectorState);
    for (const { vector, state } of known.changes) this.#known.set(vector, state & ~vectorState);
    const changed = new Set([...shown.changes, ...known.changes].map(({ vector }) => vector));
    return {
      ...shown,
      ...(messageControl ? {} : { enable: known.enable, functionMask: known.functionMask }),
      registers: (shown.registers & registers) | (known.registers & ~registers),
      changes: [...changed]
        .sort((left, right) => left - right)
        .map((vector) => ({ vector, state: (this.#shown.get(vector) ?? 0) | (this.#known.get(vector) ?? 0) })),
    };
  }
}
