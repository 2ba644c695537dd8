import { describe, expect, it } from 'vitest';
import type { CampaignResult } from '../properties/runner/verdict.ts';
import { LOST_INTERRUPT, RUN } from './fixture.ts';
import { GUEST_LOST } from './guest-fixture.ts';
import { scoreRows } from './score-rows.ts';

const [FIRST] = RUN.results;
if (FIRST === undefined) throw new Error('the run has no results');
const PASSED: CampaignResult = { ...FIRST, seconds: 0.5, violations: [], findings: [] };

function resultsOn(host: string, vmms: number): readonly CampaignResult[] {
  const names = Array.from({ length: vmms }, (_, index) => `${host}+v${index}`);
  return [host, ...names].map((profile) => ({ ...PASSED, profile, scenarios: 10, operations: 300 }));
}

function told(results: readonly CampaignResult[]): readonly string[] {
  return scoreRows(results).map(({ host, vmm, result }) => `${host} ${vmm}: ${result.verdict} ${result.scenarios}`);
}

function changed(results: readonly CampaignResult[], profile: string, change: Partial<CampaignResult>) {
  return results.map((result) => (result.profile === profile ? { ...result, ...change } : result));
}

describe('rows of the scoreboard', () => {
  it('are one for each result while there are few VMMs', () => {
    const rows = scoreRows(resultsOn('a', 4));
    expect(rows.map(({ vmm }) => vmm)).toEqual([undefined, 'v0', 'v1', 'v2', 'v3']);
    expect(rows.flatMap(({ sumOf }) => sumOf)).toEqual([]);
  });

  it('have many VMMs on a host that held as one, beside the host alone', () => {
    const results = [...resultsOn('a', 6), ...resultsOn('b', 1), ...resultsOn('c', 5)];
    expect(told(results)).toEqual([
      ...['a undefined: pass 10', 'a 6 VMMs: pass 60'],
      ...['b undefined: pass 10', 'b v0: pass 10'],
      ...['c undefined: pass 10', 'c 5 VMMs: pass 50'],
    ]);
    const [, sum] = scoreRows(results);
    expect(sum?.result).toMatchObject({ operations: 1800, seconds: 3, divergences: 0 });
    expect(sum?.sumOf).toEqual(results.slice(1, 7));
  });

  it.each(['fail', 'errored', 'skipped'] as const)('never hide one that is not pass but %s', (verdict) => {
    const results = changed(resultsOn('a', 6), 'a+v0', { verdict, divergences: 3 });
    expect(told(results)).toEqual(['a undefined: pass 10', `a v0: ${verdict} 10`, 'a 5 VMMs: pass 50']);
    const many = resultsOn('a', 6).map((result) => ({ ...result, verdict }));
    expect(told(many)).toHaveLength(7);
  });

  it('keep systems apart', () => {
    const others = resultsOn('a', 3).map((result) => ({ ...result, system: 'other' }));
    expect(told([...resultsOn('a', 3), ...others])).toHaveLength(8);
  });

  it('add up what is expected, each cause for itself', () => {
    const invariant = 'no-lost-interrupt';
    const one = { invariant, clause: 'x.y.z', count: 2, findings: [LOST_INTERRUPT.id] } as const;
    const two = { invariant, clause: 'x.y.z', count: 3, findings: [GUEST_LOST.id] } as const;
    const other = { invariant, clause: 'p.q.r', count: 1, findings: [] } as const;
    const first = changed(resultsOn('a', 5), 'a+v1', { violations: [one, other], findings: [LOST_INTERRUPT] });
    const results = changed(first, 'a+v4', { violations: [two], findings: [GUEST_LOST] });
    const [, sum] = scoreRows(results);
    expect(sum?.result.violations).toEqual([{ ...one, count: 5, findings: [LOST_INTERRUPT.id, GUEST_LOST.id] }, other]);
    expect(sum?.result.findings).toEqual([LOST_INTERRUPT, GUEST_LOST]);
  });
});
