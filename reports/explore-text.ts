import { counted, hanging, TERMINAL_COLUMNS, wrap } from './layout.ts';
import { OWN_COMMAND } from './own-command.ts';
import type { Palette } from './palette.ts';

/** What was found of one configuration, in the words of a report. */
export interface ExploredRow {
  readonly profile: string;
  /** Its devices in a few words. */
  readonly machine: string;
  readonly operations: number;
  /** Whether events were tried in windows. */
  readonly windows: boolean;
  readonly states: number;
  readonly statesCovered: number;
  readonly transitions: number;
  readonly depth: number;
  readonly closed: boolean;
  /** Whether it ended because there was no room for more states. */
  readonly full: boolean;
  readonly seconds: number;
  readonly holds: readonly string[];
  readonly broken: readonly ExploredBreach[];
}

/** A shortest sequence that breaks a promise, told. */
export interface ExploredBreach {
  readonly invariant: string;
  readonly message: string;
  /** The clause that explains it, or null. */
  readonly expectedBy: string | null;
  readonly operations: number;
  readonly story: string;
  /** The file that repeats it. */
  readonly file: string;
}

/** All configurations that were explored, and what came of it. */
export function exploreText(rows: readonly ExploredRow[], palette: Palette): string {
  const unexpected = rows.flatMap(({ broken }) => broken).filter(({ expectedBy }) => expectedBy === null);
  const open = rows.filter(({ closed }) => !closed).length;
  const scope =
    open === 0
      ? 'in any state that the operations reach'
      : `as far as was gone: ${open} of ${rows.length} did not close`;
  const end =
    unexpected.length === 0
      ? palette.good(`✓ Nothing unexpected ${scope}.`)
      : palette.bad(`✗ ${unexpected.length} ${unexpected.length === 1 ? 'promise is' : 'promises are'} broken.`);
  return [...rows.map((row) => rowText(row, palette)), end].join('\n\n');
}

function rowText(row: ExploredRow, palette: Palette): string {
  const perSecond = Math.round(row.transitions / row.seconds);
  const covered =
    row.statesCovered === row.states ? '' : ` (${count(row.statesCovered)} with the vectors' names exchanged)`;
  const tried = `${counted(row.operations, 'operation')}${row.windows ? ', and an event in each window' : ''}`;
  const lines = [
    palette.strong(row.profile),
    ...below(`${row.machine}; ${tried}`, palette.quiet),
    ...below(
      `${count(row.states)} states${covered}, ${count(row.transitions)} transitions, ${endWords(row)}; ` +
        `${row.seconds.toFixed(1)} s, ${count(perSecond)} transitions per second`,
    ),
  ];
  const scope = row.closed
    ? 'in every state that these operations reach'
    : `for every sequence of up to ${counted(row.depth, 'operation')}`;
  if (row.holds.length > 0) {
    const [first = '', ...others] = hanging(`holds ${scope}: ${row.holds.join(', ')}`, TERMINAL_COLUMNS - 4);
    lines.push(`  ${palette.good('✓')} ${first}`, ...others.map((line) => `    ${line}`));
  }
  return [...lines, ...row.broken.flatMap((breach) => breachLines(breach, palette))].join('\n');
}

/** Text that is indented below a heading, broken where a terminal ends. */
function below(text: string, colour: (line: string) => string = (line) => line): readonly string[] {
  return wrap(text, TERMINAL_COLUMNS - 2).map((line) => `  ${colour(line)}`);
}

function endWords({ closed, full, depth }: ExploredRow): string {
  if (closed) return `closed at depth ${depth}`;
  return full ? `no room for more states beyond depth ${depth}` : `not closed at depth ${depth}`;
}

function breachLines(breach: ExploredBreach, palette: Palette): readonly string[] {
  const { invariant, message, expectedBy, operations, story, file } = breach;
  const known = expectedBy === null ? palette.bad('✗ broken') : palette.strong('! broken as known');
  const why = expectedBy === null ? '' : `, by ${expectedBy}`;
  const [told = '', ...more] = hanging(`${invariant}${why}: ${message}`, TERMINAL_COLUMNS - 22);
  return [
    `  ${known}: ${told}`,
    ...more.map((line) => `    ${line}`),
    `    no sequence of fewer than ${operations} operations does; this one does:`,
    ...story.split('\n').map((line) => (line === '' ? '' : `    ${line}`)),
    `    ${OWN_COMMAND} replay ${file} --system reference`,
  ];
}

function count(value: number): string {
  return value.toLocaleString('en');
}
