import type { ProfileName } from '../../model/profiles.ts';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import type { MemoryUsed, MemoryWork } from './memory-worker.ts';

/** What a long campaign of one process needs, and whether it needs more and more. */
export async function memoryRows(profile: ProfileName, seconds: number): Promise<readonly BenchRow[]> {
  const worker = new WorkerProcess<MemoryWork, MemoryUsed>('../../reports/bench/memory-worker');
  try {
    const { peak, quarter, end } = await worker.ask({ profile, seconds }, seconds * 3 + 60);
    return [
      {
        section: 'memory',
        what: `a campaign of ${seconds} s, at its most`,
        against: 'its first quarter',
        amount: peak / 2 ** 20,
        unit: 'MiB',
        ratio: end / quarter,
        of: 'live heap',
      },
    ];
  } finally {
    worker.end();
  }
}
