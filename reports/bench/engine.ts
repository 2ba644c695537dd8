import type { ProfileName } from '../../model/profiles.ts';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import type { EngineWork } from './engine-worker.ts';

/** What is measured: parts of a campaign, at two sizes, and beside fast-check's own way to run commands. */
const PARTS = [
  'optimised',
  'compared',
  'judged',
  'drawn',
  'drawn and compared',
  'drawn and judged',
  'optimised, large',
  'judged, large',
] as const;

export type EnginePart = (typeof PARTS)[number];

/** Of one part: some hundred times as long as any has taken. */
const SECONDS_MAX = 600;

/**
 * Measures the parts of a campaign against each other and against fast-check's `commands` and `modelRun`.
 * @param scenarios of each piece of work
 */
export async function engineRows(profile: ProfileName, scenarios: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const part of PARTS) {
    const worker = new WorkerProcess<EngineWork, readonly BenchRow[]>('../../reports/bench/engine-worker');
    try {
      rows.push(...(await worker.ask({ part, profile, scenarios }, SECONDS_MAX)));
    } finally {
      worker.end();
    }
  }
  return rows;
}
