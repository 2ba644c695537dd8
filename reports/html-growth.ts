import type { GrowthCost } from '../properties/runner/verdict.ts';
import { GROWTH_WORDS, type GrowthRow, growthOrders, growthRows } from './growth.ts';
import { grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';

/** What it costs to give a guest its vectors, by policy; nothing where nothing was counted. */
export function growthSection(costs: readonly GrowthCost[]): Content {
  if (costs.length === 0) return '';
  const orders = growthOrders(costs);
  const rows = growthRows(costs);
  const sizes = [...new Set(rows.map(({ vectors }) => vectors))];
  const { title, story, tearDowns, calls, atWorst } = GROWTH_WORDS;
  const groups = orders.map((order) => markup`<th scope="colgroup" colspan="2" class="cell">${order}</th>`);
  const headings = orders.map(
    () => markup`<th scope="col" class="number cell">calls</th><th scope="col" class="number">tear-downs</th>`,
  );
  return markup`<section id="growth" aria-labelledby="growth-heading">
<h2 id="growth-heading">${title}</h2>
<p>${story} ${tearDowns}</p>
<div class="scroll" role="region" aria-label="Table: ${title}" tabindex="0">
<table class="matrix growth">
<thead><tr><td></td>${groups}<th scope="colgroup" colspan="2" class="cell">at worst</th></tr>
<tr><th scope="col">vectors and policy</th>${headings}
<th scope="col" class="number cell">eventfds</th><th scope="col" class="number">interrupts</th></tr></thead>
${sizes.map((size) => sizeRows(rows, size, orders))}</table>
</div>
<p class="legend quiet">Calls are ${calls}; ${atWorst}.</p>
</section>`;
}

function sizeRows(rows: readonly GrowthRow[], size: number, orders: readonly GrowthCost['order'][]): Markup {
  const those = rows.filter(({ vectors }) => vectors === size);
  return markup`<tbody>
<tr class="system"><th scope="rowgroup" colspan="${2 * orders.length + 3}"><span class="held">${grouped(size)}
vectors</span></th></tr>
${those.map((row) => policyRow(row, orders))}</tbody>
`;
}

function policyRow(row: GrowthRow, orders: readonly GrowthCost['order'][]): Markup {
  const counts = orders.map((order) => {
    const cost = row.orders.find((candidate) => candidate.order === order);
    const calls = markup`<td class="number cell">${cost === undefined ? '–' : grouped(cost.calls)}</td>`;
    return markup`${calls}<td class="number">${cost === undefined ? '–' : grouped(cost.tearDowns)}</td>`;
  });
  return markup`<tr><th scope="row">${row.policy} <span class="quiet">${row.profile}</span></th>${counts}
<td class="number cell">${grouped(row.eventfds)}</td><td class="number">${grouped(row.allocated)}</td></tr>
`;
}
