import type { Scenario, Trace } from '#vocabulary';
import type { InvariantId } from '../invariants/invariant.ts';
import { type CoverageCounts, CoverageTally } from './coverage.ts';
import { isUnforeseenEnd } from './lockstep.ts';
import { signatures, verdictOf } from './signature.ts';
import type { Finding, Judgement, ViolationCount } from './verdict.ts';

/** A failure of one kind, as first met. */
export interface Failure {
  readonly scenario: Scenario;
  readonly judgement: Judgement;
}

/** An expected violation as met: drawn, if one was, and else the story of its expectation, which is short already. */
export interface Example extends Failure {
  readonly isStory: boolean;
}

/** Scenarios in which an invariant was broken for one reason. */
interface Broken {
  readonly invariant: InvariantId;
  readonly clause: string | null;
  readonly count: number;
}

/** What was counted in a part of a campaign, as one process tells it to another. */
export interface TallyPart {
  readonly scenarios: number;
  readonly operations: number;
  readonly divergences: number;
  readonly unforeseenEnds: number;
  readonly skips: readonly string[];
  readonly coverage: CoverageCounts;
  readonly clauses: ReadonlyMap<string, number>;
  readonly failures: ReadonlyMap<string, Failure>;
  readonly expectedExamples: ReadonlyMap<string, Example>;
  readonly violations: ReadonlyMap<string, Broken>;
}

/** What a campaign has counted. */
export class Tally {
  scenarios = 0;
  operations = 0;
  divergences = 0;
  /** Scenarios that the system did not live through, and was not expected to die of. */
  unforeseenEnds = 0;
  /** Why the system left a scenario, for each that it left at what it does not do. */
  readonly skips: string[] = [];
  readonly coverage = new CoverageTally();
  readonly clauses = new Map<string, number>();
  /** By signature, as first met. */
  readonly failures = new Map<string, Failure>();
  readonly expectedExamples = new Map<string, Example>();
  /** Scenarios by violation. */
  readonly #violations = new Map<string, Broken>();
  readonly #known: ReadonlySet<string>;

  /** @param known kinds of failure of which no example is wanted: somebody has one */
  constructor(known: Iterable<string> = []) {
    this.#known = new Set(known);
  }

  expect(invariant: InvariantId, clause: string): void {
    this.#violations.set(violationKey(invariant, clause), { invariant, clause, count: 0 });
  }

  add(drawn: Scenario, judgement: Judgement, isStory: boolean): void {
    const scenario = answered(drawn, judgement);
    const { subject, divergences, violations } = judgement;
    this.scenarios += 1;
    this.operations += scenario.operations.length;
    if (divergences.length > 0) this.divergences += 1;
    if (isUnforeseenEnd(subject, violations)) this.unforeseenEnds += 1;
    if (subject.skipped !== undefined) this.skips.push(subject.skipped);
    // What the system was not asked has not been tested on it.
    const reference = {
      ...judgement.reference,
      steps: judgement.reference.steps.slice(0, scenario.operations.length),
    };
    this.coverage.add(scenario, reference);
    this.#countClauses(reference);
    this.#countViolations(judgement);
    for (const signature of signatures(scenario, judgement))
      this.#remember(signature, { scenario, judgement, isStory });
  }

  /** What was counted here, to be added elsewhere. */
  part(): TallyPart {
    const { scenarios, operations, divergences, unforeseenEnds, skips, clauses, failures, expectedExamples } = this;
    const counts = { scenarios, operations, divergences, unforeseenEnds, skips, clauses, failures, expectedExamples };
    return { ...counts, coverage: this.coverage.part(), violations: this.#violations };
  }

  /** Adds what was counted in the scenarios that follow. */
  merge(part: TallyPart): void {
    this.scenarios += part.scenarios;
    this.operations += part.operations;
    this.divergences += part.divergences;
    this.unforeseenEnds += part.unforeseenEnds;
    this.skips.push(...part.skips);
    this.coverage.merge(part.coverage);
    for (const [clause, count] of part.clauses) this.clauses.set(clause, (this.clauses.get(clause) ?? 0) + count);
    for (const [key, { count, ...broken }] of part.violations)
      this.#violations.set(key, { ...broken, count: (this.#violations.get(key)?.count ?? 0) + count });
    for (const [signature, failure] of part.failures) this.#keep(signature, { ...failure, isStory: false });
    for (const [signature, example] of part.expectedExamples) this.#keep(signature, example);
  }

  /** The kinds of failure of which no other example is wanted. */
  known(): string[] {
    const drawn = [...this.expectedExamples].filter(([, { isStory }]) => !isStory).map(([signature]) => signature);
    return [...this.failures.keys(), ...drawn];
  }

  violations(findings: readonly Finding[]): ViolationCount[] {
    return [...this.#violations.values()].map(({ invariant, clause, count }) => ({
      invariant,
      clause,
      count,
      findings: findings
        .filter(({ judgement }) =>
          judgement.violations.some((shown) => shown.invariant === invariant && shown.expectedBy === clause),
        )
        .map(({ id }) => id),
    }));
  }

  #countClauses({ steps }: Trace): void {
    const reached = new Set<string>();
    for (const { clauses } of steps) for (const clause of clauses) reached.add(clause);
    for (const clause of reached) this.clauses.set(clause, (this.clauses.get(clause) ?? 0) + 1);
  }

  #countViolations({ violations }: Judgement): void {
    const shown = new Map(
      violations.map(({ invariant, expectedBy }) => [
        violationKey(invariant, expectedBy),
        { invariant, clause: expectedBy },
      ]),
    );
    for (const [key, violation] of shown) {
      const count = this.#violations.get(key)?.count ?? 0;
      this.#violations.set(key, { ...violation, count: count + 1 });
    }
  }

  #remember(signature: string, { isStory, scenario, judgement }: Example): void {
    if (this.#isWanted(signature, isStory)) this.#keep(signature, { isStory, scenario, judgement: keep(judgement) });
  }

  /** Whether there is no example yet, or just a story where one was drawn. */
  #isWanted(signature: string, isStory: boolean): boolean {
    if (this.#known.has(signature) || this.failures.has(signature)) return false;
    const known = this.expectedExamples.get(signature);
    return known === undefined || (known.isStory && !isStory);
  }

  #keep(signature: string, { isStory, ...failure }: Example): void {
    if (!this.#isWanted(signature, isStory)) return;
    if (verdictOf(signature) === 'expected') this.expectedExamples.set(signature, { isStory, ...failure });
    else this.failures.set(signature, failure);
  }
}

function violationKey(invariant: InvariantId, clause: string | null): string {
  return `${invariant} ${clause}`;
}

/** The scenario as far as the system has answered it, where it left it at something that it does not do. */
export function answered({ config, operations }: Scenario, { subject }: Judgement): Scenario {
  if (subject.skipped === undefined) return { config, operations };
  return { config, operations: operations.slice(0, subject.steps.length) };
}

/** A Trace belongs to its system until that system's next run, so a judgement that is kept is copied. */
export function keep(judgement: Judgement): Judgement {
  return structuredClone(judgement);
}
