import type { Clause } from '#vocabulary';

/** A declared clause, with the number of the step that last cited it. */
interface DeclaredClause extends Clause {
  citedAt: number;
}

const declared: DeclaredClause[] = [];
let stepNumber = 0;
let citations: string[] = [];

/**
 * Declares the clauses of a rule file, at its top. The keys are what the rules call them by.
 * @throws Error when an id is taken: two rules of one name are a mistake in the model.
 */
export function declare<Key extends string>(clauses: Record<Key, Clause>): Record<Key, DeclaredClause> {
  const entries = Object.entries<Clause>(clauses).map(([key, clause]) => {
    if (declared.some(({ id }) => id === clause.id)) throw new Error(`clause ${clause.id} is declared twice`);
    const entry: DeclaredClause = { ...clause, citedAt: 0 };
    declared.push(entry);
    return [key, entry];
  });
  return Object.fromEntries(entries) as Record<Key, DeclaredClause>;
}

/** Called by a rule where it speaks. A clause cited twice in a step is recorded once. */
export function cite(clause: DeclaredClause): void {
  if (clause.citedAt === stepNumber) return;
  clause.citedAt = stepNumber;
  citations.push(clause.id);
}

/**
 * Begins one step of the model and returns the ids it is going to cite, in order. Steps are synchronous, so one
 * collector serves all machines.
 */
export function collectCitations(): readonly string[] {
  stepNumber += 1;
  citations = [];
  return citations;
}

/** All clauses declared by the rule files loaded so far, in the order of their declaration. */
export function declaredClauses(): readonly Clause[] {
  return declared.map(({ citedAt: _, ...clause }) => clause);
}
