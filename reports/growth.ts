import type { GrowthCost } from '../properties/runner/verdict.ts';

/** One policy and number of vectors, in every order. */
export interface GrowthRow {
  readonly policy: string;
  readonly profile: string;
  readonly vectors: number;
  readonly orders: readonly Pick<GrowthCost, 'order' | 'calls' | 'tearDowns'>[];
  /** Eventfds in all calls, in the worst order. */
  readonly eventfds: number;
  /** Interrupts on the host in the end, in the worst order. */
  readonly allocated: number;
}

export const GROWTH_WORDS = {
  title: 'What growth costs',
  story: 'A guest with a table of 2,048 vectors enables MSI-X with all masked, and unmasks some one after the other.',
  tearDowns: 'A tear-down turns all of MSI-X off to set up one vector more: an event in between is late, or lost.',
  calls: 'calls of VFIO_DEVICE_SET_IRQS',
  atWorst: 'eventfds are those of all calls, interrupts what the host has in the end',
} as const;

/** The costs with all orders of one policy and number in one row, in the order in which they are first met. */
export function growthRows(costs: readonly GrowthCost[]): readonly GrowthRow[] {
  const keyOf = ({ policy, profile, vectors }: GrowthCost): string => JSON.stringify([policy, profile, vectors]);
  const groups = [...new Set(costs.map(keyOf))].map((key) => costs.filter((cost) => keyOf(cost) === key));
  return groups.flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { policy, profile, vectors } = first;
    const eventfds = Math.max(...group.map((cost) => cost.eventfds));
    const allocated = Math.max(...group.map((cost) => cost.allocated));
    return [{ policy, profile, vectors, orders: group, eventfds, allocated }];
  });
}

/** The orders that there are. */
export function growthOrders(costs: readonly GrowthCost[]): readonly GrowthCost['order'][] {
  return [...new Set(costs.map(({ order }) => order))];
}
