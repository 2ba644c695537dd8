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
  text,
  uint32,
  whole,
  wrong,
} from './shape.ts';

const errno: Read<Errno> = (value, path) => {
  if (typeof value === 'string' && /^(E[A-Z0-9]+|errno [1-9]\d*)$/.test(value)) return value as Errno;
  throw wrong(path, 'an errno such as "EINVAL" or "errno 95"', value);
};

const irqInfo = fields({ flags: uint32, count: uint32 });
const valued = fields({ value: uint32 });
const failed = fields({ status: uint32 });
const positive = fields({ positive: whole(1, 0xffffffff) });
const OK: Outcome = { kind: 'ok' };

/** What an operation returned, in as few letters as there can be. */
const outcome: Read<Outcome> = (value, path) => {
  if (value === undefined || value === 'ok') return OK;
  if (!isRecord(value)) return { kind: 'errno', errno: errno(value, path) };
  if ('count' in value) return { kind: 'irqInfo', ...irqInfo(value, path) };
  if ('value' in value) return { kind: 'value', ...valued(value, path) };
  if ('status' in value) return { kind: 'status', ...failed(value, path) };
  if ('positive' in value) return { kind: 'positive', value: positive(value, path).positive };
  throw wrong(path, '"ok", an errno, or an object with count, value, status or positive', value);
};

const eventfd: Read<EventfdName> = (value, path) => {
  if (typeof value === 'string' && /^e(0|[1-9]\d{0,5})$/.test(value)) return value as EventfdName;
  throw wrong(path, 'an eventfd such as "e0"', value);
};

const kindOf = <Kind extends string>(...kinds: readonly Kind[]): Read<Kind> => oneOf(kinds);
const device = whole(0, 15);
const count = whole(1, 0xffffffff);
const raised = fields({
  kind: kindOf('raised'),
  device,
  vector: uint32,
  window: (value, path) => (value === null || value === undefined ? null : oneOf(WINDOWS)(value, path)),
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
const EVENTS = { raised, completed, error: refused, revoked, message };

/** Signals stand in a field of their own. */
const event: Read<Event> = (value, path) => {
  if (!isRecord(value)) throw wrong(path, 'an object', value);
  const kind = oneOf(Object.keys(EVENTS) as readonly (keyof typeof EVENTS)[])(value['kind'], `${path}.kind`);
  return EVENTS[kind](value, path);
};

/** Counts by eventfd, ascending by its number. */
const signals: Read<readonly Event[]> = (value, path) => {
  if (value === undefined) return [];
  if (!isRecord(value)) throw wrong(path, 'an object such as {"e0":1}', value);
  return Object.entries(value)
    .map(([name, times]) => ({
      kind: 'signalled' as const,
      eventfd: eventfd(name, path),
      count: count(times, `${path}.${name}`),
    }))
    .sort((left, right) => Number(left.eventfd.slice(1)) - Number(right.eventfd.slice(1)));
};

const vectors = orElse(byNumber(whole(0, VECTOR_STATE_MASK)), new Map<number, number>());
const guest = fields({ enable: orElse(flag, undefined), functionMask: orElse(flag, undefined), vectors });
const deviceState = fields({
  enable: orElse(flag, undefined),
  functionMask: orElse(flag, undefined),
  msixInfoFlags: orElse(uint32, undefined),
  registers: orElse(whole(0, REGISTERS_MASK), undefined),
  vectors,
  guest: orElse(guest, undefined),
});
const devices = orElse(byNumber(deviceState), new Map<number, ReturnType<typeof deviceState>>());

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

const vmmSetIrqs = fields({
  kind: kindOf('vfio.setIrqs'),
  device,
  flags: uint32,
  index: uint32,
  start: uint32,
  count: uint32,
  data: list((value, path) =>
    typeof value === 'number' ? whole(-0x80000000, 0xffffffff)(value, path) : eventfd(value, path),
  ),
});
const vmmReset = fields({ kind: kindOf('vfio.reset'), device });
const vmmOperation: Read<VfioSetIrqs | VfioReset> = (value, path) =>
  isRecord(value) && value['kind'] === 'vfio.reset' ? vmmReset(value, path) : vmmSetIrqs(value, path);
const vfioCall = fields({ kind: kindOf('vfio'), operation: vmmOperation, outcome });
const routing = fields({ kind: kindOf('kvm.setGsiRouting') });
const irqfd = fields({ kind: kindOf('kvm.irqfd'), eventfd, assign: flag });

const call: Read<VmmCall> = (value, path) => {
  const kind = isRecord(value) ? value['kind'] : undefined;
  if (kind === 'kvm.setGsiRouting') return routing(value, path);
  return kind === 'kvm.irqfd' ? irqfd(value, path) : vfioCall(value, path);
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
  if ('skipped' in value) return { kind: 'skipped', reason: skippedFields(value, '').skipped };
  if ('errored' in value) return { kind: 'errored', reason: erroredFields(value, '').errored };
  return undefined;
}

/** The messages of PROTOCOL.md, without their sequence numbers. */
export type Request =
  | { readonly message: 'hello'; readonly protocol: number }
  | { readonly message: 'configure'; readonly config: unknown }
  | { readonly message: 'run'; readonly operations: readonly Operation[]; readonly flush: boolean }
  | { readonly message: 'observe' }
  | { readonly message: 'stop' };
