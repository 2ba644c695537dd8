import type { HostTraits } from '#vocabulary';
import { allClauses } from '../model/clauses.ts';
import { hostTraits, nearestHost, platformOf, profileNamed } from '../model/profiles.ts';
import { EXPECTATIONS } from '../properties/expected.ts';
import { INVARIANTS, speaksOf } from '../properties/invariants/index.ts';
import type { Glossary } from '../reports/glossary.ts';
import { hostWordsUnlike } from '../reports/machine.ts';
import { ANSI, type Palette, PLAIN } from '../reports/palette.ts';

/** What keeps a host that is like no profile from being like the nearest. */
export function unlikeProfiles(host: HostTraits): string {
  const name = nearestHost(host);
  const nearest = hostTraits(name);
  const [own, other] = [hostWordsUnlike(host, nearest), hostWordsUnlike(nearest, host)];
  return `behaves like no profile: ${own}; ${name}, the nearest: ${other}`;
}

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

/** The words of a run: of the promises those that were asked about, so that no report calls another one kept. */
export function wordsOf(asked: readonly string[]): Glossary {
  const words = glossary();
  return { ...words, invariants: words.invariants.filter(({ id }) => asked.includes(id)) };
}
