import type { Config, Operation, Step } from '#vocabulary';
import { followed } from './follow-parent.ts';
import { descriptorOf, type FollowedParent, type MdevConfig, vmOf } from './followed-parent.ts';
import { ascending, type Breach } from './invariant.ts';
import { callsIn, type MdevCall } from './mdev-calls.ts';
import { type Change, changesOf } from './mdev-changes.ts';
import { type Account, accountOf, NO_ACCOUNT } from './mdev-deliveries.ts';

/** One operation on a machine with mediated devices with its step, and what the steps say before and after it. */
export interface Followed {
  readonly config: MdevConfig;
  readonly operation: Operation;
  readonly step: Step;
  /** Index of the operation. */
  readonly index: number;
  readonly before: FollowedParent;
  readonly after: FollowedParent;
  /** What was asked of vfio in the step, by the scenario or by a VMM. */
  readonly calls: readonly MdevCall[];
  readonly changes: readonly Change[];
  /** Nothing changed, no event was seen, and nothing is remembered anew: only the answer itself can be wrong. */
  readonly still: boolean;
  /** The VMs whose doing the operation is; none for one that is about nobody's device. */
  readonly actors: readonly number[];
}

/** The same, and what it owes and allows each eventfd. */
export interface MdevMoment extends Followed {
  readonly account: Account;
}

/** The moment of one step on top of what was followed so far. */
export function mdevMoment(
  config: MdevConfig,
  before: FollowedParent,
  operation: Operation,
  step: Step,
  index: number,
): MdevMoment {
  const calls = callsIn(operation, step);
  const after = followed({ config, before, operation, step, index, calls });
  const changes = after === before ? NO_CHANGES : changesOf(before, after, step);
  // What is seen before the first operation is judged with it.
  const still = after === before && step.events.length === 0 && index > 0;
  const actors = actorsOf(config, before, operation);
  const moment = { config, operation, step, index, before, after, calls, changes, still, actors, account: NO_ACCOUNT };
  moment.account = accountOf(moment);
  return moment;
}

const NO_CHANGES: readonly Change[] = [];

/** Whether the devices of a machine are mediated. */
export function hasMdevs(config: Config): config is MdevConfig {
  return config.mdev !== undefined && config.parent !== undefined;
}

function actorsOf(config: MdevConfig, before: FollowedParent, operation: Operation): readonly number[] {
  if (operation.kind === 'device.start' || operation.kind === 'device.complete') {
    const descriptor = descriptorOf(before, operation.descriptor);
    return descriptor === undefined ? [] : [vmOf(config, descriptor.device)];
  }
  if (operation.kind === 'host.crash') return [operation.vm];
  if (!('device' in operation)) return [];
  const own = vmOf(config, operation.device);
  if (before.arms.length === 0) return [own];
  const armed = before.arms.filter(({ device }) => device === operation.device);
  const submitters = armed.map(({ descriptor }) => descriptorOf(before, descriptor)?.device ?? operation.device);
  return [own, ...submitters.map((device) => vmOf(config, device))];
}

/** A breach in a moment, made of other operations too: each by its index and 1, 0 for one before the first. */
export function breach({ index }: MdevMoment, message: string, ...others: readonly number[]): Breach {
  return { step: index, causes: ascending([...others.map((other) => other - 1), index]), message };
}
