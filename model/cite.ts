import type { Clause } from '#vocabulary';

/** A declared clause, with the number of the step that last cited it. */
interface DeclaredClause {
  readonly clause: Clause;
  readonly id: string;
  citedAt: number;
}

const declared: DeclaredClause[] = [];
/** The number of the current step, and how many clauses it has cited. */
const current = { step: 0, count: 0 };
/** What the step has cited, as far as `count`, with room for every clause: one list serves all steps. */
const cited: string[] = [];

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
    cited.push(id);
    return [key, entry];
  });
  return Object.fromEntries(entries) as Record<Key, DeclaredClause>;
}

/** Called by a rule where it speaks. A clause cited twice in a step is recorded once. */
export function cite(clause: DeclaredClause): void {
  if (clause.citedAt === current.step) return;
  clause.citedAt = current.step;
  cited[current.count] = clause.id;
  current.count += 1;
}

/** Begins one step of the model. Steps are synchronous, so one collector serves all machines. */
export function collectCitations(): void {
  current.step += 1;
  current.count = 0;
}

/** The ids that were cited since, in order. */
export function citations(): readonly string[] {
  const { count } = current;
  return count === 0 ? NOTHING : count === 1 ? [cited[0] as string] : cited.slice(0, count);
}

const NOTHING: readonly string[] = [];

/** All clauses declared by the rule files loaded so far, in the order of their declaration. */
export function declaredClauses(): readonly Clause[] {
  return declared.map(({ clause }) => clause);
}
