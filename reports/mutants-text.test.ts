import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutantsJson } from './mutants-summary.ts';
import { type MutantRow, mutantsText } from './mutants-text.ts';
import { PLAIN } from './palette.ts';

const ROW: MutantRow = {
  ...{ id: 'M4', title: 'a fault', tier: 'E', invariant: 'pasid-isolation', seeds: 3, killed: 3, errored: 0, told: 3 },
  ...{ by: ['pasid-isolation'], toldAfter: { median: 1, worst: 12 } },
  ...{ scenarios: { median: 1, worst: 12 }, operations: { median: 40, worst: 500 }, shrunk: { median: 2, worst: 3 } },
  ...{ shortest: 2, proved: 2, seconds: 1.25 },
};

it('has a line for each mutant', () => {
  const text = mutantsText([ROW, { ...ROW, id: 'S10', told: 0 }], PLAIN);
  expect(text.split('\n')).toEqual([
    'Mutants',
    '    id   tier  killed  told by           scenarios  at worst  operations  shrunk  known  proved  seconds',
    '  ✓ M4   E        3/3  pasid-isolation           1        12          40       3      2       2      1.3',
    '  ✓ S10  E        3/3  difference alone          1        12          40       3      2       2      1.3',
    '',
    '✓ All 2 mutants are killed, whatever the seed.',
  ]);
});

it('names the survivors, and the searches that failed', () => {
  const survivor: MutantRow = { ...ROW, killed: 2, told: 1, shrunk: null, scenarios: null, operations: null };
  const text = mutantsText([ROW, { ...survivor, id: 'S1' }, { ...survivor, id: 'S2', errored: 1 }], PLAIN);
  expect(text).toContain(
    '  ✗ S1  E        2/3  pasid-isolation (1 of 2)          –         –           –       –      2',
  );
  expect(text).toContain('1 search failed');
  expect(text).toContain('✗ 1 of 3 mutants are killed with every seed; not S1, S2.');
});

it('does not speak of one as of many', () => {
  expect(mutantsText([ROW], PLAIN)).toContain('✓ The mutant is killed, whatever the seed.');
  expect(mutantsText([{ ...ROW, killed: 2 }], PLAIN)).toContain('✗ The mutant is not killed with every seed.');
});

it('is written in the format of the example in README.md', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const example = /```json\n(\{\n {2}"schema": "vfio-irq\/mutants@1"[\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(JSON.parse(mutantsJson([ROW]))).toEqual(JSON.parse(example));
});
