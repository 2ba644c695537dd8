import type { Clause } from '#vocabulary';
import type { CampaignResult, Finding, RunResult, ViolationCount } from '../properties/runner/verdict.ts';
import { expectationSource, type Glossary } from './glossary.ts';
import { type Counted, profileParts } from './places.ts';

/** One campaign's count of one violation. */
export interface Tally {
  readonly system: string;
  readonly profile: string;
  readonly invariant: string;
  readonly count: number;
  readonly findings: readonly string[];
}

/** Everything that one clause and source explain about one invariant. */
export interface ExpectedGroup {
  readonly invariant: string;
  readonly clause: string;
  readonly source: string;
  readonly found: readonly Tally[];
  /** Expected, and did not occur: the expectation or the system is wrong. */
  readonly gone: readonly Tally[];
}

/** The expected violations of a run, in the order in which they are first met. */
export function expectedGroups(run: RunResult, glossary: Glossary): readonly ExpectedGroup[] {
  const groups = new Map<
    string,
    { invariant: string; clause: string; source: string; found: Tally[]; gone: Tally[] }
  >();
  for (const result of run.results) {
    for (const violation of result.violations) {
      const { invariant, clause } = violation;
      if (clause === null) continue;
      const source = expectationSource(result.profile, invariant, clause, glossary);
      const key = JSON.stringify([invariant, clause, source]);
      const group = groups.get(key) ?? { invariant, clause, source, found: [], gone: [] };
      groups.set(key, group);
      (violation.count === 0 ? group.gone : group.found).push(tallyOf(result, violation));
    }
  }
  return [...groups.values()];
}

/** Violations that nobody expects. */
export function unexpectedTallies(run: RunResult): readonly Tally[] {
  return run.results.flatMap((result) =>
    result.violations
      .filter(({ clause, count }) => clause === null && count > 0)
      .map((violation) => tallyOf(result, violation)),
  );
}

function tallyOf({ system, profile }: CampaignResult, { invariant, count, findings }: ViolationCount): Tally {
  return { system, profile, invariant, count, findings };
}

/** A clause and how many scenarios reached it under each profile. */
export interface ClauseReach {
  readonly clause: Clause;
  readonly total: number;
  /** Profiles that reached it, in the order of the run. */
  readonly profiles: readonly Counted[];
  /** The same of each system that did. */
  readonly systems: readonly { readonly system: string; readonly profiles: readonly Counted[] }[];
}

/** Every clause of the model, in the model's order. */
export function clauseReaches(run: RunResult, clauses: readonly Clause[]): readonly ClauseReach[] {
  const systems = [...resultsBySystem(run)];
  return clauses.map((clause) => {
    const profiles = reachedUnder(run.results, clause);
    return {
      clause,
      total: profiles.reduce((sum, { count }) => sum + count, 0),
      profiles,
      systems: systems
        .map(([system, results]) => ({ system, profiles: reachedUnder(results, clause) }))
        .filter((reach) => reach.profiles.length > 0),
    };
  });
}

/** How many scenarios reached a clause under each profile, summed over systems. */
function reachedUnder(results: readonly CampaignResult[], { id }: Clause): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const { profile, clauses: reached } of results) {
    const count = Object.hasOwn(reached, id) ? (reached[id] ?? 0) : 0;
    if (count > 0) counts.set(profile, (counts.get(profile) ?? 0) + count);
  }
  return [...counts].map(([profile, count]) => ({ profile, count }));
}

/** Clauses that a run should have reached and did not. */
export function unreachedClauses(run: RunResult, clauses: readonly Clause[]): readonly Clause[] {
  return clauseReaches(run, clauses)
    .filter(({ clause, total }) => total === 0 && clause.undrawn === undefined)
    .map(({ clause }) => clause);
}

/** All findings, those that fail the run first. */
export function findingsOf(run: RunResult): readonly Finding[] {
  const findings = run.results.flatMap((result) => result.findings);
  return [
    ...findings.filter(({ verdict }) => verdict !== 'expected'),
    ...findings.filter(({ verdict }) => verdict === 'expected'),
  ];
}

/** The worst of several verdicts: what does not hold comes before what is not known, and a skip counts only alone. */
export function worstVerdict(results: readonly CampaignResult[]): CampaignResult['verdict'] {
  const verdicts = new Set(results.map(({ verdict }) => verdict));
  return (['fail', 'errored', 'pass', 'skipped'] as const).find((verdict) => verdicts.has(verdict)) ?? 'skipped';
}

/** The results of each system, in the order of the run. */
export function resultsBySystem(run: RunResult): ReadonlyMap<string, readonly CampaignResult[]> {
  const systems = new Map<string, CampaignResult[]>();
  for (const result of run.results) {
    const results = systems.get(result.system) ?? [];
    systems.set(result.system, results);
    results.push(result);
  }
  return systems;
}

/** The results with those of one system and host next to each other, each where its first one was. */
export function resultsInPlace(results: readonly CampaignResult[]): readonly CampaignResult[] {
  const groups = new Map<string, CampaignResult[]>();
  for (const result of results) {
    const key = JSON.stringify([result.system, profileParts(result.profile).host]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(result);
  }
  return [...groups.values()].flat();
}

/** The run in one line. A campaign is one system under one profile. */
export function verdictWords(run: RunResult): string {
  const failed = run.results.filter(({ verdict }) => verdict === 'fail');
  const errored = run.results.filter(({ verdict }) => verdict === 'errored');
  const incomplete = errored.filter(({ missing }) => missing !== undefined);
  const harness = errored.filter(({ missing }) => missing === undefined);
  const skipped = run.results.filter(({ verdict }) => verdict === 'skipped');
  const tested = run.results.length - skipped.length;
  const skips = skipped.length === 0 ? '' : `, ${skipped.length} not tested`;
  if (tested === 0) return 'Nothing was tested.';
  const held = tested - failed.length - errored.length;
  if (held === tested) return `Everything held: ${held} of ${tested} campaigns${skips}.`;
  const reasons = [
    ...(failed.length === 0 ? [] : [`broken on ${systemNames(failed)}`]),
    ...(harness.length === 0 ? [] : [`the harness failed on ${systemNames(harness)}`]),
    ...(incomplete.length === 0 ? [] : [`${missingOf(incomplete)} missing on ${systemNames(incomplete)}`]),
  ];
  return `${held} of ${tested} campaigns held${skips}: ${reasons.join('; ')}.`;
}

function missingOf(results: readonly CampaignResult[]): string {
  return [...new Set(results.flatMap(({ missing }) => missing ?? []))].join(', ');
}

function systemNames(results: readonly CampaignResult[]): string {
  return [...new Set(results.map(({ system }) => system))].join(', ');
}
