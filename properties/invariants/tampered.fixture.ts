import {
  type Config,
  type DeviceObservation,
  type EventfdName,
  firstMessage,
  type Message,
  type Parent,
  type PciFunction,
  parseOperation,
  type Scenario,
  type Step,
  type Trace,
} from '#vocabulary';
import { type HostName, hostTraits, type ProfileName, platformOf } from '../../model/profiles.ts';
import { specify } from '../../model/reference.ts';
import { INVARIANTS, violations } from './index.ts';

// Runs of the model that somebody has tampered with: what an invariant has to notice.

export type Edit = (steps: Mutable<Step>[]) => void;
export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

export function scenario(profile: HostName, whileOff: 'latches' | 'drops', lines: readonly string[]): Scenario {
  return scenarioOn(profile, { msixVectors: 10, whileOff }, lines);
}

export function scenarioOn(profile: HostName, device: PciFunction, lines: readonly string[]): Scenario {
  return { config: { host: hostTraits(profile), devices: [device] }, operations: lines.map(parseOperation) };
}

/** A machine with a VMM: one function of 4 vectors with INTx that can be reset, and what its guest does. */
export function guestScenario(profile: ProfileName, whileOff: 'latches' | 'drops', lines: readonly string[]): Scenario {
  const device: PciFunction = { msixVectors: 4, whileOff, intx: true, reset: true };
  return { config: { ...platformOf(profile), devices: [device] }, operations: lines.map(parseOperation) };
}

/** What can be different about two VMs on one parent. */
export interface TwoVms {
  readonly profile?: ProfileName;
  readonly parent?: Partial<Parent>;
  /** Vectors of mdev 0, which is VM 0's, and of mdev 1, which is VM 1's. */
  readonly vectors?: readonly [number, number];
  readonly vms?: readonly [number, number];
}

export function twoVms(lines: readonly string[], { profile, parent, vectors, vms }: TwoVms = {}): Scenario {
  const [first, second] = vectors ?? [3, 2];
  const [left, right] = vms ?? [0, 1];
  const config: Config = {
    ...platformOf(profile ?? 'idxd-mdev'),
    parent: { entries: 4, pasids: 6, quota: 4, handles: 'index', ...parent },
    devices: [
      { msixVectors: first, whileOff: 'drops', reset: true, mdev: { vm: left, viommu: true } },
      { msixVectors: second, whileOff: 'drops', reset: true, mdev: { vm: right, viommu: true } },
    ],
  };
  return { config, operations: lines.map(parseOperation) };
}

/** What the invariants say of a run of the model that somebody has tampered with. */
export function judged(at: Scenario, edit: Edit = () => undefined): string[] {
  return judgedTrace(at, ({ steps }) => edit(steps));
}

/** The same where also what was there at first is not as it was. */
export function judgedTrace(at: Scenario, edit: (trace: Mutable<Trace>) => void): string[] {
  const trace = structuredClone(specify(at)) as Mutable<Trace>;
  edit(trace);
  return violations(INVARIANTS, at.config, at.operations, trace as Trace).map(
    ({ invariant, step, causes, message }) => {
      // A report shows the causes: what it says happened at a step has that step among them.
      if (!causes.includes(step)) throw new Error(`${invariant}: step ${step} is none of its causes, ${causes}`);
      return `${step} ${invariant}: ${message}`;
    },
  );
}

/** Sets what one step says of some vectors. */
export function says(
  step: Mutable<Step> | undefined,
  states: Readonly<Record<number, number>>,
): Mutable<DeviceObservation> {
  const [device] = step?.observation ?? [];
  if (device === undefined) throw new Error('nothing was observed');
  for (const [vector, state] of Object.entries(states)) {
    device.changes = device.changes.filter((change) => change.vector !== Number(vector));
    device.changes.push({ vector: Number(vector), state });
  }
  device.changes.sort((left, right) => left.vector - right.vector);
  return device;
}

export function signalled(step: Mutable<Step> | undefined, counts: Readonly<Record<EventfdName, number>>): void {
  if (step === undefined) throw new Error('there is no such step');
  step.events = step.events.filter(({ kind }) => kind !== 'signalled');
  for (const [eventfd, count] of Object.entries(counts)) {
    step.events.push({ kind: 'signalled', eventfd: eventfd as EventfdName, count });
  }
}

/** Sets which messages the guest received in one step, each once: those that vectors were given first, and others. */
export function received(step: Mutable<Step> | undefined, messages: readonly (number | Message)[]): void {
  if (step === undefined) throw new Error('there is no such step');
  step.events = step.events.filter(({ kind }) => kind !== 'message');
  for (const message of messages) {
    const content = typeof message === 'number' ? firstMessage(0, message) : message;
    step.events.push({ kind: 'message', device: 0, ...content, count: 1 });
  }
}
