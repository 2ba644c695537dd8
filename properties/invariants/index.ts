import type { Config, Operation, Trace } from '#vocabulary';
import { errorStateDocumented } from './error-state-documented.ts';
import type { Invariant, InvariantId, Violation } from './invariant.ts';
import { irqInfoHonest } from './irq-info-honest.ts';
import { layersAgree } from './layers-agree.ts';
import { moments } from './moment.ts';
import { noLeak } from './no-leak.ts';
import { noLostInterrupt } from './no-lost-interrupt.ts';
import { noSpuriousInterrupt } from './no-spurious-interrupt.ts';
import { noresizeErrorUnchanged } from './noresize-error-unchanged.ts';
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
];

export function isInvariantId(name: string): name is InvariantId {
  return INVARIANTS.some(({ id }) => id === name);
}

/** Shows a run to the invariants and returns what they say, in the order of the steps. */
export function violations(
  invariants: readonly Invariant[],
  config: Config,
  operations: readonly Operation[],
  trace: Trace,
): readonly Violation[] {
  const watches = invariants.map(({ id, start }) => ({ id, watch: start() }));
  const found: Violation[] = [];
  for (const moment of moments(config, operations, trace)) {
    for (const { id, watch } of watches) {
      for (const breach of watch(moment)) found.push({ invariant: id, ...breach });
    }
  }
  return found;
}
