import type { CampaignResult, Coverage, RunResult } from '../properties/runner/verdict.ts';
import { counted, grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';

/** What was asked in which state, of machines of one kind. */
interface Transitions {
  readonly title: string;
  readonly classes: readonly string[];
  /** By operation kind, then by class. */
  readonly rows: readonly { readonly kind: string; readonly counts: readonly number[] }[];
}

/** Which operations met which states, as maps of heat: one for each kind of machine, as they have other states. */
export function transitionsSection(run: RunResult): Content {
  const maps = mapsOf(run.results);
  if (maps.length === 0) return '';
  return markup`<section id="transitions" aria-labelledby="transitions-heading">
<h2 id="transitions-heading">Transitions <span class="quiet">operation by the state that its device was in</span></h2>
<p class="quiet">The stronger the colour, the more often: ${HEAT_KEY} An empty cell was never tried. Point at one for
its count. Counted on the model, over all systems.</p>
${maps.map(mapMarkup)}</section>`;
}

const HEAT_WORDS = ['1 to 9', 'to 99', 'to 999', 'to 9,999', 'more.'];

const HEAT_KEY: readonly Markup[] = HEAT_WORDS.map(
  (
    words,
    place,
  ) => markup`<svg class="heat key-cell" viewBox="0 0 16 12" width="16" height="12" aria-hidden="true"><rect
class="h${place + 1}" x="0" y="0" width="16" height="12"/></svg> ${words} `,
);

/** The machines whose devices have the same classes of states, with their counts added up. */
function mapsOf(results: readonly CampaignResult[]): readonly Transitions[] {
  const groups = new Map<string, CampaignResult[]>();
  for (const result of results) {
    if (result.coverage.classes.length === 0) continue;
    const key = JSON.stringify(result.coverage.classes);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map((group) => {
    const coverages = group.map(({ coverage }) => coverage);
    const classes = coverages[0]?.classes ?? [];
    const kinds = [...new Set(coverages.flatMap(({ transitions }) => Object.keys(transitions)))].sort();
    const profiles = [...new Set(group.map(({ profile }) => profile))];
    return {
      title:
        profiles.length === 1 ? (profiles[0] ?? '') : `${profiles[0]} and ${counted(profiles.length - 1, 'other')}`,
      classes,
      rows: kinds.map((kind) => ({ kind, counts: classes.map((name) => countOf(coverages, kind, name)) })),
    };
  });
}

function countOf(coverages: readonly Coverage[], kind: string, name: string): number {
  return coverages.reduce((sum, { transitions }) => {
    const rows: Readonly<Record<string, Readonly<Record<string, number>>>> = transitions;
    return sum + (rows[kind]?.[name] ?? 0);
  }, 0);
}

/** Pixels of the map: a cell, the names of the kinds, those of the classes, which stand at a slant above it. */
const CELL = { width: 40, height: 17 } as const;
const NAMES_WIDTH = 170;
const CLASSES_HEIGHT = 175;
/** Room for the last of the names, which leans out to the right. */
const LEAN = 170;

function mapMarkup(map: Transitions): Markup {
  const { title, classes, rows } = map;
  const tried = rows.flatMap(({ counts }) => counts).filter((count) => count > 0).length;
  const words = `${title}: ${tried} of ${grouped(rows.length * classes.length)} cells tried`;
  const width = NAMES_WIDTH + classes.length * CELL.width + LEAN;
  const height = CLASSES_HEIGHT + rows.length * CELL.height + 2;
  return markup`<h3>${words}</h3>
<div class="scroll" role="region" aria-label="Transitions of ${title}" tabindex="0">
<svg class="heat" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${words}">
${classes.map((name, column) => {
  const x = NAMES_WIDTH + (column + 0.5) * CELL.width;
  return markup`<text transform="translate(${x} ${CLASSES_HEIGHT - 6}) rotate(-45)">${name}</text>`;
})}
${rows.map((row, line) => rowMarkup(row, line, classes))}</svg>
</div>
<details><summary>The counts of ${title} as a table</summary>
${tableMarkup(map)}</details>
`;
}

function rowMarkup({ kind, counts }: Transitions['rows'][number], line: number, classes: readonly string[]): Markup {
  const y = CLASSES_HEIGHT + line * CELL.height;
  const cells = counts.map((count, column) => {
    const x = NAMES_WIDTH + column * CELL.width;
    const size = markup`x="${x}" y="${y}" width="${CELL.width - 1}" height="${CELL.height - 1}"`;
    const told = markup`<title>${kind}, ${classes[column] ?? ''}: ${grouped(count)}</title>`;
    return markup`<rect class="h${heatOf(count)}" ${size}>${told}</rect>`;
  });
  return markup`<text class="kind" x="${NAMES_WIDTH - 6}" y="${y + 12}">${kind}</text>${cells}
`;
}

/** 0 for nothing, 1 for below 10, and so on to 5. */
function heatOf(count: number): number {
  return Math.min(5, String(count).length - (count === 0 ? 1 : 0));
}

function tableMarkup({ title, classes, rows }: Transitions): Markup {
  const headings = classes.map((name) => markup`<th scope="col">${name}</th>`);
  const lines = rows.map(({ kind, counts }) => {
    const cells = counts.map((count) => markup`<td class="number">${grouped(count)}</td>`);
    return markup`<tr><th scope="row">${kind}</th>${cells}</tr>
`;
  });
  return markup`<div class="scroll" role="region" aria-label="Counts of ${title}" tabindex="0">
<table class="matrix"><thead><tr><th scope="col">operation</th>${headings}</tr></thead>
<tbody>${lines}</tbody></table></div>`;
}
