import type { Window } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { violationWords, WINDOW_MEANINGS } from './headline.ts';
import { clauseLink, invariantLink } from './html-parts.ts';
import { type Markup, markup } from './markup.ts';
import { type Actor, type Answer, type Pointer, type TimelineRow, timelineOf } from './timeline.ts';

/** The columns of a timeline, from the user of the interface outwards. An actor without one does not compile. */
const LANES = Object.keys({ vfio: 0, host: 0, device: 0 } satisfies Record<Actor, 0>) as readonly Actor[];

/** A finding as a table: a lane per actor, in it what it asked and what showed at it; beside it what was answered. */
export function timelineMarkup(finding: Finding, words: Glossary): Markup {
  const { before, rows } = timelineOf(finding);
  const start = before.map(
    ({ path, expected, got }) => markup`<p class="fail">At the start, ${path}: expected ${expected}, got ${got}</p>
`,
  );
  const windows = new Set(rows.flatMap(({ window }) => (window === undefined ? [] : [window])));
  const lanes = LANES.map((lane) => markup`<th scope="col" class="lane-${lane}">${lane}</th>`);
  return markup`${start}<table class="timeline">
<caption class="hidden">Timeline of finding ${finding.id}</caption>
<thead><tr>
<th scope="col" class="number">#</th>${lanes}
<th scope="col" class="answer">answer</th>
<th scope="col">now observed</th>
</tr></thead>
<tbody>
${rows.map((row) => timelineRows(row, words))}</tbody>
</table>
${[...windows].map(windowLegend)}`;
}

function windowLegend(window: Window): Markup {
  const key = markup`<span class="window-key" aria-hidden="true"></span>`;
  return markup`<p class="legend quiet">${key} ${window}: ${WINDOW_MEANINGS[window]}</p>
`;
}

type Tag = 'expected' | 'got' | undefined;

/** One row when both answered alike; one for each where they differ; and what is to be said about it beneath. */
function timelineRows(row: TimelineRow, words: Glossary): readonly Markup[] {
  const answers = row.differs
    ? [answerRow(row, 'expected', row.expected), answerRow(row, 'got', row.got)]
    : [answerRow(row, undefined, row.got)];
  return [...answers, ...remarkRow(row, words)];
}

function answerRow(row: TimelineRow, tag: Tag, answer: Answer | undefined): Markup {
  // The operation stands in the first of its rows only.
  const index = tag === 'got' ? '' : row.index;
  const label = tag === undefined ? '' : markup`<span class="tag">${tag}</span> `;
  const changes = (answer?.changes ?? []).map((change) => markup`<span class="change line">${change}</span>`);
  return markup`<tr class="${rowClasses(row, tag, answer)}"><th scope="row" class="number">${index}</th>
${LANES.map((lane) => laneCell(lane, row, tag, answer))}
<td data-label="answer">${label}<span class="outcome">${answer?.outcome ?? 'not asked'}</span></td>
<td data-label="now">${changes}</td></tr>
`;
}

function laneCell(lane: Actor, row: TimelineRow, tag: Tag, answer: Answer | undefined): Markup {
  const asked = tag !== 'got' && row.actor === lane;
  const operation = asked ? markup`<code class="line">${row.operation}</code>` : '';
  const events = (answer?.events ?? []).filter(({ actor }) => actor === lane);
  const shown = events.map((event) => markup`<span class="event line">${event.words}</span>`);
  return markup`<td data-label="${lane}">${operation}${shown}</td>`;
}

function rowClasses(row: TimelineRow, tag: Tag, answer: Answer | undefined): string {
  return [
    ...(tag === undefined ? [] : [`answer-${tag}`]),
    ...(row.differs ? ['differs'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'place') ? ['place'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'cause') ? ['cause'] : []),
    ...(row.window === undefined ? [] : ['window']),
    ...(answer === undefined ? ['unasked'] : []),
  ].join(' ');
}

function remarkRow(row: TimelineRow, words: Glossary): readonly Markup[] {
  const states = row.divergences
    .filter(({ path }) => path !== 'outcome' && path !== 'events')
    .map(({ path, expected, got }) => markup`<p class="fail">${path}: expected ${expected}, got ${got}</p>`);
  const violations = row.pointers.filter(({ kind }) => kind === 'place').map((pointer) => placeMarkup(pointer, words));
  const spoke = row.differs || row.pointers.length > 0 ? row.clauses : [];
  const clauses = spoke.map((id) => markup`${clauseLink(id, words)} `);
  const remarks = [...states, ...violations, ...(clauses.length === 0 ? [] : [markup`<p>${clauses}</p>`])];
  if (remarks.length === 0) return [];
  return [
    markup`<tr class="remark ${rowClasses(row, undefined, row.got)}"><td></td>
<td colspan="${LANES.length + 2}">${remarks}</td></tr>
`,
  ];
}

function placeMarkup({ violation }: Pointer, words: Glossary): Markup {
  const kind = violation.expectedBy === null ? 'fail' : 'expected';
  return markup`<p class="${kind}">${invariantLink(violation.invariant, words)}: ${violationWords(violation)}</p>`;
}
