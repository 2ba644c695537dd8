import type { Words } from './words.ts';

/** What somebody tells, as a list. */
export function wordsTold(tell: (words: Words) => void): readonly number[] {
  const told: number[] = [];
  tell({ put: (word) => told.push(word | 0) });
  return told;
}

/** What is in every field: a change of the state, or why the words can leave it out. A new field does not compile. */
export type Changes<Part> = { readonly [Field in keyof Part]: ((part: Part) => void) | Because };
export type Because = 'never changes' | 'is of one step' | 'has a table of its own' | 'follows from the rest';

/** Every change of a part that is found in a machine, with its name. */
export function changes<Machine, Part extends object>(
  name: string,
  table: Changes<Part>,
  find: (machine: Machine) => Part,
): readonly (readonly [string, (machine: Machine) => void])[] {
  return Object.entries<((part: Part) => void) | Because>(table).flatMap(([field, change]) =>
    typeof change === 'string' ? [] : [[`${name}.${field}`, (machine: Machine) => change(find(machine))] as const],
  );
}
