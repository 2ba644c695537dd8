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
  const crew = new Crew(count - 1);
  const shards = Array.from(
    { length: count },
    () => new WorkerProcess<ShardWork, number>('../../reports/bench/shard-worker'),
  );
  const by =
    (crewOrNone: Crew | null): Work =>
    async () =>
      (await measuredCampaign({ ...plan, crew: crewOrNone })).operations;
  const apart: Work = async () => {
    const asked = shards.map((worker, place) =>
      worker.ask({ profile, scenarios, shard: { index: place + 1, count } }, SECONDS_MAX),
    );
    const operations = await Promise.all(asked);
    return operations.reduce((sum, each) => sum + each);
  };
  const shared = [`a campaign on ${counted(count, 'core')}`, by(crew)] as const;
  const pairs: readonly BenchPair[] = [
    [...shared, 'the same on one', by(null)],
    [...shared, `a part of its scenarios in each of ${counted(count, 'process', 'processes')}`, apart],
  ];
  try {
    await Promise.all([...crew.workers, ...shards].map(({ ready }) => ready));
    return await measureRows('cores', pairs);
  } finally {
    crew.end();
    for (const worker of shards) worker.end();
  }
}
