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

/**
 * The ids that were cited since, in order. Lists of few are written down, as nearly all are: one that is cut off
 * another takes several times as long.
 */
export function citations(): readonly string[] {
  const { count } = current;
  const few = cited as unknown as Few;
  switch (count) {
    case 0:
      return NOTHING;
    case 1:
      return [few[0]];
    case 2:
      return [few[0], few[1]];
    case 3:
      return [few[0], few[1], few[2]];
    case 4:
      return [few[0], few[1], few[2], few[3]];
    case 5:
      return [few[0], few[1], few[2], few[3], few[4]];
    case 6:
      return [few[0], few[1], few[2], few[3], few[4], few[5]];
    case 7:
      return [few[0], few[1], few[2], few[3], few[4], few[5], few[6]];
  }
  return cited.slice(0, count);
}

type Few = readonly [string, string, string, string, string, string, string];

const NOTHING: readonly string[] = [];

/** All clauses declared by the rule files loaded so far, in the order of their declaration. */
export function declaredClauses(): readonly Clause[] {
  return declared.map(({ clause }) => clause);
}
