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
    speed: widest(own.map(({ operationsPerSecond }) => grouped(Math.round(operationsPerSecond)))),
  };
  const lines = own.map(({ what, against, operationsPerSecond, ratio }) => {
    const speed = `${right(grouped(Math.round(operationsPerSecond)), widths.speed)} operations/s`;
    const told = `  ${left(what, widths.what)}  ${speed}  ${right(ratio.toFixed(2), 5)} times the time of ${against}`;
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
