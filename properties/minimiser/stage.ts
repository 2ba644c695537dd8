import type { Operation, Scenario, Support } from '#vocabulary';
import type { Trials } from './trials.ts';

/** One way to make a failing scenario shorter or simpler; it returns one that fails too, or the same. */
export type Stage = (scenario: Scenario, trials: Trials, support: Support) => Promise<Scenario>;

/** The same machine with other operations. */
export function withOperations({ config }: Scenario, operations: readonly Operation[]): Scenario {
  return { config, operations };
}

/** Every choice of `count` of the numbers from `from` to `end` - 1, ascending. */
export function* choices(end: number, count: number, from = 0): Generator<readonly number[]> {
  if (count === 0) yield [];
  else
    for (let first = from; first + count <= end; first += 1)
      for (const others of choices(end, count - 1, first + 1)) yield [first, ...others];
}
