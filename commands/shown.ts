import { allClauses } from '../model/clauses.ts';
import { EXPECTATIONS } from '../properties/expected.ts';
import { INVARIANTS } from '../properties/invariants/index.ts';
import type { Glossary } from '../reports/glossary.ts';
import { ANSI, type Palette, PLAIN } from '../reports/palette.ts';

/** Colours on a terminal, none elsewhere. */
export const palette = (): Palette => (process.stdout.isTTY === true ? ANSI : PLAIN);

/** What the reports can explain. */
export function glossary(): Glossary {
  return { clauses: allClauses(), invariants: INVARIANTS, expectedViolations: EXPECTATIONS };
}
