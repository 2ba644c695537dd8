import type { Window } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import { callsBeside } from './calls.ts';
import type { Glossary } from './glossary.ts';
import { differenceWords, violationWords, WINDOW_MEANINGS } from './headline.ts';
import { clauseLink, invariantLink } from './html-parts.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { type Actor, type Answer, type Pointer, type TimelineRow, timelineOf, untoldDivergences } from './timeline.ts';

/** A column of a timeline: an actor, or the VMM, which asks nothing but what its guest makes it ask. */
type Lane = Actor | 'vmm';

/** From the user of the interface outwards. An actor without a lane does not compile. */
const LANES = Object.keys({ guest: 0, vmm: 0, vfio: 0, host: 0, device: 0 } satisfies Record<
  Lane,
  0
>) as readonly Lane[];

const LANE_WORDS: Readonly<Record<Lane, string>> = {
  guest: 'guest',
  vmm: 'calls of the VMM',
  vfio: 'vfio',
  host: 'host',
  device: 'device',
};

/** A finding as a table: a lane per actor, in it what it asked and what showed at it; beside it what was answered. */
export function timelineMarkup(finding: Finding, words: Glossary): Markup {
  const { parent, before, rows } = timelineOf(finding);
  const start = before.map(
    ({ path, expected, got }) => markup`<p class="fail">At the start, ${path}: expected ${expected}, got ${got}</p>
`,
  );
  const windows = new Set(rows.flatMap((row) => row.windows));
  const { mdev, vmm } = finding.scenario.config;
  const machine = { hasMdevs: mdev !== undefined, hasVmm: vmm !== undefined };
  const actors = new Set(rows.map(({ actor }) => actor));
  const lanes = LANES.filter((lane) => isShown(lane, machine, actors));
  const headings = lanes.map((lane) => markup`<th scope="col" class="lane-${lane}">${LANE_WORDS[lane]}</th>`);
  return markup`${startMarkup(parent)}${start}<table class="timeline${tableClasses(machine)}">
<caption class="hidden">Timeline of finding ${finding.id}</caption>
<thead><tr>
<th scope="col" class="number">#</th>${headings}
<th scope="col" class="answer">answer</th>
<th scope="col">now observed</th>
</tr></thead>
<tbody>
${rows.map((row) => timelineRows(row, lanes, words))}</tbody>
</table>
${[...windows].map(windowLegend)}`;
}

/** What is on a machine besides vfio, host and devices. */
interface Machine {
  readonly hasMdevs: boolean;
  readonly hasVmm: boolean;
}

/**
 * A VMM is the only user of vfio, and a guest is there with a VMM or an mdev. The host seldom asks for anything where
 * there is one.
 */
function isShown(lane: Lane, { hasMdevs, hasVmm }: Machine, actors: ReadonlySet<Actor>): boolean {
  switch (lane) {
    case 'guest':
      return hasVmm || hasMdevs;
    case 'vmm':
      return hasVmm;
    case 'vfio':
      return !hasVmm;
    case 'host':
      return !(hasVmm || hasMdevs) || actors.has('host');
    case 'device':
      return true;
  }
}

function tableClasses({ hasMdevs, hasVmm }: Machine): string {
  return `${hasVmm ? ' with-guest' : ''}${hasMdevs ? ' with-mdevs' : ''}`;
}

function startMarkup(parent: readonly string[]): Content {
  const lines = parent.map((words) => markup`<span class="line">${words}</span>`);
  return lines.length === 0 ? '' : markup`<div class="quiet start"><p>At the start</p>${lines}</div>\n`;
}

function windowLegend(window: Window): Markup {
  const key = markup`<span class="window-key" aria-hidden="true"></span>`;
  return markup`<p class="legend quiet">${key} ${window}: ${WINDOW_MEANINGS[window]}</p>
`;
}

type Tag = 'expected' | 'got' | undefined;

/** One row when both answered alike; one for each where they differ; and what is to be said about it beneath. */
function timelineRows(row: TimelineRow, lanes: readonly Lane[], words: Glossary): readonly Markup[] {
  const answers = row.differs
    ? [answerRow(row, lanes, 'expected', row.expected), answerRow(row, lanes, 'got', row.got)]
    : [answerRow(row, lanes, undefined, row.got)];
  return [...answers, ...remarkRow(row, lanes, words)];
}

function answerRow(row: TimelineRow, lanes: readonly Lane[], tag: Tag, answer: Answer | undefined): Markup {
  // The operation stands in the first of its rows only.
  const index = tag === 'got' ? '' : row.index;
  const label = tag === undefined ? '' : markup`<span class="tag">${tag}</span> `;
  const changes = [
    ...(answer?.guest ?? []).map((change) => markup`<span class="change guest line">${change}</span>`),
    ...(answer?.changes ?? []).map((change) => markup`<span class="change line">${change}</span>`),
    ...(answer?.parent ?? []).map((change) => markup`<span class="change parent line">${change}</span>`),
  ];
  return markup`<tr class="${rowClasses(row, tag, answer)}"><th scope="row" class="number">${index}</th>
${lanes.map((lane) => laneCell(lane, row, tag, answer))}
<td data-label="answer">${label}<span class="outcome">${answer?.outcome ?? 'not asked'}</span></td>
<td data-label="now">${changes}</td></tr>
`;
}

function laneCell(lane: Lane, row: TimelineRow, tag: Tag, answer: Answer | undefined): Markup {
  if (lane === 'vmm') return markup`<td data-label="VMM">${shownCalls(row, tag, answer).map(callMarkup)}</td>`;
  const asked = tag !== 'got' && row.actor === lane;
  const operation = asked ? markup`<code class="line">${row.operation}</code>` : '';
  const events = (answer?.events ?? []).filter(({ actor }) => actor === lane);
  const shown = events.map((event) => markup`<span class="event line">${event.words}</span>`);
  return markup`<td data-label="${lane}">${operation}${shown}</td>`;
}

/** Beside the calls that were expected only those that are not the same. */
function shownCalls(row: TimelineRow, tag: Tag, answer: Answer | undefined): readonly string[] {
  if (answer === undefined) return [];
  return tag === 'got' ? callsBeside(answer.calls, row.expected?.calls ?? []) : answer.calls;
}

function callMarkup(call: string): Markup {
  return markup`<code class="call line">${call}</code>`;
}

function rowClasses(row: TimelineRow, tag: Tag, answer: Answer | undefined): string {
  return [
    ...(tag === undefined ? [] : [`answer-${tag}`]),
    ...(row.differs ? ['differs'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'place') ? ['place'] : []),
    ...(row.pointers.some(({ kind }) => kind === 'cause') ? ['cause'] : []),
    ...(row.windows.length === 0 ? [] : ['window']),
    ...(answer === undefined ? ['unasked'] : []),
  ].join(' ');
}

function remarkRow(row: TimelineRow, lanes: readonly Lane[], words: Glossary): readonly Markup[] {
  const states = untoldDivergences(row).map((divergence) => markup`<p class="fail">${differenceWords(divergence)}</p>`);
  const violations = row.pointers.filter(({ kind }) => kind === 'place').map((pointer) => placeMarkup(pointer, words));
  const spoke = row.differs || row.pointers.length > 0 ? row.clauses : [];
  const clauses = spoke.map((id) => markup`${clauseLink(id, words)} `);
  const remarks = [...states, ...violations, ...(clauses.length === 0 ? [] : [markup`<p>${clauses}</p>`])];
  if (remarks.length === 0) return [];
  return [
    markup`<tr class="remark ${rowClasses(row, undefined, row.got)}"><td></td>
<td colspan="${lanes.length + 2}">${remarks}</td></tr>
`,
  ];
}

function placeMarkup({ violation }: Pointer, words: Glossary): Markup {
  const kind = violation.expectedBy === null ? 'fail' : 'expected';
  return markup`<p class="${kind}">${invariantLink(violation.invariant, words)}: ${violationWords(violation)}</p>`;
}
