import type { System } from '#vocabulary';
import { systemFactory } from '../../impl/index.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { judgeBlock } from './block.ts';
import type { BlockQuestion } from './crew.ts';
import type { TallyPart } from './tally.ts';
import { answerQuestions } from './worker-process.ts';

// A process of its own: it draws and judges the blocks it is asked for.

const started = new Map<string, Promise<System>>();

answerQuestions(judged);

async function judged(question: BlockQuestion): Promise<TallyPart> {
  const { profile, platform, subjectPlatform, invariants, seed, scenarios, lengthMax, block, known } = question;
  const system = await systemNamed(question.system);
  const terms = { profile, subjectPlatform, invariants: INVARIANTS.filter(({ id }) => invariants.includes(id)) };
  return judgeBlock({ system, platform, seed, scenarios, lengthMax }, terms, block, known);
}

function systemNamed(name: string): Promise<System> {
  const known = started.get(name);
  if (known !== undefined) return known;
  const factory = systemFactory(name, undefined);
  if (factory === undefined) throw new Error(`there is no system ${name}`);
  const system = Promise.resolve(factory.start());
  started.set(name, system);
  return system;
}
