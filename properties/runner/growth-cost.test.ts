import { describe, expect, it } from 'vitest';
import { GROWTH_POLICIES, growthCost, growthCosts, inOrder } from './growth-cost.ts';
import type { GrowthCost } from './verdict.ts';

const SIZES = [1, 8, 64];
const COSTS = growthCosts(SIZES);

function costsOf(policy: GrowthCost['policy'], order?: GrowthCost['order']): readonly GrowthCost[] {
  return COSTS.filter((cost) => cost.policy === policy && (order === undefined || cost.order === order));
}

function tearDowns(policy: GrowthCost['policy'], order: GrowthCost['order']): readonly number[] {
  return costsOf(policy, order).map((cost) => cost.tearDowns);
}

/** How often a vector is unmasked that is beyond all before it. */
function records(vectors: readonly number[]): number {
  return vectors.filter((vector, place) => vectors.slice(0, place).every((before) => before < vector)).length;
}

describe('what growth costs', () => {
  it('is asked of every policy in every order', () => {
    expect(COSTS).toHaveLength(SIZES.length * 3 * GROWTH_POLICIES.length);
  });

  it('is a tear-down for each vector in ascending order, but for one that was there', () => {
    expect(tearDowns('vector 0, then tear-downs', 'ascending')).toEqual([0, 7, 63]);
    expect(tearDowns('tear-downs', 'ascending')).toEqual([1, 8, 64]);
  });

  it('is one tear-down when the last vector comes first', () => {
    expect(tearDowns('vector 0, then tear-downs', 'descending')).toEqual([0, 1, 1]);
    expect(tearDowns('tear-downs', 'descending')).toEqual([1, 1, 1]);
  });

  it('is a tear-down for each new maximum in any order', () => {
    for (const { order, vectors, tearDowns } of costsOf('tear-downs')) {
      expect(tearDowns).toBe(records(inOrder(vectors, order)));
    }
  });

  it('is the sum of all set-ups: with each tear-down everything is handed over again', () => {
    const [, , cost] = costsOf('tear-downs', 'ascending');
    expect(cost?.eventfds).toBe((64 * 65) / 2);
    expect(costsOf('one by one', 'ascending').map(({ eventfds }) => eventfds)).toEqual(SIZES);
  });

  it('is no tear-down where vectors can be added, nor where all are there from the beginning', () => {
    for (const cost of [...costsOf('one by one'), ...costsOf('all at enable')]) expect(cost.tearDowns).toBe(0);
    expect(costsOf('all at enable').map(({ calls }) => calls)).toEqual(SIZES.flatMap(() => [1, 1, 1]));
    expect(costsOf('one by one', 'random').map(({ calls }) => calls)).toEqual(SIZES.map((size) => 1 + size));
  });

  it('is paid by the host where the whole table is set up', () => {
    for (const { policy, vectors, allocated } of COSTS) {
      expect(allocated).toBe(policy === 'all at enable' ? 2048 : vectors);
    }
  });

  it('can be told of the largest table', () => {
    const [first] = GROWTH_POLICIES;
    expect(growthCost(first, 2048, 'descending')).toMatchObject({ tearDowns: 1, allocated: 2048 });
  });
});

describe('an order', () => {
  it('has every vector once, and is the same each time', () => {
    const random = inOrder(64, 'random');
    expect([...random].sort((left, right) => left - right)).toEqual(inOrder(64, 'ascending'));
    expect(random).not.toEqual(inOrder(64, 'ascending'));
    expect(inOrder(64, 'random')).toEqual(random);
    expect(inOrder(3, 'descending')).toEqual([2, 1, 0]);
  });
});
