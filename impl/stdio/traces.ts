import {
  type Config,
  type DeviceObservation,
  HarnessError,
  type Observation,
  type Operation,
  type ParentObservation,
  type Step,
  type Trace,
  type VectorChange,
} from '#vocabulary';
import { Raises } from '../raises.ts';
import type { DeviceState, StateReply, StepReply } from './replies.ts';

/** While it is put together. */
type Told<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/** What was told last of a device, or of what its guest sees. */
interface Known {
  enable: boolean;
  functionMask: boolean;
  msixInfoFlags: number;
  registers: number;
  readonly vectors: Map<number, number>;
}

const NO_CHANGES: readonly VectorChange[] = [];
const NOTHING_OF_PARENT: ParentObservation = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };

/** Makes the steps of a Trace from answers that leave out what is as it was. */
export class TraceReader {
  readonly #config: Config;
  readonly #devices: readonly { readonly host: Known; readonly guest: Known }[];
  readonly #raises: Raises;

  constructor(config: Config) {
    this.#config = config;
    this.#devices = config.devices.map(() => ({ host: nothingKnown(), guest: nothingKnown() }));
    this.#raises = new Raises(config);
  }

  /** @throws HarnessError when a device is missing, as there is nothing before that it could be like. */
  first(state: StateReply): Pick<Trace, 'initial' | 'initialParent'> {
    for (const place of this.#devices.keys())
      if (state.devices.find(({ number }) => number === place)?.value.msixInfoFlags === undefined)
        throw new HarnessError(`configure: expected devices.${place}.msixInfoFlags in the answer, got nothing`);
    const initial = this.#observe(state.devices);
    return this.#config.mdev === undefined
      ? { initial }
      : { initial, initialParent: state.parent ?? NOTHING_OF_PARENT };
  }

  next(operation: Operation, { outcome, events, signals, devices, parent, calls }: StepReply): Step {
    const { mdev, vmm } = this.#config;
    const isPlain = mdev === undefined && vmm === undefined;
    const others = events ?? (isPlain ? this.#raises.follow(operation, outcome) : []);
    const all = signals.length === 0 ? others : others.length === 0 ? signals : [...others, ...signals];
    const step: Told<Step> = { outcome, events: all, observation: this.#observe(devices), clauses: [] };
    if (mdev !== undefined) step.parent = parent ?? NOTHING_OF_PARENT;
    if (vmm !== undefined) step.calls = calls ?? [];
    return step;
  }

  #observe(told: StateReply['devices']): Observation {
    const last = told.length === 0 ? -1 : (told[told.length - 1]?.number ?? -1);
    if (last >= this.#devices.length) throw new HarnessError(`device ${last} was told of, and there is none`);
    const seen: DeviceObservation[] = [];
    let next = 0;
    for (const { host, guest } of this.#devices) {
      const isTold = told[next]?.number === seen.length;
      const state = isTold ? told[next]?.value : undefined;
      if (isTold) next += 1;
      const changes = take(host, state);
      const { enable, functionMask, msixInfoFlags, registers } = host;
      const observed: Told<DeviceObservation> = { enable, functionMask, msixInfoFlags, registers, changes };
      if (this.#config.vmm !== undefined) {
        const guestChanges = take(guest, state?.guest);
        observed.guest = { enable: guest.enable, functionMask: guest.functionMask, changes: guestChanges };
      }
      seen.push(observed);
    }
    return seen;
  }
}

function nothingKnown(): Known {
  return { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, vectors: new Map() };
}

/** Brings up to date what is known, and returns the vectors of which that is another state. */
function take(known: Known, state: Partial<DeviceState> | undefined): readonly VectorChange[] {
  if (state === undefined) return NO_CHANGES;
  known.enable = state.enable ?? known.enable;
  known.functionMask = state.functionMask ?? known.functionMask;
  known.msixInfoFlags = state.msixInfoFlags ?? known.msixInfoFlags;
  known.registers = state.registers ?? known.registers;
  if (state.vectors === undefined || state.vectors.length === 0) return NO_CHANGES;
  const changes: VectorChange[] = [];
  for (const { number: vector, value: now } of state.vectors) {
    if ((known.vectors.get(vector) ?? 0) === now) continue;
    known.vectors.set(vector, now);
    changes.push({ vector, state: now });
  }
  return changes;
}
