import type { Config, Operation, Platform, Step, Trace } from '#vocabulary';
import { errorStateDocumented } from './error-state-documented.ts';
import { firstSeen } from './follow-parent.ts';
import type { MdevConfig } from './followed-parent.ts';
import { nextGuestMoment, startGuests } from './guest-moment.ts';
import { handleValidity } from './handle-validity.ts';
import { hiddenNumbers } from './hidden-numbers.ts';
import type { Breach, Invariant, InvariantId, Violation } from './invariant.ts';
import { irqInfoHonest } from './irq-info-honest.ts';
import { layersAgree } from './layers-agree.ts';
import { maskIndependence } from './mask-independence.ts';
import { asRaises } from './mdev-guest.ts';
import { hasMdevs, mdevMoment } from './mdev-moment.ts';
import { nextMoment, startRun } from './moment.ts';
import { noLeak } from './no-leak.ts';
import { noLostInterrupt } from './no-lost-interrupt.ts';
import { noSpuriousInterrupt } from './no-spurious-interrupt.ts';
import { noresizeErrorUnchanged } from './noresize-error-unchanged.ts';
import { orderIndependence } from './order-independence.ts';
import { pasidIsolation } from './pasid-isolation.ts';
import { policyEquivalence } from './policy-equivalence.ts';
import { resetState } from './reset-state.ts';

/** Every promise of the suite. */
export const INVARIANTS: readonly Invariant[] = [
  noLostInterrupt,
  noSpuriousInterrupt,
  noresizeErrorUnchanged,
  errorStateDocumented,
  irqInfoHonest,
  layersAgree,
  noLeak,
  resetState,
  orderIndependence,
  policyEquivalence,
  pasidIsolation,
  handleValidity,
  hiddenNumbers,
  maskIndependence,
];

export function isInvariantId(name: string): name is InvariantId {
  return INVARIANTS.some(({ id }) => id === name);
}

/** Whether a promise says anything of the machines of a platform. */
export function speaksOf(invariant: Invariant, { mdev, vmm }: Platform): boolean {
  if (mdev !== undefined)
    return invariant.startMdev !== undefined || (vmm !== undefined && invariant.startMdevGuest !== undefined);
  return vmm === undefined ? invariant.start !== undefined : invariant.startGuest !== undefined;
}

/** Shows a run to the invariants of such a machine and returns what they say, in the order of the steps. */
export function violations(
  invariants: readonly Invariant[],
  config: Config,
  operations: readonly Operation[],
  trace: Trace,
): readonly Violation[] {
  const { steps } = trace;
  if (steps.length > operations.length) throw new Error(`step ${operations.length} answers no operation`);
  const found: Violation[] = [];
  const judge = judgeOf(invariants, config, trace, found);
  if (judge === null) return found;
  for (let index = 0; index < steps.length; index += 1)
    judge(operations[index] as Operation, steps[index] as Step, index);
  return found;
}

/** Follows a run by one step, and takes down what is wrong with it. */
type Judge = (operation: Operation, step: Step, index: number) => void;

/** Null where none of them promises anything of such a machine: nothing has to be followed then. */
function judgeOf(invariants: readonly Invariant[], config: Config, trace: Trace, found: Violation[]): Judge | null {
  if (hasMdevs(config)) return judgeOfMdevs(invariants, config, trace, found);
  if (config.vmm !== undefined) {
    const watches = speaking(invariants, ({ startGuest }) => startGuest?.());
    if (watches.length === 0) return null;
    const guests = startGuests(config, trace.initial);
    return (operation, step, index) => {
      if (isShown(step)) show(watches, nextGuestMoment(guests, operation, step, index), found);
    };
  }
  const watches = speaking(invariants, ({ start }) => start?.());
  if (watches.length === 0) return null;
  const run = startRun(config, trace.initial);
  return (operation, step, index) => show(watches, nextMoment(run, operation, step, index), found);
}

/** Where a VMM shows the mdevs, what its guests see of them is judged too. */
function judgeOfMdevs(
  invariants: readonly Invariant[],
  config: MdevConfig,
  trace: Trace,
  found: Violation[],
): Judge | null {
  const watches = speaking(invariants, ({ startMdev }) => startMdev?.());
  const guestWatches = speaking(invariants, ({ startMdevGuest }) =>
    config.vmm === undefined ? undefined : startMdevGuest?.(),
  );
  if (watches.length + guestWatches.length === 0) return null;
  const guests = startGuests(config, trace.initial);
  let parent = firstSeen(config, trace);
  return (operation, step, index) => {
    if (!isShown(step)) return;
    const moment = mdevMoment(config, parent, operation, step, index);
    parent = moment.after;
    show(watches, moment, found);
    if (guestWatches.length > 0) show(guestWatches, nextGuestMoment(guests, operation, asRaises(moment), index), found);
  };
}

/** A system that died in a step has shown nothing in it. */
function isShown({ outcome }: Step): boolean {
  return outcome.kind !== 'unknown';
}

interface Watching<At> {
  readonly id: InvariantId;
  readonly watch: (moment: At) => readonly Breach[];
}

/** Those that promise something of such a machine, each started afresh. */
function speaking<At>(
  invariants: readonly Invariant[],
  start: (invariant: Invariant) => Watching<At>['watch'] | undefined,
): readonly Watching<At>[] {
  const watches: Watching<At>[] = [];
  for (const invariant of invariants) {
    const watch = start(invariant);
    if (watch !== undefined) watches.push({ id: invariant.id, watch });
  }
  return watches;
}

function show<At>(watches: readonly Watching<At>[], moment: At, found: Violation[]): void {
  for (let at = 0; at < watches.length; at += 1) {
    const { id, watch } = watches[at] as Watching<At>;
    const breaches = watch(moment);
    if (breaches.length === 0) continue;
    for (const { step, causes, message } of breaches) found.push({ invariant: id, step, causes, message });
  }
}
