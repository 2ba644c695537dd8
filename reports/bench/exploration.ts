import { availableParallelism } from 'node:os';
import { WorkerProcess } from '../../properties/runner/worker-process.ts';
import type { BenchRow } from '../bench-json.ts';
import { counted } from '../layout.ts';
import { takeTurns } from './turns.ts';
import { canSpin, exploreTwin, exploreTwinTogether, type TwinCount, twinWorkers, withSpin } from './twin.ts';

/** Vectors of the twin, the most that it has words for: Spin takes a second, which its clock tells in hundredths. */
const VECTORS = 7;

/** Of all turns together: some times as long as they have taken. */
const SECONDS_MAX = 1800;

/** `explore` beside Spin, on two models of one configuration; nothing where Spin is not installed. */
export async function explorationRows(): Promise<readonly BenchRow[]> {
  if (!canSpin()) return [];
  // In a process of its own: in one that has measured other things before, the same code takes 1.7 times as long.
  const worker = new WorkerProcess<typeof VECTORS, readonly BenchRow[]>(
    '../../reports/bench/exploration-worker',
    'short',
  );
  try {
    return await worker.ask(VECTORS, SECONDS_MAX);
  } finally {
    worker.end();
  }
}

/** What is measured, by the process that calls it and others. */
export async function measuredExploration(vectors: number): Promise<readonly BenchRow[]> {
  const workers = twinWorkers();
  const cores = counted(availableParallelism(), 'core');
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    return await withSpin(vectors, async (spin) => [
      await rowOf(`${vectors} vectors, one core`, () => exploreTwin(vectors), spin),
      await rowOf(`${vectors} vectors, ${cores}`, () => exploreTwinTogether(vectors, workers), spin),
    ]);
  } finally {
    for (const worker of workers) worker.end();
  }
}

async function rowOf(
  what: string,
  explored: () => TwinCount | Promise<TwinCount>,
  spin: () => TwinCount,
): Promise<BenchRow> {
  const spins = spin();
  const secondsEach = (count: TwinCount): number => {
    if (inWords(count) !== inWords(spins))
      throw new Error(`${inWords(count)} of ${what}, and ${inWords(spins)} by Spin`);
    return count.seconds / count.transitions;
  };
  const measured = await takeTurns(
    async () => secondsEach(await explored()),
    () => secondsEach(spin()),
  );
  return {
    section: 'exploring every state',
    what: `explore, MSI-X of ${what}`,
    against: `Spin on one, ${spins.states.toLocaleString('en')} states each`,
    ...measured,
    unit: 'transitions/s',
    of: 'time',
  };
}

function inWords({ states, transitions }: TwinCount): string {
  return `${states} states and ${transitions} transitions`;
}
