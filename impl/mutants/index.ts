import { HISTORIC_MUTANTS } from './historic.ts';
import { IMS_MUTANTS } from './ims.ts';
import type { Mutant } from './mutant.ts';

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [...HISTORIC_MUTANTS, ...IMS_MUTANTS];

/** Faults that have a number in both lists. */
const ALSO: Readonly<Record<string, string>> = { S02: 'M17', S03: 'M8', S12: 'M19', S17: 'M15' };

/** The mutant of an id, or undefined where there is none. */
export function mutantNamed(id: string): Mutant | undefined {
  const known = ALSO[id] ?? id;
  return MUTANTS.find((mutant) => mutant.id === known);
}
