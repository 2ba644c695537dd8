import { type Content, type Markup, markup } from './markup.ts';
import type { CodeCoverage } from './read-coverage.ts';

/** How much of the code the tests have run, with a link to every line; nothing where that was not counted. */
export function coverageSection(rooms: readonly CodeCoverage[] | undefined): Content {
  if (rooms === undefined) return '';
  return markup`<section id="coverage" aria-labelledby="coverage-heading">
<h2 id="coverage-heading">Code coverage</h2>
<p class="quiet">What of the code the tests have run, as <code>npm run coverage</code> counted it.
<a href="coverage/index.html">Line by line</a>, where that folder lies beside this page.</p>
<div class="scroll" role="region" aria-label="Table of code coverage" tabindex="0">
<table class="matrix">
<thead><tr><th scope="col">room</th><th scope="col" class="number">lines</th>
<th scope="col" class="number">branches</th></tr></thead>
<tbody>
${rooms.map(roomRow)}</tbody>
</table>
</div>
</section>`;
}

function roomRow({ room, lines, branches }: CodeCoverage): Markup {
  return markup`<tr><th scope="row">${room}</th><td class="number">${percent(lines)}</td>
<td class="number">${percent(branches)}</td></tr>
`;
}

function percent({ covered, total }: CodeCoverage['lines']): string {
  return total === 0 ? 'none' : `${((100 * covered) / total).toFixed(1)} %`;
}
