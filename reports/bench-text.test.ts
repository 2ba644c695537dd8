import { expect, it } from 'vitest';
import type { BenchRow } from './bench-json.ts';
import { benchText } from './bench-text.ts';

it('rows of a section stand below each other', () => {
  const row = {
    section: 'engine',
    what: 'optimised',
    against: 'reference',
    ...{ amount: 2042515, unit: 'operations/s', of: 'time' as const },
    ratio: 0.311,
  };
  const rows = [
    row,
    { ...row, what: 'compared', amount: 999.6, ratio: 12, of: 'operations' as const },
    { ...row, section: 'other', what: 'a' },
  ];
  expect(benchText(rows).split('\n')).toEqual([
    'engine',
    '  optimised  2,042,515 operations/s   0.31 times the time of reference',
    '  compared       1,000 operations/s  12.00 times the operations of reference',
    '',
    'other',
    '  a  2,042,515 operations/s   0.31 times the time of reference',
    '',
  ]);
});

it('what was measured before stands beside it, in colour where it was much better or worse', () => {
  const rows = ['better', 'worse', 'same', 'other'].map((what) => ({
    ...{ section: 'engine', what, against: 'reference', amount: 1000, unit: 'operations/s', ratio: 1 },
    of: 'time' as const,
  }));
  const ratios = [1.3, 0.7, 1.1];
  const before = ratios.map((ratio, place) => ({ ...rows[place], ratio })) as BenchRow[];
  const marked = (mark: string) => (text: string) => `${mark}${text}${mark}`;
  const palette = { good: marked('+'), bad: marked('-'), quiet: marked('~'), strong: marked('') };
  const lines = benchText(rows, palette, before).split('\n');
  expect(lines.slice(1, 5).map((line) => line.slice(line.indexOf('reference') + 9))).toEqual([
    '+, was 1.30+',
    '-, was 0.70-',
    '~, was 1.10~',
    '~, new~',
  ]);
});
