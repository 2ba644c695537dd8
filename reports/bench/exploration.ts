import { availableParallelism } from 'node:os';
import type { BenchRow } from '../bench-json.ts';
import { canSpin, exploreTwin, exploreTwinTogether, spinTwin, type TwinCount } from './twin.ts';

/** Vectors of the twin, the most that it has words for: Spin takes tenths of seconds, which its clock tells. */
const VECTORS = 6;

/** `explore` beside Spin, on two models of one configuration; nothing where Spin is not installed. */
export async function explorationRows(): Promise<readonly BenchRow[]> {
  if (!canSpin()) return [];
  const alone = exploreTwin(VECTORS);
  const together = await exploreTwinTogether(VECTORS);
  const spins = spinTwin(VECTORS);
  return [rowOf('one core', alone, spins), rowOf(`${availableParallelism()} cores`, together, spins)];
}

function rowOf(cores: string, ours: TwinCount, spins: TwinCount): BenchRow {
  if (ours.states !== spins.states || ours.transitions !== spins.transitions)
    throw new Error(`explore found ${ours.states} states on ${cores}, and Spin ${spins.states}`);
  return {
    section: 'exploring every state',
    what: `explore, MSI-X of ${VECTORS} vectors, ${cores}`,
    against: `Spin on one, ${ours.states.toLocaleString('en')} states each`,
    amount: ours.transitions / ours.seconds,
    unit: 'transitions/s',
    ratio: ours.seconds / spins.seconds,
    of: 'time',
  };
}
