import { z } from 'zod';
import type { MutantRow } from './mutants-text.ts';
import { readAs } from './read-json.ts';

const spread = z.object({ median: z.number(), worst: z.number() });
const row: z.ZodType<MutantRow> = z.object({
  id: z.string(),
  title: z.string(),
  tier: z.string(),
  invariant: z.string(),
  seeds: z.int(),
  killed: z.int(),
  errored: z.int(),
  told: z.int(),
  by: z.array(z.string()),
  scenarios: spread.nullable(),
  operations: spread.nullable(),
  toldAfter: spread.nullable(),
  shrunk: spread.nullable(),
  // Files of before the minimiser do not say.
  proved: z.int().default(0),
  shortest: z.int(),
  seconds: z.number(),
});
const mutants = z.object({ schema: z.literal('vfio-irq/mutants@1'), mutants: z.object({ list: z.array(row) }) });

/**
 * What `mutants --json` wrote.
 * @throws SummaryError
 */
export function readMutants(text: string, file: string): readonly MutantRow[] {
  return readAs(mutants, text, file).mutants.list;
}
