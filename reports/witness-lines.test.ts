import { describe, expect, it } from 'vitest';
import { WITNESSES } from './coverage-fixture.ts';
import { RUN } from './fixture.ts';
import { PLAIN } from './palette.ts';
import { witnessLines } from './witness-lines.ts';

const [result] = RUN.results;
const linesOf = (...results: readonly Partial<typeof result & object>[]): readonly string[] =>
  witnessLines(
    { ...RUN, results: results.flatMap((other) => (result === undefined ? [] : [{ ...result, ...other }])) },
    PLAIN,
  );

describe('the lines about witnesses', () => {
  it('tell what was seen too rarely, and how much nobody can tell', () => {
    expect(linesOf({})).toEqual([
      'Witnesses  1 of 3 seen often enough; too few scenarios to tell of 1',
      '  ✗ SET_IRQS answers ERANGE: on linux-6.1 in 3 of 2,000 scenarios, expected one in 50',
    ]);
  });

  it('tell of many profiles the first', () => {
    expect(linesOf({}, { profile: 'linux-6.12' }, { profile: 'linux-6.12-static' })[1]).toBe(
      '  ✗ SET_IRQS answers ERANGE: on linux-6.1 in 3 of 2,000 scenarios, expected one in 50, and on 2 more profiles',
    );
  });

  it('are none where nothing was looked for, and one where all was seen', () => {
    expect(linesOf({ witnesses: [] })).toEqual([]);
    expect(linesOf({ witnesses: WITNESSES.slice(0, 1) })).toEqual(['Witnesses  1 of 1 seen often enough']);
  });
});
