import { availableParallelism } from 'node:os';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { Crew } from '../../properties/runner/crew.ts';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import { counted } from '../layout.ts';
import { measuredCampaign, measuredPlan } from './campaign-plan.ts';
import type { ShardWork } from './shard-worker.ts';
import { type BenchPair, measureRows, type Work } from './turns.ts';

/** Of one turn: far more than any has taken. */
const SECONDS_MAX = 600;

/**
 * A campaign that all cores share, beside the same on one; and beside a part of its scenarios drawn and judged in each
 * of as many processes that know nothing of each other, which is all that the machine can do.
 */
export async function coresRows(profile: ProfileName, scenarios: number): Promise<readonly BenchRow[]> {
  const count = availableParallelism();
  const plan = measuredPlan({ system: optimisedSystem(), profile, platform: platformOf(profile), scenarios });
  const crew = new Crew('long', count - 1);
  // In a worker, which has the engine options of the crew; this process has not.
  const one = shardProcess();
  const shards = Array.from({ length: count }, shardProcess);
  const together: Work = async () => (await measuredCampaign({ ...plan, crew })).operations;
  const alone: Work = () => one.ask({ profile, scenarios, shard: null }, SECONDS_MAX);
  const apart: Work = async () => {
    const asked = shards.map((worker, place) =>
      worker.ask({ profile, scenarios, shard: { index: place + 1, count } }, SECONDS_MAX),
    );
    const operations = await Promise.all(asked);
    return operations.reduce((sum, each) => sum + each);
  };
  const shared = [`a campaign on ${counted(count, 'core')}`, together] as const;
  const pairs: readonly BenchPair[] = [
    [...shared, 'the same on one', alone],
    [...shared, `a part of its scenarios in each of ${counted(count, 'process', 'processes')}`, apart],
  ];
  try {
    await Promise.all([...crew.workers, one, ...shards].map(({ ready }) => ready));
    return await measureRows('cores', pairs);
  } finally {
    crew.end();
    for (const worker of [one, ...shards]) worker.end();
  }
}

function shardProcess(): WorkerProcess<ShardWork, number> {
  return new WorkerProcess('../../reports/bench/shard-worker', 'long');
}
