import { expect, it } from 'vitest';
import { benchText } from './bench-text.ts';

it('rows of a section stand below each other', () => {
  const row = {
    section: 'engine',
    what: 'optimised',
    against: 'reference',
    operationsPerSecond: 2042515,
    ratio: 0.311,
  };
  const rows = [
    row,
    { ...row, what: 'compared', operationsPerSecond: 999.6, ratio: 12 },
    { ...row, section: 'other', what: 'a' },
  ];
  expect(benchText(rows).split('\n')).toEqual([
    'engine',
    '  optimised  2,042,515 operations/s   0.31 times the time of reference',
    '  compared       1,000 operations/s  12.00 times the time of reference',
    '',
    'other',
    '  a  2,042,515 operations/s   0.31 times the time of reference',
    '',
  ]);
});
