import type { ProfileName } from '../../model/profiles.ts';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import type { EngineWork } from './engine-worker.ts';
import { type BenchPair, measureRows } from './turns.ts';

/** Vectors of the tables. */
export const SMALL = 8;
export const LARGE = 2048;

const STOCK = 'fast-check commands and modelRun';

/** What is measured, and against what: parts of a campaign, two sizes, and fast-check's way to run commands. */
const PARTS = {
  optimised: ['optimised', 'reference'],
  compared: ['lockstep, compared', 'reference'],
  judged: ['lockstep, compared and judged', 'reference'],
  drawn: ['drawn', 'fast-check commands, drawn'],
  'drawn and compared': ['drawn and compared', `${STOCK}, node:assert`],
  'drawn and judged': ['drawn, compared and judged', `${STOCK}, node:assert, our invariants`],
  'drawn and compared, lent': ['drawn and compared', `${STOCK}, our comparer`],
  'drawn and judged, lent': ['drawn, compared and judged', `${STOCK}, our comparer, our invariants`],
  'optimised, large': [`optimised, ${LARGE} vectors`, `optimised, ${SMALL} vectors`],
  'judged, large': [`lockstep, compared and judged, ${LARGE} vectors`, `the same with ${SMALL}`],
} as const;

export type EnginePart = keyof typeof PARTS;

/** Of one turn: some thousand times as long as any has taken. */
const SECONDS_MAX = 600;

/**
 * Measures the parts of a campaign against each other and against fast-check's `commands` and `modelRun`.
 * @param scenarios of each turn
 */
export async function engineRows(profile: ProfileName, scenarios: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const part of Object.keys(PARTS) as EnginePart[]) rows.push(...(await partRows({ part, profile, scenarios })));
  return rows;
}

async function partRows(work: Omit<EngineWork, 'side'>): Promise<readonly BenchRow[]> {
  const [what, against] = PARTS[work.part];
  const [ours, other] = [sideWorker(), sideWorker()];
  try {
    const turns: BenchPair = [
      what,
      () => ours.ask({ ...work, side: 'ours' }, SECONDS_MAX),
      against,
      () => other.ask({ ...work, side: 'other' }, SECONDS_MAX),
    ];
    return await measureRows('engine', [turns]);
  } finally {
    ours.end();
    other.end();
  }
}

function sideWorker(): WorkerProcess<EngineWork, number> {
  return new WorkerProcess('../../reports/bench/engine-worker', 'long');
}
