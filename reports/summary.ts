import type { Clause } from '#vocabulary';
import type { ByKind, CampaignResult, Counts, Coverage, RunResult } from '../properties/runner/verdict.ts';
import type { MutantCounts } from './mutants-summary.ts';
import { clauseReaches, unreachedClauses } from './scoreboard.ts';

/** What `--json` writes; other people's scripts read it. */
export interface Summary extends Omit<RunResult, 'results'> {
  readonly schema: 'vfio-irq/summary@1';
  /** One per system and profile. */
  readonly systems: readonly SystemSummary[];
  readonly clauses: {
    readonly total: number;
    readonly reached: number;
    /** Without those that say why no scenario is drawn for them. */
    readonly unreached: readonly string[];
    /** Every clause, in the model's order. */
    readonly list: readonly ClauseSummary[];
  };
  readonly mutants: MutantCounts;
}

/** A rule of the model and who reached it. */
export interface ClauseSummary extends Clause {
  /** Scenarios that reached it, for each system and profile that did. */
  readonly reachedBy: readonly { readonly system: string; readonly profile: string; readonly scenarios: number }[];
}

export interface SystemSummary {
  readonly name: string;
  readonly profile: string;
  readonly verdict: CampaignResult['verdict'];
  /** Why it was skipped, or what the harness said when it failed. */
  readonly reason?: string;
  /** How the system behaved when it was asked. */
  readonly probed?: CampaignResult['probed'];
  readonly scenarios: number;
  readonly operations: number;
  readonly seconds: number;
  readonly divergences: number;
  readonly violations: readonly ViolationSummary[];
  /** Ids of all findings; each lies beside the summary in `findings/ID.jsonl`. */
  readonly findings: readonly string[];
  readonly coverage: CoverageSummary;
  readonly witnesses: CampaignResult['witnesses'];
}

/** What the scenarios tried on the reference; pairs of operations as how many there were of how many there can be. */
export interface CoverageSummary extends Omit<Coverage, 'pairs'> {
  readonly pairs: { readonly reached: number; readonly possible: number };
}

export interface ViolationSummary {
  readonly invariant: string;
  readonly expected: boolean;
  /** The clause by which it is expected, or null. */
  readonly clause: string | null;
  /** An expected one with 0 no longer occurs. */
  readonly count: number;
  /** Ids of its findings. */
  readonly findings: readonly string[];
}

/** Of mutants, where the detection benchmark has left nothing beside the run. */
const NO_MUTANTS: MutantCounts = { total: 0, killed: 0, survivors: [] };

export function summaryOf(run: RunResult, clauses: readonly Clause[], mutants = NO_MUTANTS): Summary {
  const reached = clauseReaches(run, clauses).filter(({ total }) => total > 0);
  return {
    schema: 'vfio-irq/summary@1',
    seed: run.seed,
    shard: run.shard,
    startedAt: run.startedAt,
    seconds: run.seconds,
    environment: run.environment,
    command: run.command,
    invariants: run.invariants,
    systems: run.results.map(systemSummary),
    clauses: {
      total: clauses.length,
      reached: reached.length,
      unreached: unreachedClauses(run, clauses).map(({ id }) => id),
      list: clauses.map((clause) => clauseSummary(run, clause)),
    },
    mutants,
  };
}

/** The summary as the text of its file. */
export function summaryJson(run: RunResult, clauses: readonly Clause[], mutants = NO_MUTANTS): string {
  return `${JSON.stringify(summaryOf(run, clauses, mutants), undefined, 2)}\n`;
}

function clauseSummary(run: RunResult, clause: Clause): ClauseSummary {
  const reachedBy = run.results.flatMap(({ system, profile, clauses }) => {
    const scenarios = Object.hasOwn(clauses, clause.id) ? (clauses[clause.id] ?? 0) : 0;
    return scenarios === 0 ? [] : [{ system, profile, scenarios }];
  });
  return { ...clause, reachedBy };
}

function systemSummary(result: CampaignResult): SystemSummary {
  const { system, profile, verdict, reason, probed, scenarios, operations, seconds } = result;
  const { divergences, violations, findings, coverage, witnesses } = result;
  return {
    name: system,
    profile,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(probed === undefined ? {} : { probed }),
    scenarios,
    operations,
    seconds,
    divergences,
    violations: violations.map(({ invariant, clause, count, findings }) => ({
      invariant,
      expected: clause !== null,
      clause,
      count,
      findings,
    })),
    findings: findings.map(({ id }) => id),
    coverage: { ...coverage, pairs: pairsOf(coverage.pairs) },
    witnesses,
  };
}

/** A row for each kind that can be asked: any of them may follow any. */
export function pairsOf(rows: ByKind<Counts>): CoverageSummary['pairs'] {
  const kinds = Object.values(rows);
  return { reached: kinds.reduce((sum, row) => sum + Object.keys(row).length, 0), possible: kinds.length ** 2 };
}
