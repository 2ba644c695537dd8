import type { BenchRow } from '../bench-json.ts';
import { canSpin, exploreTwin, spinTwin } from './twin.ts';

/** Vectors of the twin, the most that it has words for: Spin takes tenths of seconds, which its clock tells. */
const VECTORS = 6;

/** `explore` beside Spin, on two models of one configuration; nothing where Spin is not installed. */
export async function explorationRows(): Promise<readonly BenchRow[]> {
  if (!canSpin()) return [];
  const ours = exploreTwin(VECTORS);
  const spins = spinTwin(VECTORS);
  if (ours.states !== spins.states || ours.transitions !== spins.transitions)
    throw new Error(`explore found ${ours.states} states, and Spin ${spins.states}`);
  return [
    {
      section: 'exploring every state',
      what: `explore, MSI-X of ${VECTORS} vectors`,
      against: `Spin, ${ours.states.toLocaleString('en')} states each`,
      amount: ours.transitions / ours.seconds,
      unit: 'transitions/s',
      ratio: ours.seconds / spins.seconds,
      of: 'time',
    },
  ];
}
