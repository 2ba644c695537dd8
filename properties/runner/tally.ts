import type { Platform, Scenario, System, Trace } from '#vocabulary';
import type { InvariantId } from '../invariants/invariant.ts';
import { type CoverageCounts, CoverageTally } from './coverage.ts';
import { DIVERGENCES_MAX, shownIn } from './kept.ts';
import { isUnforeseenEnd } from './lockstep.ts';
import { signatures, verdictOf } from './signature.ts';
import type { Finding, Judgement, ViolationCount } from './verdict.ts';
import { type WitnessPart, WitnessTally } from './witnessed.ts';

/** A failure of one kind, as first drawn; an expected one as told by its story, which is short, until one is drawn. */
export interface Failure {
  readonly scenario: Scenario;
  readonly judgement: Judgement;
  /** The place of the scenario among all that the campaign draws, from 0; null for a story. */
  readonly drawn: number | null;
}

/** Scenarios in which an invariant was broken for one reason. */
interface Broken {
  readonly invariant: InvariantId;
  readonly clause: string | null;
  readonly count: number;
}

/** A clause: in how many scenarios it spoke, and in which it was last counted, as the number of those before. */
interface Reached {
  count: number;
  last: number;
}

/** What was counted in a part of a campaign, as one process tells it to another. */
export interface TallyPart {
  readonly scenarios: number;
  readonly operations: number;
  readonly divergences: number;
  readonly unforeseenEnds: number;
  readonly skips: readonly string[];
  readonly coverage: CoverageCounts;
  readonly witnesses: WitnessPart;
  readonly clauses: ReadonlyMap<string, number>;
  readonly failures: ReadonlyMap<string, Failure>;
  readonly expectedExamples: ReadonlyMap<string, Failure>;
  readonly violations: ReadonlyMap<string, Broken>;
}

/** What a campaign is about, as far as it decides what there is to see. */
export interface CountedOn {
  readonly system: Pick<System, 'support'>;
  readonly platform: Platform;
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
  readonly witnesses: WitnessTally;
  readonly #clauses = new Map<string, Reached>();
  /** By signature, as first met. */
  readonly failures = new Map<string, Failure>();
  readonly expectedExamples = new Map<string, Failure>();
  /** Scenarios by violation. */
  readonly #violations = new Map<string, Broken>();
  readonly #known: ReadonlySet<string>;

  /** @param known kinds of failure of which no example is wanted: somebody has one */
  constructor({ system, platform }: CountedOn, known: Iterable<string> = []) {
    this.#known = new Set(known);
    this.witnesses = new WitnessTally(system.support, platform);
  }

  expect(invariant: InvariantId, clause: string): void {
    this.#violations.set(violationKey(invariant, clause), { invariant, clause, count: 0 });
  }

  /** @param drawn the place of the scenario among all that the campaign draws; null for a story */
  add(whole: Scenario, judgement: Judgement, drawn: number | null): void {
    const scenario = answered(whole, judgement);
    const { subject, divergences, violations } = judgement;
    this.scenarios += 1;
    this.operations += scenario.operations.length;
    if (divergences.length > 0) this.divergences += 1;
    if (isUnforeseenEnd(subject, violations)) this.unforeseenEnds += 1;
    if (subject.skipped !== undefined) this.skips.push(subject.skipped);
    const reference = answeredBy(judgement);
    this.coverage.add(scenario, reference);
    this.witnesses.add(scenario, reference);
    this.#countClauses(reference);
    this.#countViolations(judgement);
    for (const signature of signatures(scenario, judgement)) this.#remember(signature, { scenario, judgement, drawn });
  }

  /** In how many scenarios each clause spoke, in the order in which they first did. */
  get clauses(): ReadonlyMap<string, number> {
    return new Map([...this.#clauses].map(([clause, { count }]) => [clause, count]));
  }

  /** What was counted here, to be added elsewhere. */
  part(): TallyPart {
    const { scenarios, operations, divergences, unforeseenEnds, skips, clauses, failures, expectedExamples } = this;
    const counts = { scenarios, operations, divergences, unforeseenEnds, skips, clauses, failures, expectedExamples };
    const seen = { coverage: this.coverage.part(), witnesses: this.witnesses.part() };
    return { ...counts, ...seen, violations: this.#violations };
  }

  /** Adds what was counted in the scenarios that follow. */
  merge(part: TallyPart): void {
    this.scenarios += part.scenarios;
    this.operations += part.operations;
    this.divergences += part.divergences;
    this.unforeseenEnds += part.unforeseenEnds;
    this.skips.push(...part.skips);
    this.coverage.merge(part.coverage);
    this.witnesses.merge(part.witnesses);
    for (const [clause, count] of part.clauses) {
      const reached = this.#clauses.get(clause);
      if (reached === undefined) this.#clauses.set(clause, { count, last: this.scenarios });
      else reached.count += count;
    }
    for (const [key, { count, ...broken }] of part.violations)
      this.#violations.set(key, { ...broken, count: (this.#violations.get(key)?.count ?? 0) + count });
    for (const [signature, failure] of part.failures) this.#keep(signature, failure);
    for (const [signature, example] of part.expectedExamples) this.#keep(signature, example);
  }

  /** The kinds of failure of which no other example is wanted, each with the one that there is. */
  known(): readonly (readonly [signature: string, Failure])[] {
    return [...this.failures, ...[...this.expectedExamples].filter(([, { drawn }]) => drawn !== null)];
  }

  violations(findings: readonly Finding[]): ViolationCount[] {
    return [...this.#violations.values()].map(({ invariant, clause, count }) => ({
      invariant,
      clause,
      count,
      findings: shownIn({ invariant, clause }, findings),
    }));
  }

  #countClauses({ steps }: Trace): void {
    const scenario = this.scenarios;
    for (const { clauses } of steps)
      for (const clause of clauses) {
        const reached = this.#clauses.get(clause);
        if (reached === undefined) this.#clauses.set(clause, { count: 1, last: scenario });
        else if (reached.last !== scenario) {
          reached.count += 1;
          reached.last = scenario;
        }
      }
  }

  #countViolations({ violations }: Judgement): void {
    if (violations.length === 0) return;
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

  #remember(signature: string, failure: Failure): void {
    if (!this.#isWanted(signature, failure.drawn)) return;
    this.#keep(signature, { ...failure, judgement: keep(failure.judgement) });
  }

  /** Whether there is no example yet, or just a story where one was drawn, and room for it. */
  #isWanted(signature: string, drawn: number | null): boolean {
    if (this.#known.has(signature) || this.failures.has(signature)) return false;
    if (verdictOf(signature) === 'divergence') return this.#divergencesKept() < DIVERGENCES_MAX;
    const example = this.expectedExamples.get(signature);
    return example === undefined || (example.drawn === null && drawn !== null);
  }

  #divergencesKept(): number {
    return [...this.failures.keys()].filter((signature) => verdictOf(signature) === 'divergence').length;
  }

  #keep(signature: string, failure: Failure): void {
    if (!this.#isWanted(signature, failure.drawn)) return;
    if (verdictOf(signature) === 'expected') this.expectedExamples.set(signature, failure);
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

/** The reference so far: what the system was not asked has not been tested on it. */
function answeredBy({ reference, subject }: Judgement): Trace {
  if (subject.skipped === undefined) return reference;
  return { ...reference, steps: reference.steps.slice(0, subject.steps.length) };
}

/** A Trace belongs to its system until that system's next run, so a judgement that is kept is copied. */
export function keep(judgement: Judgement): Judgement {
  return structuredClone(judgement);
}
