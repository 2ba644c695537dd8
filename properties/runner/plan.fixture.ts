import type { System } from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { INVARIANTS } from '../invariants/index.ts';
import type { CampaignPlan } from './campaign.ts';

/** The plan that tests start from: 300 scenarios on a profile that the subject itself behaves by. */
export function planOf(system: System, profile: ProfileName, changes: Partial<CampaignPlan> = {}): CampaignPlan {
  const platform = platformOf(profile);
  return {
    system,
    profile,
    platform,
    subjectProfile: profile,
    subjectPlatform: platform,
    invariants: INVARIANTS,
    seed: 1,
    scenarios: 300,
    lengthMax: undefined,
    seconds: Number.POSITIVE_INFINITY,
    shard: { index: 1, count: 1 },
    crew: null,
    stop: new AbortController().signal,
    onProgress: () => undefined,
    ...changes,
  };
}
