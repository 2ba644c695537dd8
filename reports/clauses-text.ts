import type { Clause } from '#vocabulary';
import { grouped, joinSections, left, TERMINAL_COLUMNS, widest, wrap } from './layout.ts';
import { OWN_COMMAND } from './own-command.ts';
import { type Palette, PLAIN } from './palette.ts';
import { placesTold } from './places.ts';
import { printable } from './printable.ts';
import type { Reached } from './read-summary.ts';
import type { Summary } from './summary.ts';

/** Every rule of the model with its source and who reached it; without a run just the rules. */
export function clausesText(clauses: readonly Clause[], last: Reached | null, palette: Palette = PLAIN): string {
  const reaches = new Map(last?.clauses.list.map(({ id, reachedBy }) => [id, reachedBy]));
  const files = [...new Set(clauses.map(fileOf))];
  return joinSections([
    ...files.map((file) => [
      palette.strong(file),
      ...clauses
        .filter((clause) => fileOf(clause) === file)
        .flatMap((clause) => clauseLines(clause, last === null ? null : (reaches.get(clause.id) ?? []), palette)),
    ]),
    totalLines(clauses, last, palette),
  ]);
}

/** `vfio.set-irqs` of `vfio.set-irqs.no-handler`: the rule file. */
function fileOf({ id }: Clause): string {
  return id.split('.').slice(0, 2).join('.');
}

type ReachedBy = Summary['clauses']['list'][number]['reachedBy'];

function clauseLines(clause: Clause, reachedBy: ReachedBy | null, palette: Palette): readonly string[] {
  const { id, title, source, undrawn } = clause;
  const symbol =
    reachedBy === null || undrawn !== undefined ? ' ' : reachedBy.length === 0 ? palette.bad('✗') : palette.good('✓');
  return [
    `  ${symbol} ${id}`,
    ...wrap(title, TERMINAL_COLUMNS - 6).map((line) => `      ${line}`),
    ...wrap(source, TERMINAL_COLUMNS - 6).map((line) => `      ${palette.quiet(line)}`),
    ...(undrawn === undefined ? [] : [`      ${palette.quiet(`never drawn: ${undrawn}`)}`]),
    ...(reachedBy === null || undrawn !== undefined ? [] : reachLines(reachedBy, palette)),
  ];
}

/** A line for each system and host. */
function reachLines(reachedBy: ReachedBy, palette: Palette): readonly string[] {
  if (reachedBy.length === 0) return [`      ${palette.bad('no scenario reached it')}`];
  const systems = [...new Set(reachedBy.map(({ system }) => system))];
  const lines = systems.flatMap((system) => {
    const reaches = reachedBy.filter((reach) => reach.system === system);
    return placesTold(reaches.map(({ profile, scenarios }) => ({ profile, count: scenarios }))).map(
      ({ host, words }) => ({ place: printable(system === host ? system : `${system} on ${host}`), words }),
    );
  });
  const width = widest(lines.map(({ place }) => place));
  return lines.flatMap(({ place, words }) =>
    wrap(words, Math.max(20, TERMINAL_COLUMNS - 8 - width)).map(
      (line, index) => `      ${left(index === 0 ? place : '', width)}  ${palette.quiet(line)}`,
    ),
  );
}

function totalLines(clauses: readonly Clause[], last: Reached | null, palette: Palette): readonly string[] {
  if (last === null)
    return [`${grouped(clauses.length)} clauses. No run has left a summary here: ${OWN_COMMAND} run makes one.`];
  const ids = new Set(last.clauses.list.filter(({ reachedBy }) => reachedBy.length > 0).map(({ id }) => id));
  const drawn = clauses.filter(({ undrawn }) => undrawn === undefined);
  const total = drawn.filter(({ id }) => ids.has(id)).length;
  const undrawn = clauses.length - drawn.length;
  const rest = undrawn === 0 ? '' : `, ${undrawn} are never drawn`;
  const counts = `${grouped(total)} of ${grouped(clauses.length)} clauses`;
  const words = `${counts} reached by the last run (seed ${last.seed})${rest}`;
  return [total === drawn.length ? palette.good(words) : palette.bad(words)];
}
