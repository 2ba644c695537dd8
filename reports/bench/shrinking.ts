import { type ShrinkRow, shrinkBench } from '../../properties/minimiser/shrink-bench.ts';
import type { BenchRow } from '../bench-json.ts';

const SECTION = 'shrinking a failure of 150 to 200 operations';

/**
 * The minimiser after fast-check's shrink, beside that alone: how many failures end at the shortest length there is,
 * and what the runs cost.
 * @param failures of each planted fault
 */
export async function shrinkingRows(failures: number): Promise<readonly BenchRow[]> {
  const rows = await shrinkBench(failures);
  return rows
    .filter(({ by }) => by !== 'fast-check')
    .map((row) => {
      const simple = rows.find(({ name, by }) => name === row.name && by === 'fast-check');
      if (simple === undefined) throw new Error(`${row.name} was not shrunk by fast-check alone`);
      return {
        section: SECTION,
        what: `${row.name} (${row.shortest})`,
        against: `fast-check alone, ${percent(simple)}`,
        amount: share(row),
        unit: `% shortest, p90 ${row.steps.p90.toLocaleString('en').padStart(6)}`,
        ratio: row.steps.median / simple.steps.median,
        of: 'operations',
      };
    });
}

function share({ atShortest, failures }: ShrinkRow): number {
  return (100 * atShortest) / failures;
}

function percent(row: ShrinkRow): string {
  return `${Math.round(share(row))} %`;
}
