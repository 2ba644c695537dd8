import type { CampaignResult, ViolationCount } from '../properties/runner/verdict.ts';
import { profileParts, VMMS_TOLD_MAX } from './places.ts';
import { resultsInPlace } from './scoreboard.ts';

/** A row of the scoreboard: one result, or what many VMMs on one host came to that all held. */
export interface ScoreRow {
  /** Of several the sum, under the profile of the first. */
  readonly result: CampaignResult;
  /** The host. */
  readonly host: string;
  /** `qemu-7.2`, or `6 VMMs`; undefined where the host is alone. */
  readonly vmm: string | undefined;
  /** The results that it is the sum of; empty where it is one. */
  readonly sumOf: readonly CampaignResult[];
}

/** The rows of some results. What did not hold has a row of its own, whatever is told together beside it. */
export function scoreRows(results: readonly CampaignResult[]): readonly ScoreRow[] {
  const places = resultsInPlace(results);
  const folded = new Map<string, readonly CampaignResult[]>();
  for (const result of places) {
    const place = placeOf(result);
    const held = places.filter((other) => isHeldVmm(other) && placeOf(other) === place);
    if (held.length > VMMS_TOLD_MAX) folded.set(place, held);
  }
  return places.flatMap((result) => {
    const held = folded.get(placeOf(result));
    if (held === undefined || !isHeldVmm(result)) return [singleRow(result)];
    return held[0] === result ? [sumRow(result, held)] : [];
  });
}

function placeOf({ system, profile }: CampaignResult): string {
  return JSON.stringify([system, profileParts(profile).host]);
}

function isHeldVmm({ profile, verdict }: CampaignResult): boolean {
  return verdict === 'pass' && profileParts(profile).vmm !== undefined;
}

/** A result as a row of its own. */
export function singleRow(result: CampaignResult): ScoreRow {
  return { result, ...profileParts(result.profile), sumOf: [] };
}

function sumRow(first: CampaignResult, held: readonly CampaignResult[]): ScoreRow {
  const total = (of: (result: CampaignResult) => number): number => held.reduce((sum, result) => sum + of(result), 0);
  const result: CampaignResult = {
    ...first,
    scenarios: total(({ scenarios }) => scenarios),
    operations: total(({ operations }) => operations),
    seconds: total(({ seconds }) => seconds),
    divergences: total(({ divergences }) => divergences),
    violations: violationSums(held.flatMap(({ violations }) => violations)),
    findings: held.flatMap(({ findings }) => findings),
  };
  return { result, host: profileParts(first.profile).host, vmm: `${held.length} VMMs`, sumOf: held };
}

/** Counts of the same invariant for the same reason as one. */
function violationSums(violations: readonly ViolationCount[]): readonly ViolationCount[] {
  const sums = new Map<string, ViolationCount>();
  for (const violation of violations) {
    const key = JSON.stringify([violation.invariant, violation.clause]);
    const { count, findings } = sums.get(key) ?? { count: 0, findings: [] };
    sums.set(key, {
      ...violation,
      count: count + violation.count,
      findings: [...findings, ...violation.findings],
    });
  }
  return [...sums.values()];
}
