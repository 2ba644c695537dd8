import {
  ALLOCATED,
  type GuestOperation,
  isEventfdName,
  MSIX_VECTORS_MAX,
  type Step,
  type Trace,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { specify } from '../../model/reference.ts';
import { disables } from '../invariants/calls.ts';
import type { GrowthCost } from './verdict.ts';

/** Each way of VMMs to give a guest its vectors, on a host where it shows. */
export const GROWTH_POLICIES = [
  { profile: 'linux-6.1+qemu-7.2', policy: 'vector 0, then tear-downs' },
  { profile: 'linux-6.1+qemu-10.0', policy: 'tear-downs' },
  { profile: 'linux-6.12+qemu-10.0', policy: 'one by one' },
  { profile: 'linux-6.1+all-at-enable', policy: 'all at enable' },
] as const satisfies readonly (Pick<GrowthCost, 'policy'> & { readonly profile: ProfileName })[];

type GrowthPolicy = (typeof GROWTH_POLICIES)[number];

export const GROWTH_ORDERS: readonly GrowthCost['order'][] = ['ascending', 'descending', 'random'];

/** A small device, one of today, and the largest: what tear-downs cost rises with the square. */
const GROWTH_SIZES: readonly number[] = [8, 64, MSIX_VECTORS_MAX];

/** Every policy in every order for these numbers of vectors; the largest takes seconds. */
export function growthCosts(sizes = GROWTH_SIZES): readonly GrowthCost[] {
  return sizes.flatMap((vectors) =>
    GROWTH_ORDERS.flatMap((order) => GROWTH_POLICIES.map((policy) => growthCost(policy, vectors, order))),
  );
}

/** The guest enables MSI-X with every entry masked, and unmasks the first `vectors` of them in the order. */
export function growthCost({ profile, policy }: GrowthPolicy, vectors: number, order: GrowthCost['order']): GrowthCost {
  const unmasks = inOrder(vectors, order).map(
    (vector): GuestOperation => ({ kind: 'guest.unmask', device: 0, vector }),
  );
  const trace = specify({
    config: { ...platformOf(profile), devices: [{ msixVectors: MSIX_VECTORS_MAX, whileOff: 'latches' }] },
    operations: [{ kind: 'guest.msixControl', device: 0, enable: true, functionMask: false }, ...unmasks],
  });
  return { profile, policy, vectors, order, ...countCalls(trace), allocated: countAllocated(trace) };
}

/** The vectors 0 to `count` - 1 in an order; `random` is the same each time. */
export function inOrder(count: number, order: GrowthCost['order']): readonly number[] {
  const ascending = Array.from({ length: count }, (_, vector) => vector);
  switch (order) {
    case 'ascending':
      return ascending;
    case 'descending':
      return ascending.reverse();
    case 'random':
      return shuffled(ascending);
  }
}

/** Fisher and Yates, drawn by the generator of Park and Miller. */
function shuffled(vectors: readonly number[]): readonly number[] {
  const result = [...vectors];
  let state = 1;
  for (let last = result.length - 1; last > 0; last -= 1) {
    state = (state * 48_271) % 0x7fffffff;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other] as number, result[last] as number];
  }
  return result;
}

function countCalls({ steps }: Trace): Pick<GrowthCost, 'calls' | 'tearDowns' | 'eventfds'> {
  const sets = steps.flatMap(setsOf);
  return {
    calls: sets.length,
    tearDowns: sets.filter(({ operation, succeeded }) => succeeded && isTearDown(operation)).length,
    eventfds: sets.reduce((sum, { operation }) => sum + operation.data.filter(isEventfdName).length, 0),
  };
}

function setsOf({ calls = [] }: Step): readonly { readonly operation: VfioSetIrqs; readonly succeeded: boolean }[] {
  return calls.flatMap((call) =>
    call.kind === 'vfio' && call.operation.kind === 'vfio.setIrqs'
      ? [{ operation: call.operation, succeeded: call.outcome.kind === 'ok' }]
      : [],
  );
}

function isTearDown(call: VfioSetIrqs): boolean {
  return disables(call) && call.index === VFIO_PCI_MSIX_IRQ_INDEX;
}

function countAllocated({ initial, steps }: Trace): number {
  const states = new Map<number, number>();
  for (const observation of [initial, ...steps.map((step) => step.observation)]) {
    for (const { vector, state } of observation[0]?.changes ?? []) states.set(vector, state);
  }
  return [...states.values()].filter((state) => (state & ALLOCATED) !== 0).length;
}
