import { grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { mutantCounts } from './mutants-summary.ts';
import { type MutantRow, toldBy } from './mutants-text.ts';

/** The detection benchmark: which historic faults are found, and how soon; nothing where nothing was hunted. */
export function mutantsSection(rows: readonly MutantRow[] | undefined): Content {
  if (rows === undefined) return '';
  const { total, killed, survivors } = mutantCounts(rows);
  const survived = survivors.length === 0 ? '' : markup` <span class="fail">✗ not ${survivors.join(', ')}</span>`;
  return markup`<section id="mutants" aria-labelledby="mutants-heading">
<h2 id="mutants-heading">Mutants <span class="quiet">${killed} of ${total} killed with every seed</span>${survived}</h2>
<p class="quiet">Each is the implementation with one historic fault. It is searched for with many seeds; a search that
ends with a broken promise or another answer than the model's has killed it.</p>
<div class="scroll" role="region" aria-label="Table of mutants" tabindex="0">
<table class="matrix">
<thead><tr><th scope="col">mutant</th><th scope="col">fault</th><th scope="col">tier</th>
<th scope="col" class="number">killed</th><th scope="col">told by</th>
<th scope="col" class="number">scenarios</th><th scope="col" class="number">at worst</th>
<th scope="col" class="number">operations</th><th scope="col" class="number">shrunk to</th>
<th scope="col" class="number">shortest known</th></tr></thead>
<tbody>
${rows.map(mutantRow)}</tbody>
</table>
</div>
<p class="legend quiet">Scenarios and operations until it was seen: the median of the seeds, and the worst.
Shrunk to so many operations at worst.</p>
</section>`;
}

function mutantRow(row: MutantRow): Markup {
  const isKilled = row.killed === row.seeds;
  return markup`<tr id="mutant-${row.id}"><th scope="row">${row.id}</th><td>${row.title}</td><td>${row.tier}</td>
<td class="number ${isKilled ? 'pass' : 'fail'}">${isKilled ? '✓' : '✗'} ${row.killed}/${row.seeds}</td>
<td>${toldBy(row)}</td>${[
    row.scenarios?.median,
    row.scenarios?.worst,
    row.operations?.median,
    row.shrunk?.worst,
    row.shortest,
  ].map((count) => markup`<td class="number">${count === undefined ? '–' : grouped(count)}</td>`)}</tr>
`;
}
