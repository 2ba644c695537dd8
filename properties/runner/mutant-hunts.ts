import { availableParallelism } from 'node:os';
import { type Hunt, unanswered } from './mutants.ts';
import { WorkerProcess } from './worker-process.ts';

/** One search, as a worker is sent it. */
export interface Job {
  readonly id: string;
  readonly seed: number;
  /** Scenarios after which the mutant has survived. */
  readonly scenarios: number;
}

export interface HuntsPlan {
  /** Processes side by side; as many as there are cores when left out. */
  readonly workers?: number;
  /** A search that takes longer is given up, and its worker with it. */
  readonly secondsMax?: number;
  /** Ends the searches: those that have not begun are left out. */
  readonly stop?: AbortSignal;
  readonly onHunt?: (hunt: Hunt) => void;
}

const SECONDS_MAX = 120;

/**
 * Does all searches in processes of their own, as many at once as there are workers, and returns what came of them in
 * the order in which they were asked for. A worker that ends, or takes too long, leaves an `errored` search behind.
 */
export async function hunts(jobs: readonly Job[], plan: HuntsPlan = {}): Promise<readonly Hunt[]> {
  const found: (Hunt | undefined)[] = jobs.map(() => undefined);
  const left = [...jobs.entries()];
  const lane = async (): Promise<void> => {
    let worker: WorkerProcess<Job, Hunt> | null = null;
    for (let next = left.shift(); next !== undefined && plan.stop?.aborted !== true; next = left.shift()) {
      const [place, job] = next;
      worker ??= new WorkerProcess('mutant-worker', 'short');
      const told = await worker
        .ask(job, plan.secondsMax ?? SECONDS_MAX)
        .catch((error: unknown) => unanswered(job, error instanceof Error ? error.message : String(error)));
      found[place] = told;
      plan.onHunt?.(told);
      if (worker.isOver) worker = null;
    }
    worker?.end();
  };
  const lanes = Math.min(plan.workers ?? availableParallelism(), jobs.length);
  await Promise.all(Array.from({ length: lanes }, lane));
  return found.filter((hunt) => hunt !== undefined);
}
