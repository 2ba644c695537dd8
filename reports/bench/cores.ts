import { availableParallelism } from 'node:os';
import { campaign } from '../../properties/runner/campaign.ts';
import { Crew } from '../../properties/runner/crew.ts';
import type { BenchRow } from '../bench-json.ts';
import { type MeasuredCampaign, measuredPlan } from './campaign-plan.ts';
import { measureRows, type Work } from './turns.ts';

/** A campaign that all cores share, beside the same on one. */
export async function coresRows(measured: MeasuredCampaign): Promise<readonly BenchRow[]> {
  const cores = availableParallelism();
  const crew = new Crew(cores - 1);
  const plan = measuredPlan(measured);
  const run = (by: Crew | null): Work => {
    return async () => (await campaign({ ...plan, crew: by })).operations;
  };
  try {
    await Promise.all(crew.workers.map(({ ready }) => ready));
    return await measureRows('cores', [[`a campaign on ${cores} cores`, run(crew), 'the same on one', run(null)]]);
  } finally {
    crew.end();
  }
}
