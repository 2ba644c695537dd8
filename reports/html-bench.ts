import type { BenchRow } from './bench-json.ts';
import { amountText } from './bench-text.ts';
import { type Content, type Markup, markup } from './markup.ts';

/** The benchmarks as ratios with bars; nothing where nothing was measured. */
export function benchSection(rows: readonly BenchRow[] | undefined): Content {
  if (rows === undefined) return '';
  return markup`<section id="bench" aria-labelledby="bench-heading">
<h2 id="bench-heading">Benchmarks</h2>
<p class="quiet">Two things against each other on one machine, as ratios. The mark is where the second stands: of two a
bar that ends before it needs less.</p>
<div class="scroll" role="region" aria-label="Table of benchmarks" tabindex="0">
<table class="matrix">
<thead><tr><th scope="col">work</th><th scope="col" class="number">measured</th>
<th scope="col" class="number">times</th><th scope="col">of what</th><th scope="col">bar</th></tr></thead>
${[...new Set(rows.map(({ section }) => section))].map((section) => sectionRows(section, rows))}</table>
</div>
</section>`;
}

function sectionRows(section: string, rows: readonly BenchRow[]): Markup {
  return markup`<tbody>
<tr class="system"><th scope="rowgroup" colspan="5"><span class="held">${section}</span></th></tr>
${rows.filter((row) => row.section === section).map(benchRow)}</tbody>
`;
}

/** The bar is drawn up to this many times the time of the second; what is beyond ends in an arrow. */
const RATIO_MAX = 4;
const TIMES_PIXELS = 50;

function benchRow(row: BenchRow): Markup {
  const { what, against, ratio, of } = row;
  return markup`<tr><th scope="row">${what}</th><td class="number">${amountText(row)}</td>
<td class="number">${ratio.toFixed(2)}</td><td>${of} of ${against}</td><td>${barMarkup(ratio)}</td></tr>
`;
}

function barMarkup(ratio: number): Markup {
  const width = RATIO_MAX * TIMES_PIXELS;
  const end = Math.min(ratio, RATIO_MAX) * TIMES_PIXELS;
  const beyond = ratio <= RATIO_MAX ? '' : markup`<path d="M${width} 3l8 6l-8 6z"/>`;
  const kind = ratio <= 1 ? 'good' : 'other';
  return markup`<svg class="bar ${kind}" viewBox="0 0 ${width + 10} 18" width="${width + 10}" height="18"
aria-hidden="true"><rect x="0" y="3" width="${end.toFixed(1)}" height="12"/>${beyond}<path class="mark"
d="M${TIMES_PIXELS} 0v18"/></svg>`;
}
