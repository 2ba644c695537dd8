import { mutantNamed } from '../../impl/mutants/index.ts';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import type { Job } from './mutant-hunts.ts';
import { type Hunt, hunt } from './mutants.ts';

// A process of its own: it is sent one job after the other and answers each with what came of it.

process.on('message', (job: Job) => {
  void answer(job).then((told) => process.send?.(told));
});

async function answer({ id, seed, scenarios }: Job): Promise<Hunt> {
  const mutant = mutantNamed(id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  return hunt(mutant, mutantSystem(mutant), { seed, scenarios });
}
