import type { BenchRow } from './bench-json.ts';
import { grouped, left, right, widest } from './layout.ts';
import { type Palette, PLAIN } from './palette.ts';

/** A ratio that is so many times what it was before is told in colour. */
const WORSE = 1.25;

/**
 * A table for each section: how fast, and how many times the time of the peer it takes.
 * @param before what was measured at another time, to be told beside it: ratios can be compared, speeds cannot
 */
export function benchText(
  rows: readonly BenchRow[],
  palette: Palette = PLAIN,
  before: readonly BenchRow[] | undefined = undefined,
): string {
  const sections = [...new Set(rows.map(({ section }) => section))];
  return sections.map((section) => sectionText(section, rows, palette, before)).join('\n');
}

function sectionText(
  section: string,
  rows: readonly BenchRow[],
  palette: Palette,
  before: readonly BenchRow[] | undefined,
): string {
  const own = rows.filter((row) => row.section === section);
  const widths = {
    what: widest(own.map(({ what }) => what)),
    amount: widest(own.map(amountText)),
  };
  const lines = own.map((row) => {
    const { what, against, ratio, of } = row;
    const amount = right(amountText(row), widths.amount);
    const told = `  ${left(what, widths.what)}  ${amount}  ${right(ratio.toFixed(2), 5)} times the ${of} of ${against}`;
    if (before === undefined) return told;
    const was = before.find((row) => row.section === section && row.what === what && row.against === against);
    return `${told}${wasText(ratio, was, palette)}`;
  });
  return [palette.strong(section), ...lines, ''].join('\n');
}

function wasText(ratio: number, was: BenchRow | undefined, palette: Palette): string {
  if (was === undefined) return palette.quiet(', new');
  const text = `, was ${was.ratio.toFixed(2)}`;
  if (ratio > was.ratio * WORSE) return palette.bad(text);
  return ratio * WORSE < was.ratio ? palette.good(text) : palette.quiet(text);
}

/** An amount with its unit. */
export function amountText({ amount, unit }: BenchRow): string {
  return `${grouped(Math.round(amount))} ${unit}`;
}
