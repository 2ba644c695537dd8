import type { System } from '#vocabulary';
import { systemFactory } from '../../impl/index.ts';
import { INVARIANTS } from '../invariants/index.ts';
import { judgeBlock } from './block.ts';
import type { BlockQuestion, ShrinkQuestion } from './crew.ts';
import { type ShortFailure, shortestFailure } from './shortest.ts';
import type { TallyPart } from './tally.ts';
import { answerQuestions } from './worker-process.ts';

// A process of its own: it draws and judges the blocks it is asked for, and shortens what does not hold.

const started = new Map<string, Promise<System>>();

answerQuestions(answer);

async function answer(question: BlockQuestion | ShrinkQuestion): Promise<TallyPart | ShortFailure> {
  const { profile, subjectPlatform, invariants, ...drawing } = question.campaign;
  const system = await systemNamed(drawing.system);
  const terms = { profile, subjectPlatform, invariants: INVARIANTS.filter(({ id }) => invariants.includes(id)) };
  const told = { ...drawing, system };
  switch (question.kind) {
    case 'block':
      return judgeBlock(told, terms, question.block, question.known);
    case 'shrink':
      return shortestFailure({ ...told, terms }, question.signature, question.failure);
  }
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
