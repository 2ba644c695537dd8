import { type Config, type Operation, printOperation, type Scenario } from '#vocabulary';
import type { Trials } from './trials.ts';

/** What came of trying all words over an alphabet, short ones first. */
export interface Searched {
  /** The first that fails, which is a shortest; null where none was met. */
  readonly found: Scenario | null;
  /** No word of up to so many letters fails; -1 where not even the empty one could be tried. */
  readonly without: number;
  /**
   * Up to so many letters every word was tried; of longer ones those that do not begin with one that is taken for
   * another.
   */
  readonly unmerged: number;
}

/**
 * When two words are taken for one. `state`: when they leave the same behind. `step`: when the same was there before
 * their last operation, too, and that is the same; what a system remembers and does not show is mostly about how it
 * came to be as it is. A word whose last operation changed nothing is left out then.
 */
export type Merging = 'state' | 'step';

/** Where words are looked for. */
export interface Space {
  readonly config: Config;
  readonly alphabet: readonly Operation[];
  /** Longer ones are not looked at. */
  readonly lengthMax: number;
  /** Null where every word is tried, whatever that costs. */
  readonly merging: Merging | null;
}

/** Operations that may be spent on words of one length before any of them are taken for one. */
const UNMERGED_STEPS = 6000;

interface Word {
  readonly operations: readonly Operation[];
  /** What it leaves behind, where that was asked. */
  readonly state: string | null;
}

interface Level {
  readonly words: readonly Word[];
  readonly found: Scenario | null;
  readonly isComplete: boolean;
}

/** Operations that trying every word costs. */
export function stepsOf(letters: number, lengthMax: number): number {
  let steps = 1;
  for (let length = 1; length <= lengthMax; length += 1) steps += letters ** length * length;
  return steps;
}

/** Tries all words over an alphabet on a machine, breadth first. */
export async function search(space: Space, trials: Trials): Promise<Searched> {
  const { config, alphabet, lengthMax, merging } = space;
  const known = new Set<string>();
  let words: readonly Word[] = [{ operations: [], state: null }];
  let unmerged = 0;
  let isExact = true;
  if (lengthMax < 0 || trials.isOver) return { found: null, without: -1, unmerged };
  const empty: Scenario = { config, operations: [] };
  if (await trials.fails(empty)) return { found: empty, without: -1, unmerged };
  if (trials.hasRefused) return { found: null, without: -1, unmerged };
  for (let length = 1; length <= lengthMax; length += 1) {
    const isLast = length === lengthMax;
    const stepsNext = words.length * alphabet.length ** 2 * (length + 1);
    const merges = merging !== null && !isLast && stepsNext > UNMERGED_STEPS && trials.suspect.stateAfter !== undefined;
    const level = await extend(words, space, trials, merges ? known : null);
    if (level.found !== null || !level.isComplete) return { found: level.found, without: length - 1, unmerged };
    if (isExact) unmerged = length;
    isExact &&= !merges;
    words = level.words;
  }
  return { found: null, without: lengthMax, unmerged };
}

/**
 * Each word with each letter after it.
 * @param known words that others may be taken for, by their keys; null where all are kept
 */
async function extend(
  words: readonly Word[],
  { config, alphabet, merging }: Space,
  trials: Trials,
  known: Set<string> | null,
): Promise<Level> {
  const longer: Word[] = [];
  for (const word of words) {
    for (const letter of alphabet) {
      if (trials.isOver) return { words: longer, found: null, isComplete: false };
      const operations = [...word.operations, letter];
      const scenario: Scenario = { config, operations };
      if (await trials.fails(scenario)) return { words: longer, found: scenario, isComplete: false };
      const state = known === null ? null : (trials.suspect.stateAfter?.(scenario) ?? null);
      if (known !== null && state !== null) {
        if (merging === 'step' && state === word.state) continue;
        const key = merging === 'state' ? state : [word.state, printOperation(letter), state].join('\n');
        if (known.has(key)) continue;
        known.add(key);
      }
      longer.push({ operations, state });
    }
  }
  return { words: longer, found: null, isComplete: !trials.hasRefused };
}
