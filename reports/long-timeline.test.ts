import { expect, it } from 'vitest';
import { LOST_INTERRUPT } from './fixture.ts';
import { shownRows } from './long-timeline.ts';
import { timelineOf } from './timeline.ts';

it('shows of a long timeline the start and what is around the fault', () => {
  const { rows } = timelineOf(LOST_INTERRUPT);
  const [first, quiet, , , last] = rows;
  if (first === undefined || quiet === undefined || last === undefined) throw new Error('the fixture has five rows');
  const place = (row: typeof first, index: number) => ({ ...row, index });
  const long = Array.from({ length: 60 }, (_, index) => place(index === 50 ? last : quiet, index));
  const told = shownRows(long).map((one) => ('row' in one ? one.row.index : `${one.leftOut} left out`));
  expect(told).toEqual([0, 1, 2, '45 left out', 48, 49, 50, 51, 52, '7 left out']);
  expect(shownRows(rows).map((one) => 'row' in one && one.row)).toEqual(rows);
});
