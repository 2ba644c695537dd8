import type { TimelineRow } from './timeline.ts';

/** Rows up to this number are all shown. */
const ROWS_MAX = 40;
/** Rows that are shown on both sides of one that says something. */
const ROWS_AROUND = 2;

/** A row, or how many rows are left out. */
export type ShownRow = { readonly row: TimelineRow } | { readonly leftOut: number };

/** Of a long timeline what happened around the fault and at the start: the rest is in the file. */
export function shownRows(rows: readonly TimelineRow[]): readonly ShownRow[] {
  if (rows.length <= ROWS_MAX) return rows.map((row) => ({ row }));
  const near = new Set<number>();
  for (const { index } of rows.filter((row, place) => place === 0 || says(row)))
    for (let place = index - ROWS_AROUND; place <= index + ROWS_AROUND; place += 1) near.add(place);
  const shown: ShownRow[] = [];
  let leftOut = 0;
  for (const row of rows) {
    if (!near.has(row.index)) {
      leftOut += 1;
      continue;
    }
    if (leftOut > 0) shown.push({ leftOut });
    shown.push({ row });
    leftOut = 0;
  }
  return leftOut > 0 ? [...shown, { leftOut }] : shown;
}

function says({ differs, pointers, got }: TimelineRow): boolean {
  return differs || pointers.length > 0 || (got?.events ?? []).some(({ raise }) => raise?.fate.kind === 'lost');
}
