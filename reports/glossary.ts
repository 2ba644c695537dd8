import type { Clause } from '#vocabulary';

/** An invariant as a report needs it: its name, its promise, and where the promise is made. */
export interface PromisedInvariant {
  readonly id: string;
  readonly promise: string;
  readonly source: string;
  /** Whether it says anything of the machines of a profile; of all when left out. */
  readonly isPromisedOn?: (profile: string) => boolean;
}

/** A violation that is the known history of a profile, with the clause that explains it. */
export interface ExpectedViolation {
  /** Null for every profile. */
  readonly profile: string | null;
  readonly invariant: string;
  readonly clause: string;
  /** Where it is known from. */
  readonly source: string;
}

/** The words for the ids that a run carries. */
export interface Glossary {
  readonly clauses: readonly Clause[];
  readonly invariants: readonly PromisedInvariant[];
  readonly expectedViolations: readonly ExpectedViolation[];
}

/** The promise that the comparer watches over. */
export const CONFORMANCE_PROMISE =
  'The system answers every operation as the reference model does, and looks the same afterwards.';

/** The promise of an invariant; its name when the glossary does not hold it, as in a newer version's record. */
export function promiseOf(invariant: string, glossary: Glossary): string {
  if (invariant === 'conformance') return CONFORMANCE_PROMISE;
  return glossary.invariants.find(({ id }) => id === invariant)?.promise ?? invariant;
}

/** Where an expected violation is known from: the expectation's own source, else that of its clause. */
export function expectationSource(profile: string, invariant: string, clause: string, glossary: Glossary): string {
  const expectation = glossary.expectedViolations.find(
    (candidate) =>
      (candidate.profile ?? profile) === profile && candidate.invariant === invariant && candidate.clause === clause,
  );
  return expectation?.source ?? glossary.clauses.find(({ id }) => id === clause)?.source ?? 'no source is recorded';
}
