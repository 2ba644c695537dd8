import type { Platform, System, SystemFactory } from '#vocabulary';
import { INVARIANTS } from '../../properties/invariants/index.ts';
import { campaign } from '../../properties/runner/campaign.ts';
import { probe } from '../../properties/runner/probe.ts';
import type { BenchRow } from '../bench-json.ts';

const SECTION = 'real systems';

/** A real system, and the profile that it is measured with. */
export interface RealWork {
  readonly factory: SystemFactory;
  readonly profile: string;
  readonly platform: Platform;
  readonly scenarios: number;
}

/** The operations of a campaign on a real system, beside the implementation in this process; nothing if not ready. */
export async function systemRows(optimised: System, works: readonly RealWork[]): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { factory, ...work } of works) {
    if (!factory.readiness().ready) continue;
    const system = await factory.start();
    try {
      await probe(system);
      const real = await speedOf(system, work);
      const against = `optimised in this process`;
      const ratio = (await speedOf(optimised, work)) / real;
      rows.push({
        section: SECTION,
        what: system.name,
        against,
        amount: real,
        unit: 'operations/s',
        ratio,
        of: 'time',
      });
    } finally {
      await system.close();
    }
  }
  return rows;
}

async function speedOf(system: System, { profile, platform, scenarios }: Omit<RealWork, 'factory'>): Promise<number> {
  const { operations, seconds } = await campaign({
    ...{ system, profile, platform, subjectProfile: profile, subjectPlatform: platform },
    ...{ invariants: INVARIANTS, seed: 3, scenarios, lengthMax: undefined, seconds: Number.POSITIVE_INFINITY },
    ...{ shard: { index: 1, count: 1 }, crew: null, stop: new AbortController().signal },
    onProgress: () => undefined,
  });
  return operations / seconds;
}
