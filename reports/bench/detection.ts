import { MUTANTS } from '../../impl/mutants/index.ts';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import { detectionCosts, summariseCosts } from '../../properties/runner/detection-cost.ts';
import type { BenchRow } from '../bench-json.ts';

const SECTION = 'finding a fault';
const UNIT = 'operations to the kill';

export interface DetectionWork {
  /** Searches of each mutant. */
  readonly seeds: number;
  /** Operations after which a search is given up. */
  readonly operationsMax: number;
}

/** What it costs to find the mutants, beside operations and arguments that are drawn uniformly. */
export async function detectionRows(plan: DetectionWork): Promise<readonly BenchRow[]> {
  const costs = await detectionCosts(
    MUTANTS.map((quarry) => ({ quarry, system: mutantSystem(quarry) })),
    plan,
  );
  const sets = [
    { what: 'historic faults', rows: costs.filter(({ id }) => id.startsWith('S')) },
    { what: 'all mutants', rows: costs },
  ];
  return sets.map(({ what, rows }) => {
    const { ours, ratio, neverByUniform } = summariseCosts(rows, plan);
    const never = `${neverByUniform.length} of ${rows.length} never found`;
    const against = `uniform generation (at most ${plan.operationsMax.toLocaleString('en')}; ${never})`;
    return { section: SECTION, what, against, amount: ours, unit: UNIT, ratio, of: 'operations' };
  });
}
