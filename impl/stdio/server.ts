import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  type DeviceObservation,
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
  | {
      readonly seq: number;
      readonly message: 'run';
      readonly operations: Scenario['operations'];
      readonly flush: boolean;
    };

/** Answers on stdout what is asked on stdin, for a system in this process, until it is told to stop. */
export async function serve(system: System): Promise<void> {
  const session = new Session(system);
  let begun = '';
  process.stdin.setEncoding('utf8');
  for await (const data of process.stdin as AsyncIterable<string>) {
    const lines = `${begun}${data}`.split('\n');
    begun = lines.pop() ?? '';
    // What came together is answered together: each write costs as much as many operations.
    let answers = '';
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      if (message.message === 'run' && message.flush) {
        process.stdout.write(answers);
        answers = '';
      }
      answers += await session.answers(message);
    }
    process.stdout.write(answers);
    if (session.isOver) return;
  }
}

/** What is known between one message and the next. */
class Session {
  readonly #system: System;
  #config: Scenario['config'] | undefined;
  #refusal = 'nothing was configured';
  #state = new WholeState(false);
  #isOver = false;

  constructor(system: System) {
    this.#system = system;
  }

  /** Whether it was told to stop. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The lines that answer a message. */
  async answers(message: Message): Promise<string> {
    const { seq } = message;
    switch (message.message) {
      case 'hello':
        return line({ seq, ...helloOf(this.#system) });
      case 'configure':
        return line({ seq, ...(await this.#configure(message.config)) });
      case 'run':
        return this.#run(message);
      case 'observe':
        return line({ seq, ...(this.#config === undefined ? { skipped: this.#refusal } : this.#state.whole()) });
      case 'stop':
        this.#isOver = true;
        return line({ seq });
    }
  }

  async #configure(config: Scenario['config']): Promise<object> {
    const { devicesMax } = this.#system.support;
    this.#refusal = `there are at most ${devicesMax} devices`;
    this.#config = config.devices.length > devicesMax ? undefined : config;
    if (this.#config === undefined) return { skipped: this.#refusal };
    this.#state = new WholeState(config.vmm !== undefined || config.mdev !== undefined);
    return this.#state.add(await this.#system.run({ config, operations: [] }));
  }

  async #run({ seq, operations }: Extract<Message, { readonly message: 'run' }>): Promise<string> {
    if (this.#config === undefined)
      return operations.length === 0 ? '' : line({ seq, step: 0, skipped: this.#refusal });
    const { steps } = await this.#system.run({ config: this.#config, operations });
    let lines = '';
    for (let place = 0; place < steps.length; place += 1)
      lines += line(this.#state.step({ seq, step: place }, steps[place] as Step));
    return lines;
  }
}

function line(reply: object): string {
  return `${JSON.stringify(reply)}\n`;
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

/** An answer while it is put together. */
type Reply = Record<string, unknown>;

/** What has been told of the machine so far, added up. */
class WholeState {
  readonly #tellsEvents: boolean;
  readonly #devices: Record<number, DeviceTold> = {};
  readonly #parent: Record<keyof ParentObservation, Map<string, object>> = {
    entries: new Map(),
    pasids: new Map(),
    mdevs: new Map(),
    perms: new Map(),
    descriptors: new Map(),
  };

  /** @param tellsEvents whether there is anything in between that makes events of its own */
  constructor(tellsEvents: boolean) {
    this.#tellsEvents = tellsEvents;
  }

  /** The state before the first operation. */
  add({ initial, initialParent }: Trace): object {
    const reply: Reply = {};
    this.#tell(reply, initial, initialParent);
    return reply;
  }

  /** Adds what an operation did to the answer. */
  step(reply: Reply, { outcome, events, observation, parent, calls }: Step): object {
    const returned = wireOutcome(outcome);
    if (returned !== 'ok') reply['outcome'] = returned;
    const others = this.#tellsEvents ? events.filter(({ kind }) => kind !== 'signalled') : [];
    if (others.length > 0) reply['events'] = others;
    for (const event of events) if (event.kind === 'signalled') within(reply, 'signals')[event.eventfd] = event.count;
    this.#tell(reply, observation, parent);
    if (calls !== undefined && calls.length > 0) reply['calls'] = calls.map(wireCall);
    return reply;
  }

  whole(): object {
    const lists = Object.entries(this.#parent).map(([name, known]) => [name, [...known.values()]]);
    return { devices: this.#devices, parent: Object.fromEntries(lists) };
  }

  #tell(reply: Reply, observation: Observation, parent: ParentObservation | undefined): void {
    for (let place = 0; place < observation.length; place += 1) {
      const changed = this.#device(observation[place] as DeviceObservation, place);
      if (changed !== undefined) within(reply, 'devices')[place] = changed;
    }
    if (parent !== undefined) this.#tellParent(reply, parent);
  }

  /** What is not as it was told before, or undefined where all is. */
  #device(seen: DeviceObservation, place: number): Reply | undefined {
    let kept = this.#devices[place];
    const isNew = kept === undefined;
    kept ??= { vectors: {} };
    this.#devices[place] = kept;
    const { enable, functionMask, msixInfoFlags, registers, changes, guest } = seen;
    const changed = differing(kept, { enable, functionMask, msixInfoFlags, registers }, changes);
    if (guest === undefined) return changed;
    kept.guest ??= { vectors: {} };
    const guestChanged = differing(
      kept.guest,
      { enable: guest.enable, functionMask: guest.functionMask },
      guest.changes,
    );
    return guestChanged === undefined && !isNew ? changed : { ...changed, guest: guestChanged ?? {} };
  }

  #tellParent(reply: Reply, parent: ParentObservation): void {
    for (const name of PARENT_LISTS) {
      const entries = parent[name];
      if (entries.length === 0) continue;
      within(reply, 'parent')[name] = entries;
      for (const entry of entries) this.#parent[name].set(keyOf(name, entry), { ...entry });
    }
  }
}

const PARENT_LISTS = ['entries', 'pasids', 'mdevs', 'perms', 'descriptors'] as const;

/** What is told of a device, or of what its guest sees. */
interface DeviceTold {
  [field: string]: unknown;
  readonly vectors: Record<number, number>;
  guest?: DeviceTold;
}

/** The object in a field, made where there is none. */
function within(reply: Reply, name: string): Reply {
  const found = (reply[name] ?? {}) as Reply;
  reply[name] = found;
  return found;
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

/** Keeps what is seen, and returns what was not so before; undefined where there is nothing. */
function differing(kept: DeviceTold, seen: Reply, changes: readonly VectorChange[]): Reply | undefined {
  let changed: Reply | undefined;
  for (const name in seen) {
    if (kept[name] === seen[name]) continue;
    kept[name] = seen[name];
    changed ??= {};
    changed[name] = seen[name];
  }
  if (changes.length === 0) return changed;
  const vectors: Record<number, number> = {};
  for (const { vector, state } of changes) {
    vectors[vector] = state;
    kept.vectors[vector] = state;
  }
  changed ??= {};
  changed['vectors'] = vectors;
  return changed;
}

function wireCall(call: NonNullable<Step['calls']>[number]): object {
  return call.kind === 'vfio'
    ? { kind: call.kind, operation: call.operation, outcome: wireOutcome(call.outcome) }
    : call;
}

function wireOutcome(outcome: Outcome): string | object {
  switch (outcome.kind) {
    case 'ok':
      return 'ok';
    case 'irqInfo':
      return { flags: outcome.flags, count: outcome.count };
    case 'value':
      return { value: outcome.value };
    case 'status':
      return { status: outcome.status };
    case 'errno':
      return outcome.errno;
    case 'positive':
      return { positive: outcome.value };
    case 'unknown':
      throw new Error('a system in this process has died');
  }
}
