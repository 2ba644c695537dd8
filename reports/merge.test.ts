import { describe, expect, it } from 'vitest';
import type { CampaignResult, RunResult } from '../properties/runner/verdict.ts';
import { GLOSSARY, LOST_INTERRUPT, RUN } from './fixture.ts';
import { merged, type RecordedRun } from './merge.ts';
import { SummaryError } from './read-json.ts';
import { readRun } from './read-summary.ts';
import { verdictWords } from './scoreboard.ts';
import { summaryJson } from './summary.ts';

const [PASSED, , , , FAILED, SKIPPED] = RUN.results;
if (PASSED === undefined || FAILED === undefined || SKIPPED === undefined) throw new Error('the run has seven results');

function shard(index: number, count: number, results: readonly CampaignResult[], rest: Partial<RunResult> = {}) {
  return { file: `${index}.json`, run: { ...RUN, shard: { index, count }, results, ...rest } };
}

function sum(first: RecordedRun, ...others: readonly RecordedRun[]) {
  const { run, remarks } = merged(first, others);
  return { results: run.results, remarks };
}

describe('the sum of runs', () => {
  it('is the run itself where there is one', () => {
    expect(merged({ file: 'a.json', run: RUN }, [])).toEqual({ run: RUN, remarks: [] });
  });

  it('adds up counts and unites findings', () => {
    const { results, remarks } = sum(shard(1, 2, [PASSED]), shard(2, 2, [{ ...PASSED, scenarios: 5, divergences: 0 }]));
    expect(remarks).toEqual([]);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({
      verdict: 'pass',
      scenarios: 2005,
      operations: 2 * PASSED.operations,
      violations: [{ clause: 'pci.msix.drops-while-off', count: 68, findings: ['b07d51e8'] }],
      findings: [{ id: 'b07d51e8' }],
      clauses: { 'vfio.set-irqs.enable': 3960 },
      coverage: { transitions: { 'vfio.setIrqs': { closed: 6 } } },
    });
  });

  it('keeps the shortest of the findings of one id', () => {
    const { scenario } = LOST_INTERRUPT;
    const operations = [...scenario.operations, ...scenario.operations];
    const longer = { ...PASSED, findings: [{ ...LOST_INTERRUPT, scenario: { ...scenario, operations } }] };
    const { results } = sum(shard(1, 2, [longer]), shard(2, 2, [PASSED]));
    expect(results[0]?.findings.map((finding) => finding.scenario.operations.length)).toEqual([5]);
  });

  it('did not pass where a shard is missing, and says which', () => {
    const { results, remarks } = sum(shard(1, 3, [PASSED, SKIPPED]), shard(3, 3, [PASSED, SKIPPED]));
    expect(results.map(({ verdict }) => verdict)).toEqual(['errored', 'skipped']);
    expect(results[0]?.reason).toBe('shard 2 of 3 of seed 42 is missing; 4,000 scenarios of the rest were run');
    expect(remarks).toEqual(['Shard 2 of 3 of seed 42 is missing: 1 campaign is incomplete.']);
  });

  it('says in its last line that a shard is missing, and not that a harness failed', () => {
    const { run } = merged(shard(1, 3, [PASSED]), [shard(3, 3, [PASSED])]);
    expect(verdictWords(run)).toBe('0 of 1 campaigns held: shard 2 of 3 of seed 42 missing on reference.');
  });

  it('says that a harness failed where one did, and that a shard is missing beside', () => {
    const failed: CampaignResult = { ...PASSED, verdict: 'errored', reason: 'it was taken away' };
    const { run, remarks } = merged(shard(1, 3, [failed]), [shard(3, 3, [PASSED])]);
    expect(verdictWords(run)).toBe('0 of 1 campaigns held: the harness failed on reference.');
    expect(run.results[0]?.reason).toMatch(/^shard 2 of 3 of seed 42 is missing; .* shard 1 of 3: it was taken away$/);
    expect(remarks).toEqual(['Shard 2 of 3 of seed 42 is missing: 1 campaign is incomplete.']);
  });

  it('is a sentence for one scenario and for shards of several seeds', () => {
    const one = { ...PASSED, scenarios: 1 };
    expect(sum(shard(1, 2, [one])).results[0]?.reason).toBe(
      'shard 2 of 2 of seed 42 is missing; 1 scenario of the rest was run',
    );
    expect(sum(shard(1, 2, [one]), shard(1, 2, [one], { seed: 43 })).results[0]?.reason).toBe(
      'shard 2 of 2 of seed 42 is missing, shard 2 of 2 of seed 43 is missing; 2 scenarios of the rest were run',
    );
  });

  it('did not hold where a shard did not, whatever is missing', () => {
    const { results, remarks } = sum(shard(2, 2, [FAILED]));
    expect(results[0]).toMatchObject({ verdict: 'fail', divergences: 1 });
    expect(remarks).toEqual(['Shard 1 of 2 of seed 42 is missing: 1 campaign is incomplete.']);
  });

  it('did not pass where one of its shards was not tested', () => {
    const untested: CampaignResult = { ...PASSED, verdict: 'skipped', reason: 'no kernel' };
    const { results } = sum(shard(1, 2, [PASSED]), shard(2, 2, [untested]));
    expect(results[0]).toMatchObject({ verdict: 'skipped', reason: 'shard 2 of 2: no kernel' });
  });

  it('gives the reasons of all of its shards', () => {
    const because = (reason: string): CampaignResult => ({ ...PASSED, reason });
    const reasons = (...parts: readonly RecordedRun[]) => {
      const [first, ...others] = parts;
      return first === undefined ? undefined : sum(first, ...others).results[0]?.reason;
    };
    expect(reasons(shard(1, 2, [because('no kernel')]), shard(2, 2, [because('no kernel')]))).toBe('no kernel');
    expect(reasons(shard(1, 2, [because('1 was left')]), shard(2, 2, [because('2 were left')]))).toBe(
      'shard 1 of 2: 1 was left; shard 2 of 2: 2 were left',
    );
    expect(reasons(shard(1, 2, [PASSED]), shard(2, 2, [because('2 were left')]))).toBe('shard 2 of 2: 2 were left');
    expect(reasons(shard(1, 2, [because('1 was left')]))).toBe(
      'shard 2 of 2 of seed 42 is missing; 2,000 scenarios of the rest were run; 1 was left',
    );
  });

  it('tells that seeds are mixed', () => {
    const { results, remarks } = sum(shard(1, 1, [PASSED]), shard(1, 1, [PASSED], { seed: 7 }));
    expect(results[0]).toMatchObject({ verdict: 'pass', scenarios: 4000 });
    expect(remarks).toEqual(['Runs with different seeds are added up: seeds 42 and 7.']);
  });

  it('refuses the same shard twice', () => {
    const twice = () => sum(shard(1, 2, [PASSED]), { ...shard(1, 2, [PASSED]), file: 'again.json' });
    expect(twice).toThrow(SummaryError);
    expect(twice).toThrow('again.json: reference on linux-6.1, seed 42, shard 1 of 2 is in 1.json too');
  });
});

describe('parts that have scenarios in common', () => {
  it.each([
    [1, 1, 2, 3, 'b.json: reference on linux-6.1, seed 42, shard 2 of 3 is in a.json, shard 1 of 1 too'],
    [2, 4, 4, 6, 'b.json: reference on linux-6.1, seed 42, shard 4 of 6 is in a.json, shard 2 of 4 too'],
  ])('are refused: shard %i of %i and shard %i of %i', (index, count, otherIndex, otherCount, words) => {
    const first = { ...shard(index, count, [PASSED]), file: 'a.json' };
    const other = { ...shard(otherIndex, otherCount, [PASSED]), file: 'b.json' };
    expect(() => sum(first, other)).toThrow(words);
    expect(() => sum(first, { ...other, run: { ...other.run, seed: 7 } })).not.toThrow();
  });

  it('are told from those that have none', () => {
    expect(() => sum(shard(1, 4, [PASSED]), shard(2, 6, [PASSED]))).not.toThrow();
  });
});

describe('a run from its summary', () => {
  it('is the run', () => {
    const findings = new Map(RUN.results.flatMap((result) => result.findings.map((finding) => [finding.id, finding])));
    const withoutPairs = RUN.results.map((result) => ({ ...result, coverage: { ...result.coverage, pairs: {} } }));
    const read = readRun(summaryJson(RUN, GLOSSARY.clauses), 'f', (id) => findings.get(id));
    expect(read).toEqual({ ...RUN, results: withoutPairs });
  });

  it('says what is wrong and where in one line', () => {
    const text = summaryJson(RUN, GLOSSARY.clauses).replace('"count": 1\n', '"count": 0\n');
    expect(() => readRun(text, 'f.json', () => undefined)).toThrow(/^f\.json: shard\.count: .*$/);
    const negative = summaryJson(RUN, GLOSSARY.clauses).replace('"operations": ', '"operations": -');
    expect(() => readRun(negative, 'f.json', () => undefined)).toThrow(/^f\.json: systems\.0\.operations: .*$/);
    const many = summaryJson(RUN, GLOSSARY.clauses).replace('"count": 1\n', '"count": 900719925474099\n');
    expect(() => readRun(many, 'f.json', () => undefined)).toThrow(/^f\.json: shard\.count: .*1000$/);
    const beyond = summaryJson(RUN, GLOSSARY.clauses).replace('"index": 1,', '"index": 2,');
    expect(() => readRun(beyond, 'f.json', () => undefined)).toThrow('f.json: shard.index: expected at most count');
    expect(() => readRun('[]', 'f.json', () => undefined)).toThrow(/^f\.json: Invalid input: expected object/);
    expect(() => readRun('{', 'f.json', () => undefined)).toThrow('f.json: expected JSON');
  });
});
