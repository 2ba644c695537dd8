import type { System, SystemFactory } from '#vocabulary';
import type { BenchRow } from '../bench-json.ts';
import { type MeasuredCampaign, measuredCampaign, measuredPlan } from './campaign-plan.ts';

const SECTION = 'real systems';

/** A real system, and the profile that it is measured with. */
export interface RealWork extends Omit<MeasuredCampaign, 'system'> {
  readonly factory: SystemFactory;
}

/** The operations of a campaign on a real system, beside the implementation in this process; nothing if not ready. */
export async function systemRows(optimised: System, works: readonly RealWork[]): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { factory, ...work } of works) {
    if (!factory.readiness().ready) continue;
    const system = await factory.start();
    try {
      const real = await speedOf({ ...work, system });
      const against = 'optimised in this process';
      const ratio = (await speedOf({ ...work, system: optimised })) / real;
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

async function speedOf(measured: MeasuredCampaign): Promise<number> {
  const { operations, seconds } = await measuredCampaign(measuredPlan(measured));
  return operations / seconds;
}
