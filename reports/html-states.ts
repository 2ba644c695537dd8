import { ALLOCATED, ARMED, PENDING, UNMASKED } from '#vocabulary';
import { type Content, type Markup, markup } from './markup.ts';
import type { TimelineRow } from './timeline.ts';
import { type VectorGroup, type VectorState, vectorStateWords } from './vector-states.ts';

/** Groups of vectors that are shown in every row; the table has all. */
const CHIPS_MAX = 8;

/**
 * The touched vectors after an operation, each as a small box that says its state when it is pointed at; nothing where
 * all are as they were, unless an interrupt came.
 */
export function stateChips(groups: readonly VectorGroup[], { index, got }: TimelineRow): Content {
  const shown = groups.slice(0, CHIPS_MAX);
  const isRaise = got?.events.some(({ raise }) => raise !== undefined) ?? false;
  if (!isRaise && !shown.some((group) => isChanged(group, index))) return '';
  const chips = shown.flatMap((group) => {
    const state = group.after[index];
    if (state === undefined) return [];
    const kind = `${chipClass(state)}${isChanged(group, index) ? ' new' : ''}`;
    return [
      markup`<span class="${kind}" title="vector ${group.name}: ${vectorStateWords(state)}">${group.name}</span>`,
    ];
  });
  return chips.length === 0 ? '' : markup`<span class="chips" aria-hidden="true">${chips}</span>`;
}

function isChanged({ before, after }: VectorGroup, index: number): boolean {
  const last = index === 0 ? before : after[index - 1];
  const now = after[index];
  return now !== undefined && (now.host !== last?.host || now.guest !== last.guest);
}

/** The one word that says most of a state. */
function chipClass({ host, guest }: VectorState): string {
  if (((host | (guest ?? 0)) & PENDING) !== 0) return 'is-pending';
  if ((host & ARMED) !== 0) return ((guest ?? host) & UNMASKED) === 0 ? 'is-masked' : 'is-armed';
  return (host & ALLOCATED) === 0 ? 'is-idle' : 'is-allocated';
}

/** The same as a plain table, with every group. */
export function stateTable(groups: readonly VectorGroup[], rows: readonly TimelineRow[], id: string): Content {
  if (groups.length === 0) return '';
  const headings = groups.map(({ name }) => markup`<th scope="col">${name}</th>`);
  const start = groups.map(({ before }) => markup`<td>${vectorStateWords(before)}</td>`);
  return markup`<details class="states"><summary>State of each vector after each operation</summary>
<div class="scroll" role="region" aria-label="States in finding ${id}" tabindex="0">
<table><thead><tr><th scope="col">vector</th>${headings}</tr></thead>
<tbody><tr><th scope="row">start</th>${start}</tr>
${rows.map((row, place) => stateRow(groups, row, rows[place - 1]?.index ?? -1))}</tbody></table></div></details>`;
}

function stateRow(groups: readonly VectorGroup[], { index, operation }: TimelineRow, before: number): Markup {
  const cells = groups.map((group) => {
    const state = group.after[index];
    if (state === undefined) return markup`<td>–</td>`;
    const isTold = before === index - 1 && !isChanged(group, index);
    return markup`<td>${isTold ? 'same' : vectorStateWords(state)}</td>`;
  });
  return markup`<tr><th scope="row">${index} <code>${operation}</code></th>${cells}</tr>
`;
}
