import { describe, expect, it } from 'vitest';
import type { Scenario } from '#vocabulary';
import { mutantNamed } from '../../impl/mutants/index.ts';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type CostRow, detectionCosts, type Sought, summariseCosts } from './detection-cost.ts';

function sought(...ids: readonly string[]): readonly Sought[] {
  return ids.map((id) => {
    const quarry = mutantNamed(id);
    if (quarry === undefined) throw new Error(`there is no mutant ${id}`);
    return { quarry, system: mutantSystem(quarry) };
  });
}

const ANY = { shortest: { profile: 'linux-6.12', devices: [], operations: [] }, invariant: 'no-leak' } as const;

describe('the cost of finding a fault', () => {
  it('is less with our generators than with uniform ones, of hosts, VMMs and mdevs', async () => {
    const plan = { seeds: 3, operationsMax: 4_000 };
    const told: CostRow[] = [];
    const rows = await detectionCosts(sought('S01', 'S24', 'M1'), { ...plan, onRow: (row) => told.push(row) });
    expect(rows).toMatchObject([{ id: 'S01' }, { id: 'S24' }, { id: 'M1' }]);
    expect(told).toEqual(rows);
    for (const { ours } of rows) expect(ours.found).toBe(plan.seeds);
    expect(summariseCosts(rows, plan).ratio).toBeLessThan(0.25);
  });

  it('is the number of the first operation that is answered otherwise, of all that were asked', async () => {
    let runs = 0;
    const healthy = optimisedSystem();
    const operations: number[] = [];
    const run = async (scenario: Scenario): Promise<Awaited<ReturnType<typeof healthy.run>>> => {
      const trace = await healthy.run(scenario);
      runs += 1;
      if (runs !== 3) {
        operations.push(scenario.operations.length);
        return trace;
      }
      const steps = trace.steps.map((step, place) => (place === 1 ? { ...step, outcome: WRONG } : step));
      return { ...trace, steps };
    };
    const quarry = { id: 'third', ...ANY };
    const [row] = await detectionCosts([{ quarry, system: { ...healthy, run } }], { seeds: 1, operationsMax: 2_000 });
    const [first = 0, second = 0] = operations;
    expect(row?.ours).toEqual({ found: 1, median: first + second + 2 });
    // The fault does not come again.
    expect(row?.uniform).toEqual({ found: 0, median: Number.POSITIVE_INFINITY });
  });
});

const WRONG = { kind: 'errno', errno: 'errno 99' } as const;

describe('a summary', () => {
  const row = (id: string, ours: number, uniform: number): CostRow => {
    const cost = (median: number): CostRow['ours'] => ({ found: Number.isFinite(median) ? 3 : 0, median });
    return { id, seeds: 3, ours: cost(ours), uniform: cost(uniform) };
  };

  it('counts what was never found as found at the very end, and names it', () => {
    const rows = [
      row('S01', 10, 100),
      row('S02', 50, Number.POSITIVE_INFINITY),
      row('S03', 90, Number.POSITIVE_INFINITY),
    ];
    expect(summariseCosts(rows, { operationsMax: 500 })).toEqual({
      ...{ faults: 3, ours: 50, uniform: Number.POSITIVE_INFINITY, ratio: 0.1 },
      ...{ neverByOurs: [], neverByUniform: ['S02', 'S03'] },
    });
  });
});
