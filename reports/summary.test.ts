import { describe, expect, it } from 'vitest';
import { COVERAGE, WITNESSES } from './coverage-fixture.ts';
import { GLOSSARY, RUN } from './fixture.ts';
import { summaryJson } from './summary.ts';

const summary = JSON.parse(summaryJson(RUN, GLOSSARY.clauses));

describe('summary', () => {
  it('names its format and the seed', () => {
    expect(Object.keys(summary)).toEqual([
      ...['schema', 'seed', 'shard', 'startedAt', 'seconds', 'environment', 'command', 'invariants'],
      ...['systems', 'clauses', 'mutants'],
    ]);
    expect(summary.schema).toBe('vfio-irq/summary@1');
    expect(summary.seed).toBe(42);
  });

  it('has an entry for each system and profile', () => {
    expect(summary.systems).toHaveLength(7);
    expect(summary.systems[0]).toEqual({
      name: 'reference',
      profile: 'linux-6.1',
      verdict: 'pass',
      scenarios: 2000,
      operations: 118_432,
      seconds: 0.9,
      divergences: 0,
      violations: [
        {
          invariant: 'no-lost-interrupt',
          expected: true,
          clause: 'pci.msix.drops-while-off',
          count: 34,
          findings: ['b07d51e8'],
        },
      ],
      findings: ['b07d51e8'],
      coverage: { ...COVERAGE, pairs: { reached: 3, possible: 9 } },
      witnesses: WITNESSES,
    });
  });

  it('tells violations that nobody expects, and expected ones that no longer occur', () => {
    expect(summary.systems[4].verdict).toBe('fail');
    expect(summary.systems[4].divergences).toBe(1);
    expect(summary.systems[4].violations).toEqual([
      {
        invariant: 'no-lost-interrupt',
        expected: true,
        clause: 'pci.msix.drops-while-off',
        count: 0,
        findings: [],
      },
      { invariant: 'noresize-error-unchanged', expected: false, clause: null, count: 1, findings: ['3f9a0c21'] },
    ]);
  });

  it('keeps the reason of a system that was not judged', () => {
    expect(summary.systems[5].verdict).toBe('skipped');
    expect(summary.systems[5].reason).toBe('there is no qemu-system-x86_64 here: npm run systems:install');
    expect(summary.systems[6].verdict).toBe('errored');
  });

  it('counts clauses, and mutants where they were hunted', () => {
    expect(summary.clauses).toMatchObject({ total: 5, reached: 4, unreached: ['vfio.set-irqs.below-minus-one'] });
    expect(summary.clauses.list).toHaveLength(5);
    const [first] = GLOSSARY.clauses;
    const reachedBy = RUN.results.flatMap(({ system, profile, clauses }) => {
      const scenarios = clauses[first?.id ?? ''];
      return scenarios === undefined ? [] : [{ system, profile, scenarios }];
    });
    expect(reachedBy).not.toEqual([]);
    expect(summary.clauses.list[0]).toEqual({ ...first, reachedBy });
    expect(summary.clauses.list.find(({ id }: { id: string }) => id === 'vfio.set-irqs.below-minus-one')).toMatchObject(
      {
        reachedBy: [],
      },
    );
    expect(summary.mutants).toEqual({ total: 0, killed: 0, survivors: [] });
    const mutants = { total: 2, killed: 1, survivors: ['S01'] };
    expect(JSON.parse(summaryJson(RUN, GLOSSARY.clauses, mutants)).mutants).toEqual(mutants);
  });
});
