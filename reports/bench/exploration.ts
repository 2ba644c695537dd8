import { availableParallelism } from 'node:os';
import type { BenchRow } from '../bench-json.ts';
import { counted } from '../layout.ts';
import { takeTurns } from './turns.ts';
import { canSpin, exploreTwin, exploreTwinTogether, type TwinCount, twinWorkers, withSpin } from './twin.ts';

/** Vectors of the twin, the most that it has words for: Spin takes a second, which its clock tells in hundredths. */
const VECTORS = 7;

/** `explore` beside Spin, on two models of one configuration; nothing where Spin is not installed. */
export async function explorationRows(): Promise<readonly BenchRow[]> {
  if (!canSpin()) return [];
  const workers = twinWorkers();
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    return await withSpin(VECTORS, async (spin) => [
      await rowOf('one core', () => exploreTwin(VECTORS), spin),
      await rowOf(counted(availableParallelism(), 'core'), () => exploreTwinTogether(VECTORS, workers), spin),
    ]);
  } finally {
    for (const worker of workers) worker.end();
  }
}

async function rowOf(
  cores: string,
  explored: () => TwinCount | Promise<TwinCount>,
  spin: () => TwinCount,
): Promise<BenchRow> {
  const spins = spin();
  const secondsEach = (count: TwinCount): number => {
    if (inWords(count) !== inWords(spins))
      throw new Error(`${inWords(count)} on ${cores}, and ${inWords(spins)} by Spin`);
    return count.seconds / count.transitions;
  };
  const measured = await takeTurns(
    async () => secondsEach(await explored()),
    () => secondsEach(spin()),
  );
  return {
    section: 'exploring every state',
    what: `explore, MSI-X of ${VECTORS} vectors, ${cores}`,
    against: `Spin on one, ${spins.states.toLocaleString('en')} states each`,
    ...measured,
    unit: 'transitions/s',
    of: 'time',
  };
}

function inWords({ states, transitions }: TwinCount): string {
  return `${states} states and ${transitions} transitions`;
}
