import type { Clause } from '#vocabulary';
import type { CampaignResult, RunResult } from '../properties/runner/verdict.ts';
import { clauseReaches } from './scoreboard.ts';

/** What `--json` writes; other people's scripts read it. */
export interface Summary {
  readonly schema: 'vfio-irq/summary@1';
  readonly seed: number;
  /** One per system and profile. */
  readonly systems: readonly SystemSummary[];
  readonly clauses: { readonly total: number; readonly reached: number; readonly unreached: readonly string[] };
  readonly mutants: { readonly total: number; readonly killed: number; readonly survivors: readonly string[] };
}

export interface SystemSummary {
  readonly name: string;
  readonly profile: string;
  readonly verdict: CampaignResult['verdict'];
  /** Why it was skipped, or what the harness said when it failed. */
  readonly reason?: string;
  readonly scenarios: number;
  readonly operations: number;
  readonly divergences: number;
  readonly violations: readonly ViolationSummary[];
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

export function summaryOf(run: RunResult, clauses: readonly Clause[]): Summary {
  const unreached = clauseReaches(run, clauses).filter(({ total }) => total === 0);
  return {
    schema: 'vfio-irq/summary@1',
    seed: run.seed,
    systems: run.results.map(systemSummary),
    clauses: {
      total: clauses.length,
      reached: clauses.length - unreached.length,
      unreached: unreached.map(({ clause }) => clause.id),
    },
    // The detection benchmark is another command; the fields stand here so that one reader reads both.
    mutants: { total: 0, killed: 0, survivors: [] },
  };
}

/** The summary as the text of its file. */
export function summaryJson(run: RunResult, clauses: readonly Clause[]): string {
  return `${JSON.stringify(summaryOf(run, clauses), undefined, 2)}\n`;
}

function systemSummary(result: CampaignResult): SystemSummary {
  const { system, profile, verdict, reason, scenarios, operations, divergences, violations } = result;
  return {
    name: system,
    profile,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    scenarios,
    operations,
    divergences,
    violations: violations.map(({ invariant, clause, count, findings }) => ({
      invariant,
      expected: clause !== null,
      clause,
      count,
      findings,
    })),
  };
}
