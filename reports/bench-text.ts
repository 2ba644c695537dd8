import type { BenchRow } from './bench-json.ts';
import { grouped, left, right, widest } from './layout.ts';
import { type Palette, PLAIN } from './palette.ts';

/** A table for each section: how fast, and how many times the time of the peer it takes. */
export function benchText(rows: readonly BenchRow[], palette: Palette = PLAIN): string {
  const sections = [...new Set(rows.map(({ section }) => section))];
  return sections.map((section) => sectionText(section, rows, palette)).join('\n');
}

function sectionText(section: string, rows: readonly BenchRow[], palette: Palette): string {
  const own = rows.filter((row) => row.section === section);
  const widths = {
    what: widest(own.map(({ what }) => what)),
    speed: widest(own.map(({ operationsPerSecond }) => grouped(Math.round(operationsPerSecond)))),
  };
  const lines = own.map(({ what, against, operationsPerSecond, ratio }) => {
    const speed = `${right(grouped(Math.round(operationsPerSecond)), widths.speed)} operations/s`;
    return `  ${left(what, widths.what)}  ${speed}  ${right(ratio.toFixed(2), 5)} times the time of ${against}`;
  });
  return [palette.strong(section), ...lines, ''].join('\n');
}
