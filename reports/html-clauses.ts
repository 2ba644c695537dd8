import type { Clause } from '#vocabulary';
import type { RunResult } from '../properties/runner/verdict.ts';
import { link } from './html-parts.ts';
import { grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { byHost, type HostCounts, vmmsTold } from './places.ts';
import { type ClauseReach, clauseReaches } from './scoreboard.ts';

/** Narrows the table of clauses. Without it every clause is shown and the form stays hidden. */
export const FILTER_SCRIPT = `const form = document.querySelector('#clause-filter');
const rows = [...document.querySelectorAll('#clauses tbody tr')];
function filter() {
  const words = form.words.value.toLowerCase().split(/\\s+/);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = form.reach.value === 'all' || form.reach.value === row.dataset.reach;
    row.hidden = !(fits && words.every((word) => text.includes(word)));
    if (!row.hidden) shown += 1;
  }
  form.querySelector('output').textContent = shown + ' of ' + rows.length + ' shown';
}
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null || !target.hidden) return;
  form.reset();
  filter();
  target.scrollIntoView();
}
form.hidden = false;
form.addEventListener('input', filter);
form.addEventListener('submit', (event) => event.preventDefault());
addEventListener('hashchange', reveal);
filter();`;

/** Every clause of the model with the scenarios that reached it, those that none reached first. */
export function clausesSection(run: RunResult, clauses: readonly Clause[]): Markup {
  const reaches = clauseReaches(run, clauses);
  const unreached = reaches.filter(({ total }) => total === 0);
  const reached = reaches.filter(({ total }) => total > 0);
  return markup`<section id="clauses" aria-labelledby="clauses-heading">
<h2 id="clauses-heading">Clauses reached
<span class="quiet">${grouped(reached.length)} of ${grouped(clauses.length)}</span></h2>
<progress value="${reached.length}" max="${Math.max(1, clauses.length)}" aria-labelledby="clauses-heading"></progress>
<form id="clause-filter" role="search" hidden>
<label>Search <input type="search" name="words" placeholder="words of an id, title or source"></label>
<fieldset><legend class="hidden">Which clauses</legend>
<label><input type="radio" name="reach" value="all" checked> all</label>
<label><input type="radio" name="reach" value="unreached"> not reached</label>
<label><input type="radio" name="reach" value="reached"> reached</label>
</fieldset>
<output aria-live="polite"></output>
</form>
<table class="clauses">
<thead><tr><th scope="col">clause</th><th scope="col">scenarios that reached it</th></tr></thead>
<tbody>
${[...unreached, ...reached].map(clauseRow)}</tbody>
</table>
</section>`;
}

function clauseRow({ clause, total, profiles }: ClauseReach): Markup {
  return markup`<tr id="clause-${clause.id}" data-reach="${total === 0 ? 'unreached' : 'reached'}">
<th scope="row">${link('clause', clause.id, markup`<code>${clause.id}</code>`)}
<p>${clause.title}</p>
<p class="quiet">${clause.source}</p></th>
<td>${reachMarkup(clause, profiles)}</td></tr>
`;
}

function reachMarkup({ undrawn }: Clause, profiles: ClauseReach['profiles']): Content {
  if (undrawn !== undefined) return markup`<span class="quiet">never drawn: ${undrawn}</span>`;
  if (profiles.length === 0) return markup`<span class="fail">✗ not reached</span>`;
  return byHost(profiles).map(
    ({ host, counts }) => markup`<p class="reach">${host} ${vmmsTold(counts).map(countMarkup)}</p>`,
  );
}

function countMarkup({ vmm, count }: HostCounts['counts'][number]): Markup {
  const name = vmm === undefined ? '' : `+ ${vmm} `;
  return markup`<span>${name}<b>${grouped(count)}</b></span> `;
}
