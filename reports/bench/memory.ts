import type { ProfileName } from '../../model/profiles.ts';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import type { MemoryUsed, MemoryWork } from './memory-worker.ts';

const MIB = 2 ** 20;

/** What a long campaign of one process needs, and whether it needs more and more. */
export async function memoryRows(profile: ProfileName, seconds: number): Promise<readonly BenchRow[]> {
  const worker = new WorkerProcess<MemoryWork, MemoryUsed>('../../reports/bench/memory-worker', 'long');
  try {
    const { peak, quarter, end } = await worker.ask({ profile, seconds }, seconds * 3 + 60);
    const row = { section: 'memory', unit: 'MiB', of: 'live heap' } as const;
    const what = `a campaign of ${seconds} s`;
    return [
      { ...row, what, against: 'its first quarter', amount: end / MIB, ratio: end / quarter },
      { ...row, what: `${what}, resident at its most`, against: 'its end', amount: peak / MIB, ratio: peak / end },
    ];
  } finally {
    worker.end();
  }
}
