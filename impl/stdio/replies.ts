import {
  type Errno,
  type Event,
  type EventfdName,
  type Operation,
  type Outcome,
  type ParentObservation,
  REGISTERS_MASK,
  VECTOR_STATE_MASK,
  type VfioReset,
  type VfioSetIrqs,
  type VmmCall,
  WINDOWS,
} from '#vocabulary';
import {
  byNumber,
  fields,
  flag,
  isRecord,
  list,
  oneOf,
  orElse,
  type Read,
  readWithin,
  text,
  uint32,
  whole,
  wrong,
} from './shape.ts';

const errno: Read<Errno> = (value) => {
  if (typeof value === 'string' && /^(E[A-Z0-9]+|errno [1-9]\d*)$/.test(value)) return value as Errno;
  throw wrong('an errno such as "EINVAL" or "errno 95"', value);
};

const irqInfo = fields({ flags: uint32, count: uint32 });
const valued = fields({ value: uint32 });
const failed = fields({ status: uint32 });
const positive = fields({ positive: whole(1, 0xffffffff) });
const OK: Outcome = { kind: 'ok' };

/** What an operation returned, in as few letters as there can be. */
const outcome: Read<Outcome> = (value) => {
  if (value === undefined || value === 'ok') return OK;
  if (!isRecord(value)) return { kind: 'errno', errno: errno(value) };
  if ('count' in value) return { kind: 'irqInfo', ...irqInfo(value) };
  if ('value' in value) return { kind: 'value', ...valued(value) };
  if ('status' in value) return { kind: 'status', ...failed(value) };
  if ('positive' in value) return { kind: 'positive', value: positive(value).positive };
  throw wrong('"ok", an errno, or an object with count, value, status or positive', value);
};

const eventfd: Read<EventfdName> = (value) => {
  if (typeof value === 'string' && /^e(0|[1-9]\d{0,5})$/.test(value)) return value as EventfdName;
  throw wrong('an eventfd such as "e0"', value);
};

const kindOf = <Kind extends string>(...kinds: readonly Kind[]): Read<Kind> => oneOf(kinds);
const device = whole(0, 15);
const count = whole(1, 0xffffffff);
const raised = fields({
  kind: kindOf('raised'),
  device,
  vector: uint32,
  window: (value) => (value === null || value === undefined ? null : oneOf(WINDOWS)(value)),
});
const completed = fields({ kind: kindOf('completed'), device, descriptor: uint32, status: uint32 });
const refused = fields({ kind: kindOf('error'), device, pasid: uint32 });
const revoked = fields({ kind: kindOf('revoked'), device });
const message = fields({
  kind: kindOf('message'),
  device,
  address: uint32,
  high: uint32,
  data: uint32,
  count: orElse(count, 1),
});
const NO_EVENTS: readonly Event[] = [];
const EVENTS = { raised, completed, error: refused, revoked, message };

const eventKind = oneOf(Object.keys(EVENTS) as readonly (keyof typeof EVENTS)[]);

/** Signals stand in a field of their own. */
const event: Read<Event> = (value) => {
  if (!isRecord(value)) throw wrong('an object', value);
  return EVENTS[readWithin(eventKind, value['kind'], 'kind')](value);
};

/** Counts by eventfd, ascending by its number. */
const signals: Read<readonly Event[]> = (value) => {
  if (value === undefined) return NO_EVENTS;
  if (!isRecord(value)) throw wrong('an object such as {"e0":1}', value);
  const events = Object.keys(value).map((name) => ({
    kind: 'signalled' as const,
    eventfd: eventfd(name),
    count: readWithin(count, value[name], name),
  }));
  return events.length < 2 ? events : events.sort((left, right) => numberOf(left.eventfd) - numberOf(right.eventfd));
};

function numberOf(name: EventfdName): number {
  return Number(name.slice(1));
}

const vectors = orElse(byNumber(whole(0, VECTOR_STATE_MASK)), []);
const guest = fields({ enable: orElse(flag, undefined), functionMask: orElse(flag, undefined), vectors });
const deviceState = fields({
  enable: orElse(flag, undefined),
  functionMask: orElse(flag, undefined),
  msixInfoFlags: orElse(uint32, undefined),
  registers: orElse(whole(0, REGISTERS_MASK), undefined),
  vectors,
  guest: orElse(guest, undefined),
});
const devices = orElse(byNumber(deviceState), []);

/** What is told of the state of a device: what is left out is as it was. */
export type DeviceState = ReturnType<typeof deviceState>;

const orNone = whole(-1, 0xffffffff);
const parent: Read<ParentObservation> = fields({
  entries: orElse(
    list(fields({ entry: uint32, control: uint32, data: uint32, device: orNone, vector: orNone, handle: flag })),
    [],
  ),
  pasids: orElse(
    list(
      fields({
        pasid: count,
        state: oneOf(['free', 'active', 'free-pending']),
        vm: orNone,
        guest: uint32,
        references: uint32,
      }),
    ),
    [],
  ),
  mdevs: orElse(list(fields({ device, life: oneOf(['gone', 'created', 'open']), defaultPasid: uint32 })), []),
  perms: orElse(list(fields({ device, vector: uint32, value: uint32 })), []),
  descriptors: orElse(
    list(
      fields({
        descriptor: uint32,
        phase: oneOf(['queued', 'started', 'over']),
        device: orNone,
        pasid: uint32,
        entry: orNone,
      }),
    ),
    [],
  ),
});

const descriptor = whole(-0x80000000, 0xffffffff);
const vmmSetIrqs = fields({
  kind: kindOf('vfio.setIrqs'),
  device,
  flags: uint32,
  index: uint32,
  start: uint32,
  count: uint32,
  data: list((value) => (typeof value === 'number' ? descriptor(value) : eventfd(value))),
});
const vmmReset = fields({ kind: kindOf('vfio.reset'), device });
const vmmOperation: Read<VfioSetIrqs | VfioReset> = (value) =>
  isRecord(value) && value['kind'] === 'vfio.reset' ? vmmReset(value) : vmmSetIrqs(value);
const vfioCall = fields({ kind: kindOf('vfio'), operation: vmmOperation, outcome });
const routing = fields({ kind: kindOf('kvm.setGsiRouting') });
const irqfd = fields({ kind: kindOf('kvm.irqfd'), eventfd, assign: flag });

const call: Read<VmmCall> = (value) => {
  const kind = isRecord(value) ? value['kind'] : undefined;
  if (kind === 'kvm.setGsiRouting') return routing(value);
  return kind === 'kvm.irqfd' ? irqfd(value) : vfioCall(value);
};

const stateFields = { devices, parent: orElse(parent, undefined) };

/** The answer to `configure` and to `observe`. */
export const readState = fields({ seq: uint32, ...stateFields });

/** The state of a machine, as told. */
export type StateReply = Omit<ReturnType<typeof readState>, 'seq'>;

/** The answer to one operation of a `run`. */
export const readStep = fields({
  seq: uint32,
  step: uint32,
  outcome,
  signals,
  events: orElse(list(event), undefined),
  ...stateFields,
  calls: orElse(list(call), undefined),
});

/** What one operation did, as told. */
export type StepReply = ReturnType<typeof readStep>;

/** The answer to `stop`. */
export const readStopped = fields({ seq: uint32 });

/** What a message is answered with that is not done. */
export type Declined = { readonly kind: 'skipped' | 'errored'; readonly reason: string };

const skippedFields = fields({ seq: uint32, step: orElse(uint32, undefined), skipped: text });
const erroredFields = fields({ seq: uint32, step: orElse(uint32, undefined), errored: text });

/** What the answer declines, if it does. @throws ShapeError */
export function readDeclined(value: unknown): Declined | undefined {
  if (!isRecord(value)) return undefined;
  if ('skipped' in value) return { kind: 'skipped', reason: skippedFields(value).skipped };
  if ('errored' in value) return { kind: 'errored', reason: erroredFields(value).errored };
  return undefined;
}

/** The messages of PROTOCOL.md, without their sequence numbers. */
export type Request =
  | { readonly message: 'hello'; readonly protocol: number }
  | { readonly message: 'configure'; readonly config: unknown }
  | { readonly message: 'run'; readonly operations: readonly Operation[]; readonly flush: boolean }
  | { readonly message: 'observe' }
  | { readonly message: 'stop' };
