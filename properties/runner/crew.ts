import { availableParallelism } from 'node:os';
import { HarnessError, type Platform } from '#vocabulary';
import type { InvariantId } from '../invariants/invariant.ts';
import type { TallyPart } from './tally.ts';
import { WorkerProcess } from './worker-process.ts';

/** A block of a campaign, as a worker is asked for it. */
export interface BlockQuestion {
  /** A system in the process itself. */
  readonly system: string;
  readonly profile: string;
  readonly platform: Platform;
  readonly subjectPlatform: Platform;
  readonly invariants: readonly InvariantId[];
  readonly seed: number;
  readonly scenarios: number;
  readonly lengthMax: number | undefined;
  readonly block: number;
  readonly known: readonly string[];
}

/** A worker that is given up has taken longer than any block can. */
const SECONDS_MAX = 600;

/** Processes that share the blocks of campaigns with the one that asks them. */
export class Crew {
  readonly workers: readonly WorkerProcess<BlockQuestion, TallyPart>[];

  /** @param size processes; one for each core besides our own when left out */
  constructor(size: number = availableParallelism() - 1) {
    this.workers = Array.from({ length: size }, () => new WorkerProcess('campaign-worker'));
  }

  end(): void {
    for (const worker of this.workers) worker.end();
  }
}

/** @throws HarnessError when the worker does not answer */
export async function askWorker(
  worker: WorkerProcess<BlockQuestion, TallyPart>,
  question: BlockQuestion,
): Promise<TallyPart> {
  try {
    return await worker.ask(question, SECONDS_MAX);
  } catch (error) {
    throw new HarnessError(error instanceof Error ? error.message : String(error));
  }
}
