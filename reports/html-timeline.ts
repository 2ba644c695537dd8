import type { Window } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import { callsBeside } from './calls.ts';
import type { Glossary } from './glossary.ts';
import { differenceWords, violationWords, WINDOW_MEANINGS } from './headline.ts';
import { LANE_WORDS, type Lane, laneCell, laneGap, lanesOf, legendMarkup } from './html-lanes.ts';
import { operationsLegend } from './html-legend.ts';
import { clauseLink, invariantLink } from './html-parts.ts';
import { stateChips, stateTable } from './html-states.ts';
import { counted } from './layout.ts';
import { shownRows } from './long-timeline.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { fateWords, type Raise } from './raises.ts';
import {
  type Answer,
  type EventWords,
  type Pointer,
  type Timeline,
  type TimelineRow,
  timelineOf,
  untoldDivergences,
} from './timeline.ts';
import { type VectorGroup, vectorGroups } from './vector-states.ts';

/** What every row of one timeline is drawn with. */
interface Drawing {
  readonly lanes: readonly Lane[];
  readonly groups: readonly VectorGroup[];
  /** The first operation at which the sides differ. */
  readonly firstDifference: number;
  readonly words: Glossary;
}

/** A finding as a picture with a row for each operation: lanes of who acts, what was asked, what came of it. */
export function timelineMarkup(finding: Finding, words: Glossary): Markup {
  const timeline = timelineOf(finding);
  const { rows } = timeline;
  const { mdev, vmm } = finding.scenario.config;
  const machine = { hasMdevs: mdev !== undefined, hasVmm: vmm !== undefined };
  const lanes = lanesOf(machine, new Set(rows.map(({ actor }) => actor)));
  const { subject } = finding.judgement;
  const groups = vectorGroups(subject);
  const firstDifference = rows.find(({ differs }) => differs)?.index ?? -1;
  const drawing = { lanes, groups, firstDifference, words };
  const shown = shownRows(rows);
  const windows = [...new Set(rows.flatMap((row) => row.windows))];
  return markup`${startMarkup(timeline)}<figure class="story" aria-label="Timeline of finding ${finding.id}">
<div class="legend">
<div>${legendMarkup(rows, machine)}${windows.map(windowLegend)}${edgeLegend(rows)}</div>
${operationsLegend(finding)}</div>
<table class="timeline" style="--lanes:${lanes.length}">
<caption class="hidden">Timeline of finding ${finding.id}</caption>
<thead><tr>
<th scope="col" class="index-head">#</th>
<th scope="col" class="lanes-head">${lanes.map((lane) => markup`<span>${LANE_WORDS[lane]}</span>`)}</th>
<th scope="col" class="asked-head">operation, and what happened</th>
<th scope="col" class="answer-head">answer</th>
<th scope="col">now observed</th>
</tr></thead>
<tbody>
${shown.map((one) => ('row' in one ? timelineRows(one.row, drawing) : leftOutRow(one.leftOut)))}</tbody>
</table>
</figure>
${stateTable(
  groups,
  shown.flatMap((one) => ('row' in one ? one.row : [])),
  finding.id,
)}`;
}

function leftOutRow(count: number): Markup {
  const words = `${counted(count, 'operation')} in which nothing of this showed: the file has them`;
  return markup`<tr class="left-out"><td></td><td class="lanes"></td><td class="quiet" colspan="3">${words}</td></tr>
`;
}

function startMarkup({ parent, before }: Timeline): Content {
  const lines = parent.map((words) => markup`<span class="line">${words}</span>`);
  return [
    lines.length === 0 ? '' : markup`<div class="quiet start"><p>At the start</p>${lines}</div>\n`,
    before.map(
      ({ path, expected, got }) => markup`<p class="fail">At the start, ${path}: expected ${expected}, got ${got}</p>
`,
    ),
  ];
}

function windowLegend(window: Window): Markup {
  const key = markup`<span class="window-key" aria-hidden="true"></span>`;
  return markup`<p>${key} <b>${window}</b>, a window: ${WINDOW_MEANINGS[window]}</p>
`;
}

/** What the coloured edges of rows mean, where there are any. */
function edgeLegend(rows: readonly TimelineRow[]): Content {
  const isBroken = rows.some(({ differs, pointers }) => differs || pointers.some(({ kind }) => kind === 'place'));
  if (!isBroken) return '';
  const cause = markup`<span class="edge cause" aria-hidden="true"></span> an operation that the fault is made of`;
  return markup`<p><span class="edge place" aria-hidden="true"></span> where the fault shows; ${cause}</p>
`;
}

function timelineRows(row: TimelineRow, drawing: Drawing): readonly Markup[] {
  const happened = row.differs ? '' : eventsMarkup(row.got, drawing);
  const index = markup`<th scope="row" class="number">${row.index}</th>`;
  return [
    markup`<tr class="${rowClasses(row)}">${index}
${laneCell(drawing.lanes, row, row.got)}
<td class="asked"><code class="line">${row.operation}</code>${callsMarkup(row, drawing)}${happened}</td>
${row.differs ? sidesMarkup(row, drawing) : answerCells(row, drawing)}</tr>
`,
    ...remarkRow(row, drawing),
  ];
}

function answerCells(row: TimelineRow, { groups }: Drawing): Markup {
  return markup`<td class="answer"><span class="outcome">${row.got?.outcome ?? 'not asked'}</span></td>
<td class="now">${stateChips(groups, row)}${changesMarkup(row.got)}</td>`;
}

/** Reference and subject next to each other, where they differ. */
function sidesMarkup(row: TimelineRow, drawing: Drawing): Markup {
  const { expected, got, index } = row;
  const first = index === drawing.firstDifference ? markup`<p class="first">The first difference</p>` : '';
  const others = got === undefined ? [] : callsBeside(got.calls, expected?.calls ?? []);
  return markup`<td class="both" colspan="2">${first}<div class="sides">
<div class="side expected-side"><p class="tag">expected <span class="quiet">by the model</span></p>
${sideMarkup(expected, [], drawing)}</div>
<div class="side got-side"><p class="tag">got <span class="quiet">from the system</span></p>
${sideMarkup(got, others, drawing)}${stateChips(drawing.groups, row)}</div></div></td>`;
}

function sideMarkup(answer: Answer | undefined, calls: readonly string[], drawing: Drawing): Content {
  return [
    markup`<span class="outcome line">${answer?.outcome ?? 'not asked'}</span>`,
    calls.map((call) => markup`<code class="call line">${call}</code>`),
    eventsMarkup(answer, drawing, true),
    changesMarkup(answer),
  ];
}

function changesMarkup(answer: Answer | undefined): Content {
  if (answer === undefined) return '';
  return [
    ...answer.guest.map((change) => markup`<span class="change guest line">${change}</span>`),
    ...answer.changes.map((change) => markup`<span class="change line">${change}</span>`),
    ...answer.parent.map((change) => markup`<span class="change parent line">${change}</span>`),
  ];
}

/** What happened, but for raises that stand between the calls already. */
function eventsMarkup(answer: Answer | undefined, { words }: Drawing, isBeside = false): Content {
  const told = new Set(isBeside ? [] : answer?.gaps.map(({ raise }) => raise));
  const events = (answer?.events ?? []).filter(({ raise }) => raise === undefined || !told.has(raise));
  return events.map(
    (event) =>
      markup`<span class="event line ${eventClass(event)}">${event.words}${byClause(event.raise, words)}</span>`,
  );
}

function eventClass({ raise }: EventWords): string {
  return raise === undefined ? '' : raise.fate.kind;
}

function byClause(raise: Raise | undefined, words: Glossary): Content {
  if (raise?.fate.kind !== 'lost' || raise.fate.clause === null) return '';
  return markup` <span class="quiet">by</span> ${clauseLink(raise.fate.clause, words)}`;
}

/** The calls of a VMM, folded where nothing happened between them. */
function callsMarkup({ expected, got, differs, pointers }: TimelineRow, { words }: Drawing): Content {
  const answer = differs ? expected : got;
  if (answer === undefined || answer.calls.length === 0) return '';
  const isOpen = answer.gaps.length > 0 || differs || pointers.length > 0;
  const lines = Array.from({ length: answer.calls.length + 1 }, (_, line) => [
    ...answer.gaps.filter((gap) => gap.line === line).map(({ raise }) => gapMarkup(raise, words)),
    ...answer.calls.slice(line, line + 1).map((call) => markup`<li><code class="call">${call}</code></li>`),
  ]);
  const title = `${counted(answer.calls.length, 'call')} of the VMM${differs ? ', as expected' : ''}`;
  return markup`<details class="calls"${isOpen ? markup` open` : ''}><summary>${title}</summary>
<ol>${lines}</ol></details>`;
}

function gapMarkup(raise: Raise, words: Glossary): Markup {
  const { window, vector, fate } = raise;
  const end = fate.kind === 'lost' ? ', and it is lost' : fateWords(raise);
  const by = byClause(raise, words);
  return markup`<li class="gap ${fate.kind}"><b>${window ?? ''}</b>: the device raises ${vector}${end}${by}</li>`;
}

function rowClasses(row: TimelineRow): string {
  return [
    'op',
    ...(row.differs ? ['differs'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'place') ? ['place'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'cause') ? ['cause'] : []),
    ...(row.windows.length === 0 ? [] : ['window']),
    ...(row.got === undefined ? ['unasked'] : []),
  ].join(' ');
}

function remarkRow(row: TimelineRow, { lanes, words }: Drawing): readonly Markup[] {
  const states = untoldDivergences(row).map((divergence) => markup`<p class="fail">${differenceWords(divergence)}</p>`);
  const violations = row.pointers.filter(({ kind }) => kind === 'place').map((pointer) => placeMarkup(pointer, words));
  const spoke = row.differs || row.pointers.length > 0 ? row.clauses : [];
  const clauses = spoke.map((id) => markup`${clauseLink(id, words)} `);
  const said = clauses.length === 0 ? [] : [markup`<p class="spoke"><span class="quiet">clauses</span> ${clauses}</p>`];
  const remarks = [...states, ...violations, ...said];
  if (remarks.length === 0) return [];
  return [
    markup`<tr class="remark ${rowClasses(row)}"><td></td>${laneGap(lanes, row)}
<td class="said" colspan="3">${remarks}</td></tr>
`,
  ];
}

function placeMarkup({ violation }: Pointer, words: Glossary): Markup {
  const kind = violation.expectedBy === null ? 'fail' : 'expected';
  return markup`<p class="${kind}">✗ ${invariantLink(violation.invariant, words)}: ${violationWords(violation)}</p>`;
}
