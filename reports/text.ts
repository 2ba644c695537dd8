import type { Finding } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { expectationWords, headlineOf, profileWords, violationWords, WINDOW_MEANINGS } from './headline.ts';
import { enumerated, joinSections, labelled, left, right, TERMINAL_COLUMNS, widest, wrap } from './layout.ts';
import { machineLines } from './machine.ts';
import { type Palette, PLAIN } from './palette.ts';
import { printable } from './printable.ts';
import { type Answer, type TimelineRow, timelineOf } from './timeline.ts';

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
  ];
}

/** One printed line of the story: who answers, what was answered, what followed from it. */
interface AnswerLine {
  readonly tag: '' | 'expected' | 'got';
  readonly outcome: string;
  readonly effects: string;
}

function storyLines(finding: Finding, palette: Palette): readonly string[] {
  const { before, rows } = timelineOf(finding);
  const columns = storyColumns(rows);
  const windows = new Set(rows.flatMap(({ window }) => (window === undefined ? [] : [window])));
  return [
    ...before.map(
      ({ path, expected, got }) => `  ${palette.bad('✗')} start: ${path}: expected ${expected}, got ${got}`,
    ),
    ...rows.flatMap((row) => [...rowLines(row, columns, palette), ...remarkLines(row, columns, palette)]),
    ...[...windows].map((window) => palette.quiet(`    ┊ ${window}: ${WINDOW_MEANINGS[window]}`)),
  ];
}

interface StoryColumns {
  readonly index: number;
  readonly operation: number;
  readonly tag: number;
  readonly outcome: number;
  readonly effects: number;
}

/** Widths that fit the terminal: the operation takes what it needs up to a half, effects the rest. */
function storyColumns(rows: readonly TimelineRow[]): StoryColumns {
  const index = String(Math.max(0, rows.length - 1)).length;
  const operation = Math.min(56, widest(rows.map((row) => row.operation)));
  const lines = rows.flatMap(answerLines);
  const tag = widest(lines.map((line) => line.tag));
  const outcome = Math.min(24, widest(lines.map((line) => line.outcome)));
  const used = GUTTER_COLUMNS + index + 2 + operation + 2 + (tag === 0 ? 0 : tag + 2) + outcome + 2;
  return { index, operation, tag, outcome, effects: TERMINAL_COLUMNS - used };
}

/** Margin, mark, window line. */
const GUTTER_COLUMNS = 6;

function answerLines(row: TimelineRow): readonly AnswerLine[] {
  if (!row.differs) return answerLine('', row.got);
  return [...answerLine('expected', row.expected), ...answerLine('got', row.got)];
}

function answerLine(tag: AnswerLine['tag'], answer: Answer | undefined): readonly AnswerLine[] {
  if (answer === undefined) return [{ tag, outcome: 'not asked', effects: '' }];
  const events = answer.events.map(({ words }) => words).join(', ');
  const changes = answer.changes.join('; ');
  const effects = [events, changes].filter((words) => words !== '');
  return [
    { tag, outcome: answer.outcome, effects: effects[0] ?? '' },
    ...effects.slice(1).map((words) => ({ tag: '' as const, outcome: '', effects: words })),
  ];
}

function rowLines(row: TimelineRow, columns: StoryColumns, palette: Palette): readonly string[] {
  const operation = wrap(row.operation, columns.operation);
  const answers = answerLines(row).flatMap((line) => brokenAnswerLine(line, columns));
  const mark = isBroken(row) ? palette.bad('✗') : ' ';
  const lines: string[] = [];
  for (let line = 0; line < Math.max(operation.length, answers.length); line += 1) {
    const { tag, outcome, effects } = answers[line] ?? NO_ANSWER_LINE;
    const paint = answerPaint(answers, line, palette);
    lines.push(
      [
        `  ${line === 0 ? mark : ' '} ${palette.quiet(row.window === undefined ? ' ' : '┊')} `,
        palette.quiet(right(line === 0 ? String(row.index) : '', columns.index)),
        `  ${left(operation[line] ?? '', columns.operation)}  `,
        columns.tag === 0 ? '' : `${palette.quiet(left(tag, columns.tag))}  `,
        `${paint(left(outcome, columns.outcome))}  ${paint(effects)}`,
      ].join(''),
    );
  }
  return lines;
}

const NO_ANSWER_LINE: AnswerLine = { tag: '', outcome: '', effects: '' };

/** The colour of an answer runs on over the lines that belong to it. */
function answerPaint(answers: readonly AnswerLine[], line: number, palette: Palette): (text: string) => string {
  const tag = answers.slice(0, line + 1).findLast((answer) => answer.tag !== '')?.tag;
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

function brokenAnswerLine({ tag, outcome, effects }: AnswerLine, columns: StoryColumns): readonly AnswerLine[] {
  const outcomes = wrap(outcome, columns.outcome);
  const lines = wrap(effects, columns.effects);
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
  const states = row.divergences
    .filter(({ path }) => path !== 'outcome' && path !== 'events')
    .map(({ path, expected, got }) => `${path}: expected ${expected}, got ${got}`);
  const violations = row.pointers
    .filter(({ kind }) => kind === 'place')
    .map(({ violation }) => `${violation.invariant}: ${violationWords(violation)}`);
  const indent = GUTTER_COLUMNS + columns.index + 2;
  const gutter = `    ${palette.quiet(row.window === undefined ? ' ' : '┊')}`;
  return [...states, ...violations].flatMap((words) =>
    wrap(words, TERMINAL_COLUMNS - indent).map((line) => `${gutter}${' '.repeat(indent - 5)}${palette.bad(line)}`),
  );
}

function lastWordsLines({ judgement }: Finding, palette: Palette): readonly string[] {
  const { lastWords } = judgement.subject;
  return lastWords === undefined ? [] : labelled('last words', [lastWords.trimEnd()], palette);
}

/** Clauses that spoke where something went wrong, each once, with the operations at which they did. */
function clauseLines(finding: Finding, { clauses }: Glossary, palette: Palette): readonly string[] {
  const spoken = new Map<string, number[]>();
  for (const row of timelineOf(finding).rows) {
    if (!row.differs && row.pointers.length === 0) continue;
    for (const id of row.clauses) spoken.set(id, [...(spoken.get(id) ?? []), row.index]);
  }
  const lines = [...spoken].flatMap(([id, indices]) => {
    const clause = clauses.find((candidate) => candidate.id === id);
    const words = clause === undefined ? [] : [`  ${clause.title}`, `  ${clause.source}`];
    return [`${id} at ${enumerated('operation', indices)}`, ...words];
  });
  return labelled('clauses', lines, palette);
}

function expectationLines(finding: Finding, glossary: Glossary, palette: Palette): readonly string[] {
  const words = finding.judgement.violations.flatMap(
    (violation) => expectationWords(finding, violation, glossary) ?? [],
  );
  return labelled('expected', [...new Set(words)], palette);
}
