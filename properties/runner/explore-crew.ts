import { availableParallelism } from 'node:os';
import { answerOf, type Piece, share } from './crew.ts';
import { cut, type Exploration, Explorer, type Reach, SLICE, type Subject } from './explore.ts';
import type { Alphabet } from './explore-alphabet.ts';
import { Hand, movesOf, type Slice, type SliceFound } from './explore-hand.ts';
import { inOrder } from './in-order.ts';
import { StateSet } from './state-set.ts';
import { type Growth, StateTree } from './state-tree.ts';
import { answerQuestions, WorkerProcess } from './worker-process.ts';

/** What is explored: its subject is in the first state. */
export interface Explored {
  readonly subject: Subject<unknown>;
  readonly alphabet: Alphabet;
}

/** Asks for a slice. What is explored is named by plain data, of which each process makes its own. */
interface SliceQuestion<Of> {
  readonly of: Of;
  /** States to keep, at most. */
  readonly room: number;
  /** The states that the worker does not know yet. With the first of all another exploration begins. */
  readonly growth: Growth;
  readonly slice: Slice;
}

/** A process that tries slices, one after the other. */
export type SliceWorker<Of> = Pick<WorkerProcess<SliceQuestion<Of>, SliceFound>, 'ready' | 'ask' | 'end'>;

/** @param source the file of the worker, as WorkerProcess has it: it calls `answerSlices` */
export function sliceWorkers<Of>(source: string, size = availableParallelism() - 1): readonly SliceWorker<Of>[] {
  return Array.from({ length: size }, () => new WorkerProcess(source, 'short'));
}

/** Fewer states are tried here: to ask for them would take as long. */
const SHARED_FROM = 100;
/** Slices for each process, so that none waits long for the last one. */
const SLICES_EACH = 4;

/**
 * Explores here and in the workers: a depth is cut into slices, which are tried at the same time and put together in
 * their order, so that all is found that `explore` finds, and nothing else.
 * @param make as the workers' own, from what names the exploration
 * @throws HarnessError when a worker does not answer
 */
export async function exploreTogether<Of>(
  make: (of: Of) => Explored,
  of: Of,
  reach: Reach,
  workers: readonly SliceWorker<Of>[],
): Promise<Exploration> {
  const { subject, alphabet } = make(of);
  const explorer = new Explorer(subject, alphabet, reach);
  /** How many states each worker knows. */
  const known = new Map<SliceWorker<Of>, number>();
  const ask = (worker: SliceWorker<Of>, slice: Slice): Promise<SliceFound> => {
    const growth = explorer.tree.since(known.get(worker) ?? 0);
    known.set(worker, explorer.tree.size);
    return answerOf(worker, { of, room: reach.states, growth, slice });
  };
  for (const whole of explorer.slices())
    if (whole.to - whole.from < SHARED_FROM) explorer.add(explorer.hand.do(whole));
    else await shareSlice(explorer, whole, workers, ask);
  return explorer.found();
}

async function shareSlice<Worker extends { readonly ready: Promise<void> }>(
  explorer: Explorer,
  whole: Slice,
  workers: readonly Worker[],
  ask: (worker: Worker, slice: Slice) => Promise<SliceFound>,
): Promise<void> {
  const states = Math.ceil((whole.to - whole.from) / (SLICES_EACH * (workers.length + 1)));
  const take = inOrder((found: SliceFound) => explorer.add(found));
  const left = cut(whole, Math.min(SLICE, states)).map(
    (slice, place): Piece<Worker> => ({
      here: async () => take(place, explorer.hand.do(slice)),
      by: async (worker) => take(place, await ask(worker, slice)),
    }),
  );
  const next = (): Piece<Worker> | undefined => left.shift();
  await share({ workers }, next, next);
}

/** What a worker does: it tries the slices that it is asked for, of one exploration after the other. */
export function answerSlices<Of>(make: (of: Of) => Explored): void {
  let current: { readonly tree: StateTree; readonly hand: Hand } | null = null;
  answerQuestions(async ({ of, room, growth, slice }: SliceQuestion<Of>): Promise<SliceFound> => {
    if (current === null || growth.from === 0) current = handOf(make(of), room);
    current.tree.grow(growth);
    return current.hand.do(slice);
  });
}

/** One that tells of a state once: what it has told comes from an earlier slice, and is known when this is added. */
function handOf({ subject, alphabet }: Explored, room: number): { readonly tree: StateTree; readonly hand: Hand } {
  const tree = new StateTree(room, movesOf(alphabet).length);
  const told = new StateSet();
  return { tree, hand: new Hand(subject, alphabet, tree, (state) => told.add(state)) };
}
