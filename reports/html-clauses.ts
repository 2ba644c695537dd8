import type { Clause } from '#vocabulary';
import type { RunResult } from '../properties/runner/verdict.ts';
import { filterForm } from './html-filter.ts';
import { link } from './html-parts.ts';
import { grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { byHost, type HostCounts, vmmsTold } from './places.ts';
import { type ClauseReach, clauseReaches } from './scoreboard.ts';

/** Every clause of the model with the scenarios that reached it, those that none reached first. */
export function clausesSection(run: RunResult, clauses: readonly Clause[]): Markup {
  const reaches = clauseReaches(run, clauses);
  const unreached = reaches.filter(({ total }) => total === 0);
  const reached = reaches.filter(({ total }) => total > 0);
  return markup`<section id="clauses" aria-labelledby="clauses-heading">
<h2 id="clauses-heading">Clauses reached
<span class="quiet">${grouped(reached.length)} of ${grouped(clauses.length)}</span></h2>
<progress value="${reached.length}" max="${Math.max(1, clauses.length)}" aria-labelledby="clauses-heading"></progress>
${filterForm('#clauses tbody tr', 'words of an id, title or source', 'Which clauses', CHOICES)}
<table class="clauses">
<thead><tr><th scope="col">clause</th><th scope="col">scenarios that reached it</th></tr></thead>
<tbody>
${[...unreached, ...reached].map(clauseRow)}</tbody>
</table>
</section>`;
}

const CHOICES = [
  { kind: 'unreached', words: 'not reached' },
  { kind: 'reached', words: 'reached' },
];

function clauseRow({ clause, total, systems }: ClauseReach): Markup {
  return markup`<tr id="clause-${clause.id}" data-kind="${total === 0 ? 'unreached' : 'reached'}">
<th scope="row">${link('clause', clause.id, markup`<code>${clause.id}</code>`)}
<p>${clause.title}</p>
<p class="quiet">${clause.source}</p></th>
<td>${reachMarkup(clause, systems)}</td></tr>
`;
}

function reachMarkup({ undrawn }: Clause, systems: ClauseReach['systems']): Content {
  if (undrawn !== undefined) return markup`<span class="quiet">never drawn: ${undrawn}</span>`;
  if (systems.length === 0) return markup`<span class="fail">✗ not reached</span>`;
  return systems.map(({ system, profiles }) => [
    markup`<p class="reach-system">${system}</p>`,
    byHost(profiles).map(
      ({ host, counts }) => markup`<p class="reach">${host} ${vmmsTold(counts).map(countMarkup)}</p>`,
    ),
  ]);
}

function countMarkup({ vmm, count }: HostCounts['counts'][number]): Markup {
  const name = vmm === undefined ? '' : `+ ${vmm} `;
  return markup`<span>${name}<b>${grouped(count)}</b></span> `;
}
