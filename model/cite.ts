import type { Clause } from '#vocabulary';

/** A declared clause, with the number of the step that last cited it. */
interface DeclaredClause {
  readonly clause: Clause;
  readonly id: string;
  citedAt: number;
}

const declared: DeclaredClause[] = [];
let stepNumber = 0;
/** What the current step has cited, as far as `citedCount`: one list serves all steps, and each is given a copy. */
const cited: string[] = [];
let citedCount = 0;

/**
 * Declares the clauses of a rule file, at its top. The keys are what the rules call them by.
 * @throws Error when an id is taken: two rules of one name are a mistake in the model.
 */
export function declare<Key extends string>(clauses: Record<Key, Clause>): Record<Key, DeclaredClause> {
  const entries = Object.entries<Clause>(clauses).map(([key, clause]) => {
    const { id } = clause;
    if (declared.some((other) => other.id === id)) throw new Error(`clause ${id} is declared twice`);
    const entry: DeclaredClause = { clause, id, citedAt: 0 };
    declared.push(entry);
    return [key, entry];
  });
  return Object.fromEntries(entries) as Record<Key, DeclaredClause>;
}

/** Called by a rule where it speaks. A clause cited twice in a step is recorded once. */
export function cite(clause: DeclaredClause): void {
  if (clause.citedAt === stepNumber) return;
  clause.citedAt = stepNumber;
  cited[citedCount] = clause.id;
  citedCount += 1;
}

/** Begins one step of the model. Steps are synchronous, so one collector serves all machines. */
export function collectCitations(): void {
  stepNumber += 1;
  citedCount = 0;
}

/** The ids that were cited since, in order. */
export function citations(): readonly string[] {
  return citedCount === 0 ? NOTHING : citedCount === 1 ? [cited[0] as string] : cited.slice(0, citedCount);
}

const NOTHING: readonly string[] = [];

/** All clauses declared by the rule files loaded so far, in the order of their declaration. */
export function declaredClauses(): readonly Clause[] {
  return declared.map(({ clause }) => clause);
}
