import {
  type DeviceObservation,
  type GuestObservation,
  type ParentObservation,
  printCall,
  printEvent,
  printOperation,
  printOutcome,
  printRegisters,
  printVectorState,
  type Step,
  type Trace,
  type VectorChange,
} from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';

/** A value of the Informal Trace Format. No number here is too large for JSON, so none is written as a big integer. */
type ItfValue =
  | string
  | number
  | boolean
  | readonly ItfValue[]
  | { readonly '#set': readonly ItfValue[] }
  | { readonly '#map': readonly (readonly [ItfValue, ItfValue])[] }
  | { readonly '#tup': readonly ItfValue[] }
  | { readonly [field: string]: ItfValue };

/** The state that one side is in, and what it answered to come there. */
interface Side {
  readonly trace: Trace;
  readonly devices: Map<number, Device>;
  readonly parent: Record<(typeof PARENT_KEYS)[number][0], Map<string, readonly [ItfValue, ItfValue]>>;
}

interface Device {
  seen: DeviceObservation;
  readonly vectors: Map<number, number>;
  readonly guestVectors: Map<number, number>;
}

/**
 * A finding in the Informal Trace Format of Apalache (ADR 015), for the explorers of that world: a state before the
 * first operation and one after each, with the operation that led there, and what the reference and the subject
 * answered and look like. Sets hold names, maps the vectors that are not idle. A subject that died stays as it was
 * last seen.
 */
export function itfJson(finding: Pick<Finding, 'scenario' | 'judgement'>, source: string): string {
  const { scenario, judgement } = finding;
  const reference = sideOf(judgement.reference);
  const subject = sideOf(judgement.subject);
  const states = [-1, ...scenario.operations.keys()].map((step) => {
    const operation = scenario.operations[step];
    return {
      '#meta': { index: step + 1, clauses: judgement.reference.steps[step]?.clauses ?? [] },
      operation: operation === undefined ? 'start' : printOperation(operation),
      reference: advance(reference, step),
      subject: advance(subject, step),
      differs: setOf(judgement.divergences.filter((divergence) => divergence.step === step).map(({ path }) => path)),
      broken: setOf(
        judgement.violations.filter((violation) => violation.step === step).map(({ invariant }) => invariant),
      ),
    };
  });
  const trace = {
    '#meta': {
      format: 'ITF',
      'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
      source,
      description: 'vfio-irq: the reference and a system beside it, operation by operation',
      config: scenario.config,
    },
    vars: ['operation', 'reference', 'subject', 'differs', 'broken'],
    states,
  };
  return `${JSON.stringify(trace, undefined, 1)}\n`;
}

const PARENT_KEYS = [
  ['entries', 'entry'],
  ['pasids', 'pasid'],
  ['mdevs', 'device'],
  ['perms', 'vector'],
  ['descriptors', 'descriptor'],
] as const;

function sideOf(trace: Trace): Side {
  const parent = { entries: new Map(), pasids: new Map(), mdevs: new Map(), perms: new Map(), descriptors: new Map() };
  return { trace, devices: new Map(), parent };
}

/** Takes in what a step says, -1 for what was there before the first, and tells the state. */
function advance(side: Side, step: number): ItfValue {
  const answer = side.trace.steps[step];
  const observation = step === -1 ? side.trace.initial : (answer?.observation ?? []);
  for (const [place, seen] of observation.entries()) {
    const device = side.devices.get(place) ?? { seen, vectors: new Map(), guestVectors: new Map() };
    side.devices.set(place, device);
    device.seen = seen;
    takeIn(device.vectors, seen.changes);
    takeIn(device.guestVectors, seen.guest?.changes ?? []);
  }
  const parent = step === -1 ? side.trace.initialParent : answer?.parent;
  if (parent !== undefined) takeInParent(side.parent, parent);
  return {
    ...(step === -1 ? { outcome: 'start', events: [], calls: [] } : answerOf(answer)),
    devices: { '#map': [...side.devices].map(([place, device]) => [place, deviceValue(device)]) },
    ...(side.trace.initialParent === undefined ? {} : { parent: parentValue(side.parent) }),
  };
}

function answerOf(step: Step | undefined): { readonly [field: string]: ItfValue } {
  if (step === undefined) return { outcome: 'not asked', events: [], calls: [] };
  const { outcome, events, calls = [] } = step;
  return { outcome: printOutcome(outcome), events: events.map(printEvent), calls: calls.map(printCall) };
}

function takeIn(states: Map<number, number>, changes: readonly VectorChange[]): void {
  for (const { vector, state } of changes) states.set(vector, state);
}

function deviceValue({ seen, vectors, guestVectors }: Device): ItfValue {
  return {
    ...controlValue(seen),
    msixInfoFlags: seen.msixInfoFlags,
    registers: setOf(wordsOf(printRegisters(seen.registers), 'none')),
    vectors: vectorsValue(vectors),
    ...(seen.guest === undefined
      ? {}
      : { guest: { ...controlValue(seen.guest), vectors: vectorsValue(guestVectors) } }),
  };
}

function controlValue({ enable, functionMask }: Pick<GuestObservation, 'enable' | 'functionMask'>): {
  readonly enable: boolean;
  readonly functionMask: boolean;
} {
  return { enable, functionMask };
}

/** The vectors that are not idle, each with the names of its state. */
function vectorsValue(states: ReadonlyMap<number, number>): ItfValue {
  const rows = [...states].filter(([, state]) => state !== 0).sort(([left], [right]) => left - right);
  return { '#map': rows.map(([vector, state]) => [vector, setOf(wordsOf(printVectorState(state), 'idle'))]) };
}

function wordsOf(text: string, nothing: string): readonly string[] {
  return text === nothing ? [] : text.split(' ');
}

function setOf(names: readonly string[]): ItfValue {
  return { '#set': [...new Set(names)] };
}

function takeInParent(parent: Side['parent'], observed: ParentObservation): void {
  for (const [name, key] of PARENT_KEYS) {
    for (const item of observed[name]) {
      const fields = new Map<string, ItfValue>(Object.entries(item));
      const number = fields.get(key) ?? 0;
      // An entry of MSIX_PERM belongs to a device.
      const identity: ItfValue = name === 'perms' ? { '#tup': [fields.get('device') ?? 0, number] } : number;
      parent[name].set(JSON.stringify(identity), [identity, Object.fromEntries(fields)]);
    }
  }
}

function parentValue(parent: Side['parent']): ItfValue {
  return Object.fromEntries(PARENT_KEYS.map(([name]) => [name, { '#map': [...parent[name].values()] }]));
}
