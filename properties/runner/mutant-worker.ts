import { mutantNamed } from '../../impl/mutants/index.ts';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import type { Job } from './mutant-hunts.ts';
import { type Hunt, hunt } from './mutants.ts';
import { answerQuestions } from './worker-process.ts';

// A process of its own: it is sent one job after the other and answers each with what came of it.

answerQuestions(answer);

async function answer({ id, seed, scenarios }: Job): Promise<Hunt> {
  const mutant = mutantNamed(id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  return hunt(mutant, mutantSystem(mutant), { seed, scenarios });
}
