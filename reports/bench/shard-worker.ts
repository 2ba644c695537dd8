import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import type { CampaignPlan } from '../../properties/runner/campaign.ts';
import { answerQuestions } from '../../properties/runner/worker-process.ts';
import { measuredPart } from './campaign-plan.ts';

// A process of its own: it does its part of a campaign, and knows nothing of who does the others.

/** A part of a campaign. */
export interface ShardWork {
  readonly profile: ProfileName;
  /** Of the whole. */
  readonly scenarios: number;
  readonly shard: CampaignPlan['shard'];
}

answerQuestions(
  ({ profile, scenarios, shard }: ShardWork): Promise<number> =>
    measuredPart({ system: optimisedSystem(), profile, platform: platformOf(profile), scenarios }, shard),
);
