import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { campaign } from '../../properties/runner/campaign.ts';
import { answerQuestions } from '../../properties/runner/worker-process.ts';
import { measuredPlan } from './campaign-plan.ts';

// A process of its own: nothing but the campaign has used memory in it.

/** A campaign of so many seconds. */
export interface MemoryWork {
  readonly profile: ProfileName;
  readonly seconds: number;
}

/** Bytes that a process has used. */
export interface MemoryUsed {
  /** The most that was resident at a time. */
  readonly peak: number;
  /** What was reachable after a quarter of the time. */
  readonly quarter: number;
  /** What was reachable at the end. */
  readonly end: number;
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

answerQuestions(measured);

async function measured({ profile, seconds }: MemoryWork): Promise<MemoryUsed> {
  const platform = platformOf(profile);
  const plan = measuredPlan({ system: optimisedSystem(), profile, platform, scenarios: Number.MAX_SAFE_INTEGER });
  const quarterAt = performance.now() + (seconds / 4) * 1000;
  let quarter: number | undefined;
  const result = await campaign({
    ...plan,
    seconds,
    onProgress: () => {
      if (quarter === undefined && performance.now() >= quarterAt) quarter = reachable();
    },
  });
  const end = reachable();
  if (quarter === undefined || result.operations === 0) throw new Error(`no campaign of ${seconds} s`);
  return { peak: process.resourceUsage().maxRSS * 1024, quarter, end };
}

function reachable(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
