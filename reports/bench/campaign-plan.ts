import { HarnessError, type Platform, type System } from '#vocabulary';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import { BLOCK_SCENARIOS, judgeBlock } from '../../properties/runner/block.ts';
import { type CampaignPlan, campaign } from '../../properties/runner/campaign.ts';
import { Tally } from '../../properties/runner/tally.ts';
import type { CampaignResult } from '../../properties/runner/verdict.ts';

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

/**
 * Does all of it.
 * @throws HarnessError when it ends before: a part of the work would be taken for the whole
 */
export async function measuredCampaign(plan: CampaignPlan): Promise<CampaignResult> {
  const result = await campaign(plan);
  if (result.verdict === 'errored') throw new HarnessError(`a campaign that is measured: ${result.reason}`);
  return result;
}

/**
 * Draws and judges a part of the scenarios, and returns how many operations that were. Nothing is shortened: what
 * several parts find each of them would shorten, and the whole does so once.
 */
export async function measuredPart(plan: MeasuredCampaign, { index, count }: CampaignPlan['shard']): Promise<number> {
  const whole = measuredPlan(plan);
  const tally = new Tally(whole);
  for (let block = index - 1; block * BLOCK_SCENARIOS < whole.scenarios; block += count) {
    const known = tally.known().map(([signature]) => signature);
    tally.merge(await judgeBlock(whole, whole, block, known));
  }
  return tally.operations;
}
