import type { GuestMoment, GuestView } from './guest-moment.ts';
import type { MdevMoment } from './mdev-moment.ts';
import type { Fold } from './memory.ts';
import type { Moment } from './moment.ts';

/**
 * The promises, by name. Other people's scripts use these names. `conformance`, that a system answers as the reference
 * does, is the comparer's, and has no fold.
 */
export type InvariantId =
  | 'conformance'
  | 'no-lost-interrupt'
  | 'no-spurious-interrupt'
  | 'noresize-error-unchanged'
  | 'error-state-documented'
  | 'irq-info-honest'
  | 'layers-agree'
  | 'no-leak'
  | 'reset-state'
  | 'order-independence'
  | 'policy-equivalence'
  | 'pasid-isolation'
  | 'handle-validity'
  | 'hidden-numbers'
  | 'mask-independence';

/** A promise that was broken. */
export interface Violation {
  readonly invariant: InvariantId;
  /** Index of the operation at which it showed. */
  readonly step: number;
  /** Indices of the operations it is made of, ascending, `step` among them. */
  readonly causes: readonly number[];
  /** One sentence: what was owed, what happened. */
  readonly message: string;
}

/** What a watch reports: the violation without the name of its invariant. */
export type Breach = Omit<Violation, 'invariant'>;

/**
 * A fold over recorded steps: it is shown each moment in order and returns what broke.
 * It sees neither the model nor the system, so it judges a saved run of a real kernel as well.
 */
export type Watch = Fold<Moment>;

/** The same for machines with a VMM, whose user of vfio is the VMM. */
export type GuestWatch = Fold<GuestMoment>;

/**
 * The same for machines with mediated devices. What a moment does not say, the watch does not know: it remembers
 * nothing, so that moments of different runs may be shown to one watch in any order.
 */
export type MdevWatch = (moment: MdevMoment) => readonly Breach[];

/** What a watch returns when nothing broke. */
export const KEPT: readonly Breach[] = [];

/** What is wrong with each device of a moment, where something is. */
export function ofEachGuest(moment: GuestMoment, wrongOf: (view: GuestView) => string | null): readonly Breach[] {
  let breaches = KEPT;
  for (const view of moment.devices) {
    const message = wrongOf(view);
    if (message !== null) breaches = [...breaches, { step: moment.index, causes: [moment.index], message }];
  }
  return breaches;
}

/** Steps as causes: ascending, each once; -1 stands for before the first. */
export function ascending(steps: readonly number[]): readonly number[] {
  return [...new Set(steps)].filter((step) => step >= 0).sort((left, right) => left - right);
}

/** A promise of machines without a VMM, of machines with one, of those with mediated devices, or of several. */
export interface Invariant {
  readonly id: InvariantId;
  /** The promise in plain words. */
  readonly promise: string;
  /** Where the promise is made. */
  readonly source: string;
  /** A fresh fold for one scenario of a machine without a VMM. Left out where nothing is promised of those. */
  start?(): Watch;
  /**
   * A fresh fold for one scenario of a machine with a VMM and devices passed through. Left out where nothing is
   * promised of those.
   */
  startGuest?(): GuestWatch;
  /** The same for machines with mediated devices, with a VMM or without. Left out where nothing is promised. */
  startMdev?(): MdevWatch;
  /** A fresh fold for what the guests of a VMM see of mediated devices. Left out where nothing is promised of it. */
  startMdevGuest?(): GuestWatch;
}
