import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { type Hunt, unanswered } from './mutants.ts';

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
/** The source of a worker, or what it was compiled to. */
const IS_SOURCE = import.meta.url.endsWith('.ts');
const WORKER = new URL(IS_SOURCE ? './mutant-worker.ts' : './mutant-worker.js', import.meta.url);

/**
 * Does all searches in processes of their own, as many at once as there are workers, and returns what came of them in
 * the order in which they were asked for. A worker that ends, or takes too long, leaves an `errored` search behind.
 */
export async function hunts(jobs: readonly Job[], plan: HuntsPlan = {}): Promise<readonly Hunt[]> {
  const found: (Hunt | undefined)[] = jobs.map(() => undefined);
  const left = [...jobs.entries()];
  const lane = async (): Promise<void> => {
    let worker: Worker | null = null;
    for (let next = left.shift(); next !== undefined && plan.stop?.aborted !== true; next = left.shift()) {
      const [place, job] = next;
      worker ??= new Worker();
      const told = await worker.ask(job, plan.secondsMax ?? SECONDS_MAX);
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

/** A process that is asked one thing at a time. */
class Worker {
  isOver = false;
  readonly #child: ChildProcess;

  constructor() {
    const execArgv = IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : [];
    this.#child = fork(WORKER, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  }

  ask(job: Job, seconds: number): Promise<Hunt> {
    const child = this.#child;
    return new Promise((resolve) => {
      let said = '';
      const onData = (data: Buffer): void => {
        said = (said + data).slice(-2000);
      };
      const settle = (hunt: Hunt): void => {
        clearTimeout(timer);
        child.off('message', settle).off('error', onError).off('close', onClose);
        child.stderr?.off('data', onData);
        resolve(hunt);
      };
      const fail = (reason: string): void => {
        this.end();
        settle(unanswered(job, reason));
      };
      const onError = (error: Error): void => fail(`its worker: ${error.message}`);
      const onClose = (): void => fail(`its worker ended: ${said.trim()}`);
      const timer = setTimeout(() => fail(`not done in ${seconds} seconds`), seconds * 1000);
      child.on('message', settle).on('error', onError).on('close', onClose);
      child.stderr?.on('data', onData);
      child.send(job);
    });
  }

  end(): void {
    this.isOver = true;
    this.#child.kill();
  }
}
