import { createInterface } from 'node:readline';
import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  type DeviceObservation,
  type Event,
  type GuestObservation,
  type Observation,
  type Outcome,
  type ParentObservation,
  PENDING,
  type Scenario,
  type Step,
  type System,
  type Trace,
  UNMASKED,
  type VectorChange,
} from '#vocabulary';
import { PROTOCOL_VERSION } from './hello.ts';

/** A message as it comes. Who asks is this suite, so it is not looked at twice. */
type Message =
  | { readonly seq: number; readonly message: 'hello' | 'observe' | 'stop' }
  | { readonly seq: number; readonly message: 'configure'; readonly config: Scenario['config'] }
  | { readonly seq: number; readonly message: 'run'; readonly operations: Scenario['operations'] };

/** Answers on stdout what is asked on stdin, for a system in this process, until it is told to stop. */
export async function serve(system: System): Promise<void> {
  let config: Scenario['config'] | undefined;
  let refusal = 'nothing was configured';
  let state = new WholeState();
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as Message;
    const { seq } = message;
    switch (message.message) {
      case 'hello':
        answer({ seq, ...helloOf(system) });
        break;
      case 'configure': {
        const { devicesMax } = system.support;
        const isRefused = message.config.devices.length > devicesMax;
        config = isRefused ? undefined : message.config;
        refusal = `there are at most ${devicesMax} devices`;
        state = new WholeState();
        if (config === undefined) answer({ seq, skipped: refusal });
        else answer({ seq, ...state.add(await system.run({ config, operations: [] })) });
        break;
      }
      case 'run': {
        if (config === undefined) {
          if (message.operations.length > 0) answer({ seq, step: 0, skipped: refusal });
          break;
        }
        const trace = await system.run({ config, operations: message.operations });
        const lines = trace.steps.map((step, place) => JSON.stringify({ seq, step: place, ...state.step(step) }));
        if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
        break;
      }
      case 'observe':
        answer({ seq, ...(config === undefined ? { skipped: refusal } : state.whole()) });
        break;
      case 'stop':
        answer({ seq });
        return;
    }
  }
}

function answer(reply: object): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

function helloOf({ name, support, precision }: System): object {
  const { operations, functions, withoutRemapping, vmm, devicesMax, host } = support;
  const bits = { allocated: ALLOCATED, armed: ARMED, unmasked: UNMASKED, pending: PENDING, 'address-0': ADDRESS_0 };
  return {
    protocol: PROTOCOL_VERSION,
    name,
    operations: [...operations],
    functions,
    devices: devicesMax,
    host: host === 'configured' ? 'any' : 'own',
    vmm: vmm === 'configured' ? 'any' : vmm,
    withoutRemapping,
    sees: [
      ...Object.entries(bits).flatMap(([word, bit]) => ((precision.vectorState & bit) === 0 ? [] : [word])),
      ...(precision.messageControl ? ['message-control'] : []),
      ...(precision.registers === 0 ? [] : ['registers']),
    ],
  };
}

/** What has been told of the machine so far, added up. */
class WholeState {
  readonly #devices: Record<number, DeviceTold> = {};
  readonly #parent: Record<keyof ParentObservation, Map<string, object>> = {
    entries: new Map(),
    pasids: new Map(),
    mdevs: new Map(),
    perms: new Map(),
    descriptors: new Map(),
  };

  /** The state before the first operation. */
  add({ initial, initialParent }: Trace): object {
    return this.#told(initial, initialParent);
  }

  step({ outcome, events, observation, parent, calls }: Step): object {
    return {
      ...wireOutcome(outcome),
      events: events.filter(({ kind }) => kind !== 'signalled'),
      ...signalsOf(events),
      ...this.#told(observation, parent),
      ...(calls === undefined || calls.length === 0 ? {} : { calls: calls.map(wireCall) }),
    };
  }

  whole(): object {
    const lists = Object.entries(this.#parent).map(([name, known]) => [name, [...known.values()]]);
    return { devices: this.#devices, parent: Object.fromEntries(lists) };
  }

  #told(observation: Observation, parent: ParentObservation | undefined): object {
    const told: Record<number, object> = {};
    observation.forEach((device, place) => {
      const changed = this.#device(device, place);
      if (Object.keys(changed).length > 0) told[place] = changed;
    });
    return { ...(Object.keys(told).length === 0 ? {} : { devices: told }), ...this.#parentTold(parent) };
  }

  #device({ changes, guest, ...registers }: DeviceObservation, place: number): object {
    const known = this.#devices[place];
    const kept = known ?? { vectors: {} };
    this.#devices[place] = kept;
    const told = { ...differing(kept, registers), ...vectorsOf(kept, changes) };
    if (guest === undefined) return told;
    const guestChanged = this.#guest(kept, guest);
    return known === undefined || Object.keys(guestChanged).length > 0 ? { ...told, guest: guestChanged } : told;
  }

  #guest(kept: DeviceTold, { changes, ...control }: GuestObservation): object {
    kept.guest ??= { vectors: {} };
    return { ...differing(kept.guest, control), ...vectorsOf(kept.guest, changes) };
  }

  #parentTold(parent: ParentObservation | undefined): object {
    if (parent === undefined) return {};
    const filled = Object.entries(parent).filter(([, list]) => list.length > 0);
    for (const [name, list] of filled)
      for (const entry of list) this.#parent[name as keyof ParentObservation].set(keyOf(name, entry), { ...entry });
    return filled.length === 0 ? {} : { parent: Object.fromEntries(filled) };
  }
}

/** What is told of a device, or of what its guest sees. */
interface DeviceTold {
  [field: string]: unknown;
  readonly vectors: Record<number, number>;
  guest?: DeviceTold;
}

function keyOf(name: string, entry: object): string {
  const { device, vector, entry: index, pasid, descriptor } = entry as Record<string, number>;
  switch (name) {
    case 'perms':
      return `${device} ${vector}`;
    case 'entries':
      return `${index}`;
    case 'pasids':
      return `${pasid}`;
    case 'descriptors':
      return `${descriptor}`;
  }
  return `${device}`;
}

function differing(kept: DeviceTold, fields: object): object {
  const changed = Object.entries(fields).filter(([name, value]) => kept[name] !== value);
  Object.assign(kept, fields);
  return Object.fromEntries(changed);
}

function vectorsOf(kept: DeviceTold, changes: readonly VectorChange[]): object {
  if (changes.length === 0) return {};
  const vectors = Object.fromEntries(changes.map(({ vector, state }) => [vector, state]));
  Object.assign(kept.vectors, vectors);
  return { vectors };
}

function signalsOf(events: readonly Event[]): object {
  const signals = events.flatMap((event) => (event.kind === 'signalled' ? [[event.eventfd, event.count]] : []));
  return signals.length === 0 ? {} : { signals: Object.fromEntries(signals) };
}

function wireCall(call: NonNullable<Step['calls']>[number]): object {
  return call.kind === 'vfio' ? { kind: call.kind, operation: call.operation, ...wireOutcome(call.outcome) } : call;
}

function wireOutcome(outcome: Outcome): object {
  switch (outcome.kind) {
    case 'ok':
      return {};
    case 'irqInfo':
      return { outcome: { flags: outcome.flags, count: outcome.count } };
    case 'value':
      return { outcome: { value: outcome.value } };
    case 'status':
      return { outcome: { status: outcome.status } };
    case 'errno':
      return { outcome: outcome.errno };
    case 'positive':
      return { outcome: { positive: outcome.value } };
    case 'unknown':
      throw new Error('a system in this process has died');
  }
}
