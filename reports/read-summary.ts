import { z } from 'zod';
import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import { readAs } from './read-json.ts';
import type { Summary } from './summary.ts';

/** What is read of a run's summary. */
export type Reached = Pick<Summary, 'seed'> & { readonly clauses: Pick<Summary['clauses'], 'list'> };

const shared = {
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
};
const reached: z.ZodType<Reached> = z.object(shared);

/** @throws SummaryError */
export function readReached(text: string, file: string): Reached {
  return readAs(reached, text, file);
}

const ids = z.array(z.string().regex(/^[0-9a-f]{8}$/, 'expected the id of a finding'));
const position = z.int().min(1);
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
  scenarios: z.int(),
  operations: z.int(),
  seconds: z.number(),
  divergences: z.int(),
  violations: z.array(
    z.object({
      // A newer version may have promises that this one has no words for: they are told by their ids.
      invariant: z.custom<CampaignResult['violations'][number]['invariant']>((id) => typeof id === 'string'),
      clause: z.string().nullable(),
      count: z.int(),
      findings: ids,
    }),
  ),
  findings: ids,
});
const summary = z.object({
  ...shared,
  shard: z.object({ index: position, count: position }),
  startedAt: z.string(),
  seconds: z.number(),
  environment: z.object({ node: z.string(), platform: z.string(), kernel: z.string(), cpus: z.int() }),
  command: z.string(),
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
    results: systems.map(({ name, findings, ...result }) => ({
      ...result,
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
