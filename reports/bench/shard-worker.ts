import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import type { CampaignPlan } from '../../properties/runner/campaign.ts';
import { answerQuestions } from '../../properties/runner/worker-process.ts';
import { measuredCampaign, measuredPart, measuredPlan } from './campaign-plan.ts';

// A process of its own: it does a campaign, or its part of one, and knows nothing of who does the others.

/** A campaign, or a part of one. */
export interface ShardWork {
  readonly profile: ProfileName;
  /** Of the whole. */
  readonly scenarios: number;
  /** Null for the whole. */
  readonly shard: CampaignPlan['shard'] | null;
}

answerQuestions(async ({ profile, scenarios, shard }: ShardWork): Promise<number> => {
  const measured = { system: optimisedSystem(), profile, platform: platformOf(profile), scenarios };
  if (shard !== null) return measuredPart(measured, shard);
  return (await measuredCampaign(measuredPlan(measured))).operations;
});
