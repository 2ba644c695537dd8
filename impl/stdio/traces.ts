import {
  type Config,
  type DeviceObservation,
  type Event,
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

/** What was told last of a device, or of what its guest sees. */
interface Known {
  enable: boolean;
  functionMask: boolean;
  msixInfoFlags: number;
  registers: number;
  readonly vectors: Map<number, number>;
}

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
      if (state.devices.get(place)?.msixInfoFlags === undefined)
        throw new HarnessError(`configure: expected devices.${place}.msixInfoFlags in the answer, got nothing`);
    const initial = this.#observe(state.devices);
    return this.#config.mdev === undefined
      ? { initial }
      : { initial, initialParent: state.parent ?? NOTHING_OF_PARENT };
  }

  next(operation: Operation, { outcome, events, signals, devices, parent, calls }: StepReply): Step {
    const { mdev, vmm } = this.#config;
    const told: readonly Event[] =
      mdev === undefined && vmm === undefined ? this.#raises.follow(operation, outcome) : [];
    return {
      outcome,
      events: [...(events ?? told), ...signals],
      observation: this.#observe(devices),
      ...(mdev === undefined ? {} : { parent: parent ?? NOTHING_OF_PARENT }),
      ...(vmm === undefined ? {} : { calls: calls ?? [] }),
      clauses: [],
    };
  }

  #observe(told: StateReply['devices']): Observation {
    for (const place of told.keys())
      if (place >= this.#devices.length) throw new HarnessError(`device ${place} was told of, and there is none`);
    return this.#devices.map(({ host, guest }, place): DeviceObservation => {
      const state = told.get(place);
      const changes = take(host, state);
      const { enable, functionMask, msixInfoFlags, registers } = host;
      const seen = { enable, functionMask, msixInfoFlags, registers, changes };
      if (this.#config.vmm === undefined) return seen;
      const guestChanges = take(guest, state?.guest);
      return {
        ...seen,
        guest: { enable: guest.enable, functionMask: guest.functionMask, changes: guestChanges },
      };
    });
  }
}

function nothingKnown(): Known {
  return { enable: false, functionMask: false, msixInfoFlags: 0, registers: 0, vectors: new Map() };
}

/** Brings up to date what is known, and returns the vectors of which that is another state. */
function take(known: Known, state: Partial<DeviceState> | undefined): readonly VectorChange[] {
  if (state === undefined) return [];
  known.enable = state.enable ?? known.enable;
  known.functionMask = state.functionMask ?? known.functionMask;
  known.msixInfoFlags = state.msixInfoFlags ?? known.msixInfoFlags;
  known.registers = state.registers ?? known.registers;
  const changes: VectorChange[] = [];
  for (const [vector, now] of state.vectors ?? []) {
    if ((known.vectors.get(vector) ?? 0) === now) continue;
    known.vectors.set(vector, now);
    changes.push({ vector, state: now });
  }
  return changes;
}
