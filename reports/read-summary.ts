import { z } from 'zod';
import type { Summary } from './summary.ts';

/** What is read of a run's summary. */
export type Reached = Pick<Summary, 'seed'> & { readonly clauses: Pick<Summary['clauses'], 'list'> };

const reached: z.ZodType<Reached> = z.object({
  schema: z.literal('vfio-irq/summary@1'),
  seed: z.int(),
  clauses: z.object({
    list: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        source: z.string(),
        reachedBy: z.array(z.object({ system: z.string(), profile: z.string(), scenarios: z.int() })),
      }),
    ),
  }),
});

/** A summary that is not one: what, where, what was expected. */
export class SummaryError extends Error {
  override readonly name = 'SummaryError';
}

/** @throws SummaryError */
export function readReached(text: string, file: string): Reached {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SummaryError(`${file}: expected the JSON of a summary`);
  }
  const result = reached.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SummaryError(`${file}: ${issue?.path.join('.')}: ${issue?.message}`);
}
