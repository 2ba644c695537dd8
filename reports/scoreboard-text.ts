import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { headlineOf } from './headline.ts';
import { counted, grouped, joinSections, left, right, TERMINAL_COLUMNS, widest, wrap } from './layout.ts';
import { hostWords } from './machine.ts';
import { type Palette, PLAIN } from './palette.ts';
import { ALONE, type Counted, type PlaceTold, placesNotFound, placesTold, profileParts } from './places.ts';
import { printable } from './printable.ts';
import { type ScoreRow, scoreRows } from './score-rows.ts';
import {
  clauseReaches,
  type ExpectedGroup,
  expectedGroups,
  findingsOf,
  type Tally,
  unexpectedTallies,
  unreachedClauses,
  verdictWords,
  worstVerdict,
} from './scoreboard.ts';

export interface ScoreboardTextOptions extends Glossary {
  /** Where a finding was written. */
  readonly findingFile: (finding: Finding) => string;
  readonly replayCommand: (finding: Finding) => string;
  /** What lists the clauses of this run. */
  readonly clausesCommand: string;
  /** Where the page was written; undefined when there is none. */
  readonly page?: string;
  /** No colour when left out. */
  readonly palette?: Palette;
}

/** What stands at the end of a run: systems, what was expected and what was not, what is missing, and a last line. */
export function scoreboardText(run: RunResult, options: ScoreboardTextOptions): string {
  const palette = options.palette ?? PLAIN;
  return joinSections([
    systemLines(run, options, palette),
    profileLines(run, palette),
    expectedLines(run, options, palette),
    goneLines(run, options, palette),
    unexpectedLines(run, options, palette),
    clauseLines(run, options, palette),
    reasonLines(run, ['skipped'], 'Not tested', palette),
    reasonLines(run, ['errored'], 'The harness failed, so nothing is known', palette),
    reasonLines(run, ['pass', 'fail'], 'Not all of it was asked', palette),
    findingLines(run, options, palette),
    options.page === undefined ? [] : [`${palette.strong('Page')}  ${printable(options.page)}`],
    verdictLines(run, palette),
  ]);
}

/** How many unreached clauses are few enough to be listed. */
const UNREACHED_LISTED_MAX = 12;

const NOT_KNOWN = '–';

function symbolOf(verdict: CampaignResult['verdict'], palette: Palette): string {
  switch (verdict) {
    case 'pass':
      return palette.good('✓');
    case 'fail':
    case 'errored':
      return palette.bad('✗');
    case 'skipped':
      return palette.quiet('–');
  }
}

function systemLines(run: RunResult, { page }: ScoreboardTextOptions, palette: Palette): readonly string[] {
  const headings = [...placeHeadings(run), 'verdict', 'scenarios', 'operations', 'per second', 'divergences'];
  const places = headings.length - FIGURES;
  const rows = scoreRows(run.results);
  const cells = rows.map((row) => [...placeCells(row, places), row.result.verdict, ...figures(row.result)]);
  const widths = headings.map((heading, column) => widest([heading, ...cells.map((row) => row[column] ?? '')]));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column <= places ? left : right)(cell, widths[column] ?? 0)).join('  ');
  return [
    `${palette.strong('Systems')}  ${palette.quiet(`seed ${run.seed}, ${run.seconds.toFixed(1)} s`)}`,
    palette.quiet(`    ${line(headings)}`),
    ...cells.map((row, index) => {
      const verdict = rows[index]?.result.verdict ?? 'skipped';
      const shown = line(withoutRepeats(row, cells[index - 1], places));
      return `  ${symbolOf(verdict, palette)} ${verdict === 'skipped' ? palette.quiet(shown) : shown}`;
    }),
    ...sumLines(rows, page, palette),
  ];
}

/** Which VMMs have no row of their own. */
function sumLines(rows: readonly ScoreRow[], page: string | undefined, palette: Palette): readonly string[] {
  const summed = rows.flatMap(({ sumOf }) => sumOf.map(({ profile }) => profileParts(profile).vmm ?? ALONE));
  if (summed.length === 0) return [];
  const where = page === undefined ? '' : '; each by itself is on the page';
  const words = `VMMs that held and are told together: ${[...new Set(summed)].join(', ')}${where}`;
  return wrap(words, TERMINAL_COLUMNS - 4).map((part) => palette.quiet(`    ${part}`));
}

/** Columns behind those that say where: the verdict and what was counted. */
const FIGURES = 5;

/** A profile with a VMM takes two columns; where there is none in the run, one is enough. */
function placeHeadings({ results }: RunResult): readonly string[] {
  return results.some(({ profile }) => profileParts(profile).vmm !== undefined)
    ? ['system', 'host', 'VMM']
    : ['system', 'profile'];
}

function placeCells({ result, host, vmm = ALONE }: ScoreRow, places: number): readonly string[] {
  return (places === 2 ? [result.system, result.profile] : [result.system, host, vmm]).map(printable);
}

/** A system and a host stand once, in the first of their lines. */
function withoutRepeats(
  row: readonly string[],
  before: readonly string[] | undefined,
  places: number,
): readonly string[] {
  const differing = row.findIndex((cell, column) => cell !== before?.[column]);
  return row.map((cell, column) => (column < Math.min(differing, places - 1) ? '' : cell));
}

function figures({ verdict, scenarios, operations, seconds, divergences }: CampaignResult): readonly string[] {
  if (verdict === 'skipped') return [NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN];
  const speed = seconds > 0 ? grouped(operations / seconds) : NOT_KNOWN;
  return [grouped(scenarios), grouped(operations), speed, grouped(divergences)];
}

/** Why a system that has a host of its own was judged by its profile. */
function profileLines(run: RunResult, palette: Palette): readonly string[] {
  const asked = run.results.flatMap(({ system, profile, probed }) =>
    probed === undefined ? [] : [{ system, words: profileReason(profile, probed) }],
  );
  if (asked.length === 0) return [];
  return [
    `${palette.strong('Profiles')}  ${palette.quiet('how each system behaved when it was asked')}`,
    ...asked.flatMap(({ system, words }) => [
      `    ${printable(system)}`,
      ...wrap(words, TERMINAL_COLUMNS - 6).map((line) => `      ${palette.quiet(line)}`),
    ]),
  ];
}

function profileReason(profile: string, probed: NonNullable<CampaignResult['probed']>): string {
  const own = probed.profile === null ? 'as no profile does' : `as ${probed.profile}`;
  const named = probed.profile === profile ? '' : `; held against ${profile}, which was named`;
  return `behaves ${own}: ${hostWords(probed.host)}${named}`;
}

function expectedLines(run: RunResult, options: ScoreboardTextOptions, palette: Palette): readonly string[] {
  const groups = expectedGroups(run, options).filter(({ found }) => found.length > 0);
  if (groups.length === 0) return [];
  return [
    `${palette.strong('Expected violations found')}  ${palette.quiet('known history, not a failure')}`,
    ...groups.flatMap((group) => [
      ...groupLines(palette.good('✓'), group, palette),
      ...tallyLines(group.found, palette, placesTold),
      ...exampleLines(run, group.found, options, palette),
    ]),
  ];
}

function goneLines(run: RunResult, options: ScoreboardTextOptions, palette: Palette): readonly string[] {
  const groups = expectedGroups(run, options).filter(({ gone }) => gone.length > 0);
  if (groups.length === 0) return [];
  return [
    `${palette.strong('Expected violations that no longer occur')}  ${palette.quiet('this fails the run')}`,
    ...groups.flatMap((group) => [
      ...groupLines(palette.bad('✗'), group, palette),
      ...tallyLines(group.gone, palette, placesNotFound),
    ]),
  ];
}

function groupLines(symbol: string, { invariant, clause, source }: ExpectedGroup, palette: Palette): readonly string[] {
  return [
    `  ${symbol} ${invariant}  ${palette.quiet('by')} ${clause}`,
    ...wrap(source, TERMINAL_COLUMNS - 4).map((line) => `    ${palette.quiet(line)}`),
  ];
}

/** A line for each system and host, or where there are many hosts for each system. */
function tallyLines(
  tallies: readonly Tally[],
  palette: Palette,
  told: (places: readonly Counted[]) => readonly PlaceTold[],
): readonly string[] {
  const systems = [...new Set(tallies.map(({ system }) => system))];
  const lines = systems.flatMap((system) =>
    told(tallies.filter((tally) => tally.system === system)).map(({ host, words }, index) => ({
      ...{ system: index === 0 ? printable(system) : '', host: printable(host), words },
    })),
  );
  const widths = [widest(lines.map(({ system }) => system)), widest(lines.map(({ host }) => host))] as const;
  const indent = 6 + widths[0] + 2 + widths[1] + 2;
  return lines.flatMap((line) =>
    wrap(line.words, Math.max(20, TERMINAL_COLUMNS - indent)).map((part, index) => {
      const [system, host] = index === 0 ? [line.system, line.host] : ['', ''];
      return `      ${left(system, widths[0])}  ${left(host, widths[1])}  ${palette.quiet(part)}`;
    }),
  );
}

/** One finding of the group is enough to see what is meant; the others are on the page. */
function exampleLines(
  run: RunResult,
  tallies: readonly Tally[],
  options: ScoreboardTextOptions,
  palette: Palette,
): readonly string[] {
  const ids = new Set(tallies.flatMap(({ findings }) => findings));
  const example = findingsOf(run).find(({ id }) => ids.has(id));
  return example === undefined
    ? []
    : [`      ${palette.quiet('see it:')} ${printable(options.replayCommand(example))}`];
}

function unexpectedLines(run: RunResult, { invariants }: Glossary, palette: Palette): readonly string[] {
  const tallies = unexpectedTallies(run);
  if (tallies.length === 0) return [];
  const broken = [...new Set(tallies.map(({ invariant }) => invariant))];
  return [
    palette.strong('Violations that nobody expects'),
    ...broken.flatMap((invariant) => {
      const promise = invariants.find(({ id }) => id === invariant)?.promise ?? '';
      return [
        `  ${palette.bad('✗')} ${invariant}`,
        ...wrap(promise, TERMINAL_COLUMNS - 4).map((line) => `    ${palette.quiet(line)}`),
        ...tallyLines(
          tallies.filter((tally) => tally.invariant === invariant),
          palette,
          placesTold,
        ),
      ];
    }),
  ];
}

function clauseLines(
  run: RunResult,
  { clauses, clausesCommand }: ScoreboardTextOptions,
  palette: Palette,
): readonly string[] {
  const unreached = unreachedClauses(run, clauses);
  const reached = clauseReaches(run, clauses).filter(({ total }) => total > 0).length;
  const undrawn = clauses.length - reached - unreached.length;
  const rest = undrawn === 0 ? '' : `  ${palette.quiet(`${undrawn} are never drawn: ${clausesCommand} says why`)}`;
  const total = `${palette.strong('Clauses reached')}  ${grouped(reached)} of ${grouped(clauses.length)}${rest}`;
  if (unreached.length > UNREACHED_LISTED_MAX) {
    return [total, `    ${palette.quiet(`${counted(unreached.length, 'clause')} not reached: see the page`)}`];
  }
  const ids = widest(unreached.map(({ id }) => id));
  return [
    total,
    ...unreached.flatMap(({ id, title }) =>
      wrap(title, TERMINAL_COLUMNS - 6 - ids).map(
        (line, index) => `    ${left(index === 0 ? id : '', ids)}  ${palette.quiet(line)}`,
      ),
    ),
  ];
}

/** Systems not judged, or not in all, with the reason. That ends in a command to copy, so it is never broken. */
function reasonLines(
  run: RunResult,
  verdicts: readonly CampaignResult['verdict'][],
  heading: string,
  palette: Palette,
): readonly string[] {
  const judged = verdicts.includes('pass');
  const results = run.results.filter(
    ({ verdict, reason }) => verdicts.includes(verdict) && (!judged || reason !== undefined),
  );
  if (results.length === 0) return [];
  const names = results.map(({ system, profile }) =>
    printable(system === profile ? system : `${system} on ${profile}`),
  );
  const width = widest(names);
  return [
    judged ? palette.strong(heading) : palette.bad(palette.strong(heading)),
    ...results.map((result, index) => {
      const reason = printable(result.reason ?? 'no reason was given').replaceAll('\n', ' ');
      return `  ${symbolOf(result.verdict, palette)} ${left(names[index] ?? '', width)}  ${reason}`;
    }),
  ];
}

function findingLines(run: RunResult, options: ScoreboardTextOptions, palette: Palette): readonly string[] {
  const findings = findingsOf(run).filter(({ verdict }) => verdict !== 'expected');
  if (findings.length === 0) return [];
  return [
    palette.strong('Findings'),
    ...findings.flatMap((finding) => {
      const length = counted(finding.scenario.operations.length, 'operation');
      const place = printable(`${finding.system} on ${finding.profile}, ${length}`);
      return [
        `  ${palette.bad('✗')} ${finding.id}  ${palette.quiet(place)}`,
        ...wrap(headlineOf(finding, options), TERMINAL_COLUMNS - 4).map((line) => `    ${line}`),
        `    ${palette.quiet(printable(options.findingFile(finding)))}`,
        `    ${printable(options.replayCommand(finding))}`,
      ];
    }),
  ];
}

function verdictLines(run: RunResult, palette: Palette): readonly string[] {
  const paint = worstVerdict(run.results) === 'pass' ? palette.good : palette.bad;
  const symbol = symbolOf(worstVerdict(run.results), palette);
  return [`${symbol} ${paint(printable(verdictWords(run)))}`];
}
