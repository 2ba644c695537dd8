import type { Platform, System } from '#vocabulary';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import type { CampaignPlan } from '../../properties/runner/campaign.ts';

/** A campaign to be measured. */
export interface MeasuredCampaign {
  readonly system: System;
  readonly profile: string;
  readonly platform: Platform;
  readonly scenarios: number;
}

/** The same scenarios each time, with every promise, by this process alone. */
export function measuredPlan({ system, profile, platform, scenarios }: MeasuredCampaign): CampaignPlan {
  return {
    ...{ system, profile, platform, subjectProfile: profile, subjectPlatform: platform },
    ...{ invariants: INVARIANTS, seed: 3, scenarios, lengthMax: undefined, seconds: Number.POSITIVE_INFINITY },
    ...{ shard: { index: 1, count: 1 }, crew: null, stop: new AbortController().signal },
    onProgress: () => undefined,
  };
}
