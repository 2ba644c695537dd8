import { z } from 'zod';
import type { BenchRow } from './bench-json.ts';
import { readAs } from './read-json.ts';

const positive = z.number().positive();
const row: z.ZodType<BenchRow> = z.object({
  section: z.string(),
  what: z.string(),
  against: z.string(),
  amount: positive,
  unit: z.string(),
  ratio: positive,
  of: z.enum(['time', 'operations', 'live heap']),
});
const bench = z.object({ schema: z.literal('vfio-irq/bench@1'), rows: z.array(row) });

/**
 * What `bench --json` wrote.
 * @throws SummaryError
 */
export function readBench(text: string, file: string): readonly BenchRow[] {
  return readAs(bench, text, file).rows;
}
