import { describe, expect, it } from 'vitest';
import { LOST_INTERRUPT } from '../../reports/fixture.ts';
import { DIVERGENCES_MAX, shownIn, united } from './kept.ts';
import type { Finding } from './verdict.ts';

/** A finding of which only the kind and the place are told apart. */
function finding(id: string, verdict: Finding['verdict'], drawn?: number): Finding {
  return { ...LOST_INTERRUPT, id, verdict, ...(drawn === undefined ? {} : { drawn }) };
}

describe('findings of the parts of a campaign', () => {
  it('are of each kind the one first drawn, whichever part is told first', () => {
    const [late, early] = [finding('a', 'violation', 110), finding('a', 'violation', 3)];
    expect(united([late, early])).toEqual([early]);
    expect(united([early, late])).toEqual([early]);
  });

  it('come in the order in which they were drawn, and what was expected after them', () => {
    const known = finding('k', 'expected', 0);
    const [one, two] = [finding('a', 'violation', 9), finding('b', 'unknown', 4)];
    expect(united([known, one, two])).toEqual([two, one, known]);
  });

  it('are drawn rather than a story where they were expected, and else a story, which came first', () => {
    const [story, drawn] = [finding('k', 'expected'), finding('k', 'expected', 80)];
    expect(united([story, drawn])).toEqual([drawn]);
    const [told, met] = [finding('v', 'violation'), finding('v', 'violation', 0)];
    expect(united([met, told])).toEqual([told]);
  });

  it('are the shortest where nobody has noted when they were drawn', () => {
    const { scenario } = LOST_INTERRUPT;
    const operations = scenario.operations.slice(1);
    const shorter = { ...finding('a', 'violation'), scenario: { ...scenario, operations } };
    expect(united([finding('a', 'violation'), shorter])).toEqual([shorter]);
  });

  it('are no more divergences than a campaign keeps, and whatever else there is', () => {
    const many = Array.from({ length: DIVERGENCES_MAX + 2 }, (_, place) => finding(`d${place}`, 'divergence', place));
    const last = finding('v', 'violation', 99);
    expect(united([last, ...many.toReversed()])).toEqual([...many.slice(0, DIVERGENCES_MAX), last]);
  });
});

it('a violation is shown in the findings of its invariant and its reason', () => {
  const [shown] = LOST_INTERRUPT.judgement.violations;
  if (shown === undefined) throw new Error('a finding without a violation');
  const { invariant, expectedBy } = shown;
  expect(shownIn({ invariant, clause: expectedBy }, [LOST_INTERRUPT])).toEqual([LOST_INTERRUPT.id]);
  expect(shownIn({ invariant, clause: 'another' }, [LOST_INTERRUPT])).toEqual([]);
  expect(shownIn({ invariant: 'no-leak', clause: expectedBy }, [LOST_INTERRUPT])).toEqual([]);
});
