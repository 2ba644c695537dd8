import { availableParallelism } from 'node:os';
import type { Platform, System } from '#vocabulary';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import { type CampaignPlan, campaign } from '../../properties/runner/campaign.ts';
import { Crew } from '../../properties/runner/crew.ts';
import type { BenchRow } from '../bench-json.ts';
import { measureRows, type Work } from './turns.ts';

export interface CoresWork {
  readonly optimised: System;
  readonly profile: string;
  readonly platform: Platform;
  readonly scenarios: number;
}

/** A campaign that all cores share, beside the same on one. */
export async function coresRows({ optimised, profile, platform, scenarios }: CoresWork): Promise<readonly BenchRow[]> {
  const cores = availableParallelism();
  const crew = new Crew(cores - 1);
  const plan: CampaignPlan = {
    ...{ system: optimised, profile, platform, subjectProfile: profile, subjectPlatform: platform },
    ...{ invariants: INVARIANTS, seed: 3, scenarios, lengthMax: undefined, seconds: Number.POSITIVE_INFINITY },
    ...{ shard: { index: 1, count: 1 }, crew: null, stop: new AbortController().signal },
    onProgress: () => undefined,
  };
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
