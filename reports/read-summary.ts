import { z } from 'zod';
import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import { readAs } from './read-json.ts';
import type { CoverageSummary, Summary, SystemSummary } from './summary.ts';

/** More parts than anybody cuts a run into, and few enough to name each that is missing. */
export const SHARDS_MAX = 1000;

/** What is read of a run's summary. */
export type Reached = Pick<Summary, 'seed'> & {
  /** A run of before there was coverage has none. */
  readonly systems: readonly (Pick<SystemSummary, 'name' | 'profile'> & Partial<Pick<SystemSummary, 'coverage'>>)[];
  readonly clauses: Pick<Summary['clauses'], 'list'>;
};

const count = z.int().nonnegative();
const windowCounts = z.object({ armed: count, opened: count, met: count });
const stateClass = z.custom<CoverageSummary['classes'][number]>((value) => typeof value === 'string');
const byKind = z.record(z.string(), z.record(z.string(), count));
const coverage: z.ZodType<CoverageSummary> = z.object({
  classes: z.array(stateClass),
  transitions: byKind,
  outcomes: byKind,
  pairs: z.object({ reached: count, possible: count }),
  windows: z.object({ 'teardown-gap': windowCounts, 'before-call': windowCounts, 'after-set': windowCounts }),
});

const witnesses = z.array(
  z.object({ name: z.string(), seen: count, oneIn: count, verdict: z.enum(['seen', 'rare', 'few']) }),
);

const shared = {
  schema: z.literal('vfio-irq/summary@1'),
  seed: z.int(),
  clauses: z.object({
    list: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        source: z.string(),
        reachedBy: z.array(z.object({ system: z.string(), profile: z.string(), scenarios: count })),
      }),
    ),
  }),
};
const reached: z.ZodType<Reached> = z.object({
  ...shared,
  systems: z.array(z.object({ name: z.string(), profile: z.string(), coverage: coverage.exactOptional() })),
});

/** @throws SummaryError */
export function readReached(text: string, file: string): Reached {
  return readAs(reached, text, file);
}

const ids = z.array(z.string().regex(/^[0-9a-f]{8}$/, 'expected the id of a finding'));
// A newer version may have promises that this one has no words for: they are told by their ids.
const invariant = z.custom<RunResult['invariants'][number]>((id) => typeof id === 'string');
const position = z.int().min(1).max(SHARDS_MAX);
const host: z.ZodType<NonNullable<CampaignResult['probed']>['host']> = z.object({
  dynamicMsix: z.boolean(),
  rangeCheck: z.enum(['whole-range-first', 'vector-by-vector']),
  belowMinusOne: z.enum(['ignored', 'refused']),
});
const system = z.object({
  name: z.string(),
  profile: z.string(),
  verdict: z.enum(['pass', 'fail', 'skipped', 'errored']),
  reason: z.string().exactOptional(),
  probed: z.object({ host, profile: z.string().nullable() }).exactOptional(),
  scenarios: count,
  operations: count,
  seconds: z.number().nonnegative(),
  divergences: count,
  violations: z.array(
    z.object({
      invariant,
      clause: z.string().nullable(),
      count,
      findings: ids,
    }),
  ),
  findings: ids,
  coverage,
  witnesses,
});
const summary = z.object({
  ...shared,
  shard: z
    .object({ index: position, count: position })
    .refine(({ index, count }) => index <= count, { path: ['index'], error: 'expected at most count' }),
  startedAt: z.string(),
  seconds: z.number().nonnegative(),
  environment: z.object({ node: z.string(), platform: z.string(), kernel: z.string(), cpus: z.int() }),
  command: z.string(),
  invariants: z.array(invariant),
  systems: z.array(system),
});

/**
 * A run from its summary.
 * @param findingOf the finding of an id; undefined where there is no file of it
 * @throws SummaryError
 */
export function readRun(text: string, file: string, findingOf: (id: string) => Finding | undefined): RunResult {
  const { schema: _, clauses, systems, ...run } = readAs(summary, text, file);
  return {
    ...run,
    results: systems.map(({ name, findings, coverage: { pairs: _pairs, ...counted }, ...result }) => ({
      ...result,
      // Of pairs a summary has only how many there were, which does not add up.
      coverage: { ...counted, pairs: {} },
      system: name,
      findings: findings.flatMap((id) => findingOf(id) ?? []),
      clauses: Object.fromEntries(
        clauses.list.flatMap(({ id, reachedBy }) =>
          reachedBy
            .filter((place) => place.system === name && place.profile === result.profile)
            .map(({ scenarios }) => [id, scenarios]),
        ),
      ),
    })),
  };
}
