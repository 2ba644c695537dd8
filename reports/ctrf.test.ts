import { validate } from 'ctrf';
import { describe, expect, it } from 'vitest';
import { casesOf } from './cases.ts';
import { ctrfJson } from './ctrf.ts';
import { GLOSSARY, RUN, replayCommand } from './fixture.ts';

const OPTIONS = { ...GLOSSARY, replayCommand };

describe('CTRF', () => {
  it('reads as it should', async () => {
    await expect(ctrfJson(RUN, OPTIONS)).toMatchFileSnapshot('golden/ctrf.json');
  });

  it('is what the published schema asks for', () => {
    const report = JSON.parse(ctrfJson(RUN, OPTIONS));
    expect(validate(report)).toEqual({ valid: true, errors: [] });
    const { results, ...rest } = report;
    expect(validate({ ...rest, results: { ...results, summary: {} } }).valid).toBe(false);
  });

  it('counts each case once, and tells skipped from what the harness could not judge', () => {
    const { summary, tests } = JSON.parse(ctrfJson(RUN, OPTIONS)).results;
    const { passed, failed, skipped, pending, other } = summary;
    expect(passed + failed + skipped + pending + other).toBe(tests.length);
    expect(tests).toHaveLength(RUN.results.flatMap((result) => casesOf(result, OPTIONS)).length);
    expect({ skipped, other }).toEqual({ skipped: 4, other: 4 });
    expect(tests.at(-1)).toMatchObject({ status: 'other', rawStatus: 'errored' });
  });

  it('gives the shards of a run one name', () => {
    const [first, second] = [RUN.results.slice(0, 1), RUN.results.slice(1)].map(
      (results) => JSON.parse(ctrfJson({ ...RUN, results }, OPTIONS)).runId,
    );
    expect([first, second]).toEqual(['vfio-irq-seed-42', 'vfio-irq-seed-42']);
    expect(JSON.parse(ctrfJson({ ...RUN, seed: 43 }, OPTIONS)).runId).not.toBe(first);
  });

  it('has no case for a promise that says nothing of the machine', () => {
    const [result] = RUN.results;
    if (result === undefined) throw new Error('the fixture has results');
    const invariants = GLOSSARY.invariants.map((invariant) => ({
      ...invariant,
      isPromisedOn: (profile: string) => profile !== result.profile || invariant.id === 'no-lost-interrupt',
    }));
    const names = casesOf(result, { ...OPTIONS, invariants }).map(({ name }) => name);
    expect(names).toEqual(['conformance', 'no-lost-interrupt']);
  });
});
