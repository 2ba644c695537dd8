import type { Finding, ViolationCount } from './verdict.ts';

/** Kinds of divergence that are kept, those first drawn: more would say the same thing again. */
export const DIVERGENCES_MAX = 5;

/**
 * Findings of the parts of a campaign as the whole would have them: of each kind the one first drawn, and no more
 * divergences than a campaign keeps. A part keeps what is first there, so what is first of all is in one of them.
 */
export function united(findings: readonly Finding[]): readonly Finding[] {
  const first = new Map<string, Finding>();
  for (const finding of findings) {
    const before = first.get(finding.id);
    if (before === undefined || isBefore(finding, before)) first.set(finding.id, finding);
  }
  const unexpected = [...first.values()].filter(({ verdict }) => verdict !== 'expected').sort(byDrawing);
  const divergences = unexpected.filter(({ verdict }) => verdict === 'divergence').slice(0, DIVERGENCES_MAX);
  return [
    ...unexpected.filter((finding) => finding.verdict !== 'divergence' || divergences.includes(finding)),
    ...[...first.values()].filter(({ verdict }) => verdict === 'expected'),
  ];
}

/** Drawn before; where nobody has noted that, shorter. */
function isBefore(finding: Finding, other: Finding): boolean {
  const order = byDrawing(finding, other);
  return order === 0 ? finding.scenario.operations.length < other.scenario.operations.length : order < 0;
}

function byDrawing(left: Finding, right: Finding): number {
  const [first, second] = [placeOf(left), placeOf(right)];
  return first === second ? 0 : first - second;
}

/** Stories are told before anything is drawn; one stands for an expected violation only until that is drawn, too. */
function placeOf({ drawn, verdict }: Finding): number {
  return drawn ?? (verdict === 'expected' ? Number.POSITIVE_INFINITY : -1);
}

/** The ids of the findings in which a violation shows. */
export function shownIn(
  { invariant, clause }: Pick<ViolationCount, 'invariant' | 'clause'>,
  findings: readonly Finding[],
): readonly string[] {
  return findings
    .filter(({ judgement }) =>
      judgement.violations.some((shown) => shown.invariant === invariant && shown.expectedBy === clause),
    )
    .map(({ id }) => id);
}
