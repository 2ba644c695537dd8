import type { Config, Operation, Platform, Trace } from '#vocabulary';
import { errorStateDocumented } from './error-state-documented.ts';
import type { MdevConfig } from './followed-parent.ts';
import { guestMoments } from './guest-moment.ts';
import { handleValidity } from './handle-validity.ts';
import { hiddenNumbers } from './hidden-numbers.ts';
import type { Breach, Invariant, InvariantId, Violation } from './invariant.ts';
import { irqInfoHonest } from './irq-info-honest.ts';
import { layersAgree } from './layers-agree.ts';
import { maskIndependence } from './mask-independence.ts';
import { asRaises } from './mdev-guest.ts';
import { hasMdevs, mdevMoments } from './mdev-moment.ts';
import { moments } from './moment.ts';
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
  if (hasMdevs(config)) return violationsOfMdevs(invariants, config, operations, trace);
  if (config.vmm === undefined) {
    const watches = speaking(invariants, ({ start }) => start?.());
    return shown(watches, moments(config, operations, trace));
  }
  const watches = speaking(invariants, ({ startGuest }) => startGuest?.());
  return shown(watches, guestMoments(config, operations, trace));
}

/** Where a VMM shows the mdevs, what its guests see of them is judged too. */
function violationsOfMdevs(
  invariants: readonly Invariant[],
  config: MdevConfig,
  operations: readonly Operation[],
  trace: Trace,
): readonly Violation[] {
  const watches = speaking(invariants, ({ startMdev }) => startMdev?.());
  const found = shown(watches, mdevMoments(config, operations, trace));
  if (config.vmm === undefined) return found;
  const guests = speaking(invariants, ({ startMdevGuest }) => startMdevGuest?.());
  const seen = shown(guests, guestMoments(config, operations, asRaises(config, operations, trace)));
  return [...found, ...seen].sort((left, right) => left.step - right.step);
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

function shown<At>(watches: readonly Watching<At>[], run: Iterable<At>): readonly Violation[] {
  const found: Violation[] = [];
  if (watches.length === 0) return found;
  for (const moment of run) {
    for (const { id, watch } of watches) {
      for (const breach of watch(moment)) found.push({ invariant: id, ...breach });
    }
  }
  return found;
}
