import type { Finding } from '../properties/runner/verdict.ts';
import { callsBeside } from './calls.ts';
import type { Glossary } from './glossary.ts';
import {
  differenceWords,
  expectationWords,
  headlineOf,
  profileWords,
  violationWords,
  WINDOW_MEANINGS,
} from './headline.ts';
import { enumerated, hanging, joinSections, labelled, left, right, TERMINAL_COLUMNS, widest, wrap } from './layout.ts';
import { machineLines } from './machine.ts';
import { type Palette, PLAIN } from './palette.ts';
import { printable } from './printable.ts';
import { type Answer, type TimelineRow, timelineOf, untoldDivergences } from './timeline.ts';

export interface FindingTextOptions extends Glossary {
  /** Repeats the finding; printed last and never broken. */
  readonly replayCommand: string;
  /** No colour when left out. */
  readonly palette?: Palette;
}

/** A finding as a story on a terminal. Operations are numbered from 0, as in the file. */
export function findingText(finding: Finding, options: FindingTextOptions): string {
  const palette = options.palette ?? PLAIN;
  const sections = [
    headerLines(finding, options, palette),
    placeLines(finding, palette),
    storyLines(finding, palette),
    lastWordsLines(finding, palette),
    clauseLines(finding, options, palette),
    expectationLines(finding, options, palette),
    [`  ${palette.strong(printable(options.replayCommand))}`],
  ];
  return joinSections(sections);
}

function headerLines(finding: Finding, glossary: Glossary, palette: Palette): readonly string[] {
  return wrap(headlineOf(finding, glossary), TERMINAL_COLUMNS - 2).map((line, index) =>
    index === 0 ? `${palette.bad('✗')} ${palette.strong(line)}` : `  ${palette.strong(line)}`,
  );
}

function placeLines(finding: Finding, palette: Palette): readonly string[] {
  return [
    ...labelled('system', [finding.system], palette),
    ...labelled('profile', [profileWords(finding)], palette),
    ...labelled('machine', machineLines(finding.scenario.config), palette),
    ...labelled('finding', [`${finding.id}, from seed ${finding.seed}`], palette),
    ...(finding.shortest === undefined ? [] : labelled('shortest', [finding.shortest], palette)),
  ];
}

/** Lines of the story next to each other: what was asked, and what was answered. */
interface Block {
  /** The operation, and the calls that a VMM made in reaction to it. */
  readonly asked: readonly string[];
  /** Whose calls they are, where both sides made others. */
  readonly calls: Tag;
  readonly answers: readonly AnswerLine[];
}

type Tag = '' | 'expected' | 'got';

/** One printed line of an answer: who answers, what was answered, what followed from it. */
interface AnswerLine {
  readonly tag: Tag;
  readonly outcome: string;
  readonly effects: string;
  /** One of several facts below each other. */
  readonly isFact?: true;
}

function storyLines(finding: Finding, palette: Palette): readonly string[] {
  const { parent, before, rows } = timelineOf(finding);
  const columns = storyColumns(rows, finding.scenario.config.mdev !== undefined);
  const windows = new Set(rows.flatMap((row) => row.windows));
  return [
    ...parent.map((words) => palette.quiet(`    start: ${words}`)),
    ...before.map(
      ({ path, expected, got }) => `  ${palette.bad('✗')} start: ${path}: expected ${expected}, got ${got}`,
    ),
    ...rows.flatMap((row) => [...rowLines(row, columns, palette), ...remarkLines(row, columns, palette)]),
    ...[...windows].map((window) => palette.quiet(`    ┊ ${window}: ${WINDOW_MEANINGS[window]}`)),
  ];
}

interface StoryColumns {
  readonly index: number;
  readonly asked: number;
  readonly tag: number;
  readonly outcome: number;
  readonly effects: number;
}

/** Widths that fit the terminal: what was asked takes what it needs up to a half, effects the rest. */
function storyColumns(rows: readonly TimelineRow[], hasMdevs: boolean): StoryColumns {
  const index = String(Math.max(0, rows.length - 1)).length;
  const blocks = rows.flatMap(blocksOf);
  const hasCalls = rows.some(({ got }) => got !== undefined && got.calls.length > 0);
  // Of mdevs there is more to be observed, and their operations are short.
  const most = hasMdevs ? { calls: 52, none: 42 } : { calls: 60, none: 56 };
  const asked = Math.min(hasCalls ? most.calls : most.none, widest(blocks.flatMap((block) => block.asked)));
  const lines = blocks.flatMap(({ answers }) => answers);
  const tag = widest(lines.map((line) => line.tag));
  const outcome = Math.min(24, widest(lines.map((line) => line.outcome)));
  const used = GUTTER_COLUMNS + index + 2 + asked + 2 + (tag === 0 ? 0 : tag + 2) + outcome + 2;
  return { index, asked, tag, outcome, effects: TERMINAL_COLUMNS - used };
}

/** Margin, mark, window line. */
const GUTTER_COLUMNS = 6;

function blocksOf({ differs, operation, expected, got }: TimelineRow): readonly Block[] {
  if (!differs) return [{ asked: [operation, ...indented(got?.calls)], calls: '', answers: answerLines('', got) }];
  const asked = [operation, ...indented(expected?.calls)];
  const others = got === undefined ? [] : callsBeside(got.calls, expected?.calls ?? []);
  const answers = [answerLines('expected', expected), answerLines('got', got)] as const;
  if (others.length === 0) return [{ asked, calls: '', answers: answers.flat() }];
  return [
    { asked, calls: 'expected', answers: answers[0] },
    { asked: indented(others), calls: 'got', answers: answers[1] },
  ];
}

function indented(calls: readonly string[] = []): readonly string[] {
  return calls.map((call) => `  ${call}`);
}

function answerLines(tag: Tag, answer: Answer | undefined): readonly AnswerLine[] {
  if (answer === undefined) return [{ tag, outcome: 'not asked', effects: '' }];
  const events = answer.events.map(({ words }) => words).join(', ');
  const others = [events, answer.guest.join('; '), answer.changes.join('; ')].filter((words) => words !== '');
  const [first = { effects: '' }, ...rest] = [
    ...others.map((effects) => ({ effects })),
    ...answer.parent.map((effects) => ({ effects, isFact: true as const })),
  ];
  return [
    { tag, outcome: answer.outcome, ...first },
    ...rest.map((line) => ({ tag: '' as const, outcome: '', ...line })),
  ];
}

function rowLines(row: TimelineRow, columns: StoryColumns, palette: Palette): readonly string[] {
  const operation = wrap(row.operation, columns.asked);
  return blocksOf(row).flatMap((block, place) => {
    const asked = block.asked.flatMap((text) => wrap(text, columns.asked));
    const answers = block.answers.flatMap((line) => brokenAnswerLine(line, columns));
    return Array.from({ length: Math.max(asked.length, answers.length) }, (_, line) => {
      const begins = place === 0 && line === 0;
      const mark = begins && isBroken(row) ? palette.bad('✗') : ' ';
      const { tag, outcome, effects } = answers[line] ?? NO_ANSWER_LINE;
      const paint = paintOf(answers.slice(0, line + 1).findLast((answer) => answer.tag !== '')?.tag, palette);
      const isCall = place > 0 || line >= operation.length;
      const text = left(asked[line] ?? '', columns.asked);
      return [
        `  ${mark} ${palette.quiet(row.windows.length === 0 ? ' ' : '┊')} `,
        palette.quiet(right(begins ? String(row.index) : '', columns.index)),
        `  ${isCall ? callPaint(block, palette)(text) : text}  `,
        columns.tag === 0 ? '' : `${palette.quiet(left(tag, columns.tag))}  `,
        `${paint(left(outcome, columns.outcome))}  ${paint(effects)}`,
      ].join('');
    });
  });
}

const NO_ANSWER_LINE: AnswerLine = { tag: '', outcome: '', effects: '' };

/** Calls are beside the story where both sides made the same. */
function callPaint({ calls }: Block, palette: Palette): (text: string) => string {
  return calls === '' ? palette.quiet : paintOf(calls, palette);
}

/** The colour of an answer runs on over the lines that belong to it. */
function paintOf(tag: Tag | undefined, palette: Palette): (text: string) => string {
  switch (tag) {
    case 'expected':
      return palette.good;
    case 'got':
      return palette.bad;
    case '':
    case undefined:
      return (text) => text;
  }
}

function brokenAnswerLine(answer: AnswerLine, columns: StoryColumns): readonly AnswerLine[] {
  const { tag, outcome, effects, isFact } = answer;
  const outcomes = wrap(outcome, columns.outcome);
  const lines = (isFact === true ? hanging : wrap)(effects, columns.effects);
  return Array.from({ length: Math.max(outcomes.length, lines.length) }, (_, line) => ({
    tag: line === 0 ? tag : ('' as const),
    outcome: outcomes[line] ?? '',
    effects: lines[line] ?? '',
  }));
}

function isBroken(row: TimelineRow): boolean {
  return row.differs || row.pointers.some(({ kind }) => kind === 'place');
}

/** What is said beneath a row: differences that its answers do not show, and violations that showed here. */
function remarkLines(row: TimelineRow, columns: StoryColumns, palette: Palette): readonly string[] {
  const states = untoldDivergences(row).map(differenceWords);
  const violations = row.pointers
    .filter(({ kind }) => kind === 'place')
    .map(({ violation }) => `${violation.invariant}: ${violationWords(violation)}`);
  const indent = GUTTER_COLUMNS + columns.index + 2;
  const gutter = `    ${palette.quiet(row.windows.length === 0 ? ' ' : '┊')}`;
  return [...states, ...violations].flatMap((words) =>
    wrap(words, TERMINAL_COLUMNS - indent).map((line) => `${gutter}${' '.repeat(indent - 5)}${palette.bad(line)}`),
  );
}

function lastWordsLines({ judgement }: Finding, palette: Palette): readonly string[] {
  const { lastWords } = judgement.subject;
  return lastWords === undefined ? [] : labelled('last words', [lastWords.trimEnd()], palette);
}

/** Clauses in full up to this number: of more only those that explain a violation. */
const CLAUSES_TOLD_MAX = 8;

/** Clauses that spoke where something went wrong, each once, with the operations at which they did. */
function clauseLines({ judgement, ...finding }: Finding, { clauses }: Glossary, palette: Palette): readonly string[] {
  const spoken = new Map<string, number[]>();
  for (const row of timelineOf({ judgement, ...finding }).rows) {
    if (!row.differs && row.pointers.length === 0) continue;
    for (const id of row.clauses) spoken.set(id, [...(spoken.get(id) ?? []), row.index]);
  }
  const explaining = new Set(judgement.violations.map(({ expectedBy }) => expectedBy));
  const told = [...spoken].filter(([id]) => spoken.size <= CLAUSES_TOLD_MAX || explaining.has(id));
  const others = [...spoken.keys()].filter((id) => !told.some(([other]) => other === id));
  const lines = told.flatMap(([id, indices]) => {
    const clause = clauses.find((candidate) => candidate.id === id);
    const words = clause === undefined ? [] : [`  ${clause.title}`, `  ${clause.source}`];
    return [`${id} at ${enumerated('operation', indices)}`, ...words];
  });
  const rest = others.length === 0 ? [] : [`${told.length === 0 ? '' : 'and '}${others.join(', ')}`];
  return labelled('clauses', [...lines, ...rest], palette);
}

function expectationLines(finding: Finding, glossary: Glossary, palette: Palette): readonly string[] {
  const words = finding.judgement.violations.flatMap(
    (violation) => expectationWords(finding, violation, glossary) ?? [],
  );
  return labelled('expected', [...new Set(words)], palette);
}
