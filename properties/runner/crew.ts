import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { HarnessError, type Platform } from '#vocabulary';
import type { InvariantId } from '../invariants/invariant.ts';
import type { ShortFailure } from './shortest.ts';
import type { Failure, TallyPart } from './tally.ts';
import { together } from './together.ts';
import { type Stint, WorkerProcess } from './worker-process.ts';

/** A campaign, as a worker is told of it. */
export interface CampaignTold {
  /** A system in the process itself. */
  readonly system: string;
  readonly profile: string;
  readonly platform: Platform;
  readonly subjectPlatform: Platform;
  readonly invariants: readonly InvariantId[];
  readonly seed: number;
  readonly scenarios: number;
  readonly lengthMax: number | undefined;
  readonly seconds: number;
}

/** Asks for what was counted in a block, with no example of the kinds of failure that are known. */
export interface BlockQuestion {
  readonly kind: 'block';
  readonly campaign: CampaignTold;
  readonly block: number;
  readonly known: readonly string[];
}

/** Asks for a failure as short as it gets. */
export interface ShrinkQuestion {
  readonly kind: 'shrink';
  readonly campaign: CampaignTold;
  readonly signature: string;
  readonly failure: Failure;
}

export type CrewWorker = WorkerProcess<BlockQuestion | ShrinkQuestion, TallyPart | ShortFailure>;

/** A worker that is given up has taken longer than any block and any failure can. */
const SECONDS_MAX = 600;

/** A worker has a piece to go on with while the process that asks is busy with one of its own. */
const ASKED_AHEAD = 2;

/** Processes that share the work of campaigns with the one that asks them. */
export class Crew {
  readonly workers: readonly CrewWorker[];

  /** @param size processes; one for each core besides our own when left out */
  constructor(stint: Stint, size: number = availableParallelism() - 1) {
    this.workers = Array.from({ length: size }, () => new WorkerProcess('campaign-worker', stint));
  }

  end(): void {
    for (const worker of this.workers) worker.end();
  }
}

/** Work that this process can do, and a worker as well. */
export interface Piece<Worker = CrewWorker> {
  here(): Promise<void>;
  by(worker: Worker): Promise<void>;
}

/**
 * Does one piece of work after the other, here and by the crew, until there are no more. When one fails, no other is
 * begun. A worker that is not ready when nothing is left for this process is not waited for, whatever is left for it.
 * @param nextHere what comes next for this process, for whose answers its workers wait; undefined: nothing
 * @param nextFor what comes next for a worker
 */
export async function share<Worker extends { readonly ready: Promise<void> }>(
  crew: { readonly workers: readonly Worker[] },
  nextHere: () => Piece<Worker> | undefined,
  nextFor: (worker: Worker) => Pick<Piece<Worker>, 'by'> | undefined,
): Promise<void> {
  let failed = false;
  const lane = async <Part>(take: () => Part | undefined, work: (piece: Part) => Promise<void>): Promise<void> => {
    for (let piece = take(); piece !== undefined && !failed; piece = take()) await work(piece);
  };
  const own = lane(nextHere, async (piece) => {
    // The answers of the others wait until this process looks at them.
    await setImmediate();
    await piece.here();
  });
  // Where there are few pieces, each worker has one before any has two.
  const theirs = Array.from({ length: ASKED_AHEAD }, () => crew.workers).flatMap((workers) =>
    workers.map((worker) => async () => {
      const isReady = await Promise.race([worker.ready.then(() => true), own.then(() => false)]);
      if (isReady)
        await lane(
          () => nextFor(worker),
          (piece) => piece.by(worker),
        );
    }),
  );
  await together([() => own, ...theirs], () => (failed = true));
}

/** @throws HarnessError when the worker does not answer */
export async function askForBlock(worker: CrewWorker, question: BlockQuestion): Promise<TallyPart> {
  return (await answerOf(worker, question)) as TallyPart;
}

/** @throws HarnessError when the worker does not answer */
export async function askForShortest(worker: CrewWorker, question: ShrinkQuestion): Promise<ShortFailure> {
  return (await answerOf(worker, question)) as ShortFailure;
}

/** @throws HarnessError when the worker does not answer */
export async function answerOf<Question, Answer>(
  worker: Pick<WorkerProcess<Question, Answer>, 'ask'>,
  question: Question,
): Promise<Answer> {
  try {
    return await worker.ask(question, SECONDS_MAX);
  } catch (error) {
    throw new HarnessError(error instanceof Error ? error.message : String(error));
  }
}
