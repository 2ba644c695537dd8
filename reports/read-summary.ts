import { z } from 'zod';
import type { CoverageSummary, Summary, SystemSummary } from './summary.ts';

/** What is read of a run's summary. */
export type Reached = Pick<Summary, 'seed'> & {
  /** A run of before there was coverage has none. */
  readonly systems: readonly (Pick<SystemSummary, 'name' | 'profile'> & Partial<Pick<SystemSummary, 'coverage'>>)[];
  readonly clauses: Pick<Summary['clauses'], 'list'>;
};

const windowCounts = z.object({ armed: z.int(), opened: z.int(), met: z.int() });
const stateClass = z.custom<CoverageSummary['classes'][number]>((value) => typeof value === 'string');
const byKind = z.record(z.string(), z.record(z.string(), z.int()));
const coverage: z.ZodType<CoverageSummary> = z.object({
  classes: z.array(stateClass),
  transitions: byKind,
  outcomes: byKind,
  pairs: z.object({ reached: z.int(), possible: z.int() }),
  windows: z.object({ 'teardown-gap': windowCounts, 'before-call': windowCounts, 'after-set': windowCounts }),
});

const reached: z.ZodType<Reached> = z.object({
  schema: z.literal('vfio-irq/summary@1'),
  seed: z.int(),
  systems: z.array(z.object({ name: z.string(), profile: z.string(), coverage: coverage.exactOptional() })),
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
