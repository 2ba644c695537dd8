import { allClauses } from '../model/clauses.ts';
import { platformOf, profileNamed } from '../model/profiles.ts';
import { EXPECTATIONS } from '../properties/expected.ts';
import { INVARIANTS, speaksOf } from '../properties/invariants/index.ts';
import type { Glossary } from '../reports/glossary.ts';
import { ANSI, type Palette, PLAIN } from '../reports/palette.ts';

/** Colours on a terminal, none elsewhere. */
export const palette = (): Palette => (process.stdout.isTTY === true ? ANSI : PLAIN);

/** What the reports can explain. */
export function glossary(): Glossary {
  const invariants = INVARIANTS.map((invariant) => ({
    ...invariant,
    isPromisedOn: (name: string): boolean => {
      const profile = profileNamed(name);
      return profile === undefined || speaksOf(invariant, platformOf(profile));
    },
  }));
  return { clauses: allClauses(), invariants, expectedViolations: EXPECTATIONS };
}
