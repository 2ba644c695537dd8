import type { GrowthCost } from '../properties/runner/verdict.ts';
import { GROWTH_WORDS, type GrowthRow, growthOrders, growthRows } from './growth.ts';
import { grouped, joinSections, left, right, TERMINAL_COLUMNS, widest, wrap } from './layout.ts';
import { type Palette, PLAIN } from './palette.ts';

/** What it costs to give a guest its vectors, for someone who chooses a VMM or a kernel. */
export function growthText(costs: readonly GrowthCost[], palette: Palette = PLAIN): string {
  const rows = growthRows(costs);
  const { title, story, tearDowns, calls, atWorst } = GROWTH_WORDS;
  const words = `${story} ${tearDowns} Calls are ${calls}; ${atWorst}.`;
  return joinSections([
    [palette.strong(title), ...wrap(words, TERMINAL_COLUMNS - 2).map((line) => `  ${palette.quiet(line)}`)],
    tableLines(rows, growthOrders(costs), palette),
    legendLines(rows, palette),
  ]);
}

const ORDER_HEADINGS = ['calls', 'tear-downs'];
const LAST_HEADINGS = ['eventfds', 'interrupts'];

function tableLines(
  rows: readonly GrowthRow[],
  orders: readonly GrowthCost['order'][],
  palette: Palette,
): readonly string[] {
  const headings = ['vectors', 'policy', ...orders.flatMap(() => ORDER_HEADINGS), ...LAST_HEADINGS];
  const cells = rows.map((row) => cellsOf(row, orders));
  const widths = headings.map((heading, column) => widest([heading, ...cells.map((cell) => cell[column] ?? '')]));
  const line = (cell: readonly string[]): string =>
    cell.map((text, column) => (column === 1 ? left : right)(text, widths[column] ?? 0)).join('  ');
  const span = (first: number, count: number): number =>
    widths.slice(first, first + count).reduce((sum, width) => sum + width, 2 * (count - 1));
  const above = [
    left('', span(0, 2)),
    ...orders.map((order, place) => right(order, span(2 + 2 * place, 2))),
    right('at worst', span(2 + 2 * orders.length, 2)),
  ];
  return [
    palette.quiet(`  ${above.join('  ')}`),
    palette.quiet(`  ${line(headings)}`),
    ...cells.map((cell, place) => {
      const isFirst = rows[place - 1]?.vectors !== rows[place]?.vectors;
      return `  ${line(isFirst ? cell : ['', ...cell.slice(1)])}`;
    }),
  ];
}

function cellsOf(row: GrowthRow, orders: readonly GrowthCost['order'][]): readonly string[] {
  const counts = orders.flatMap((order) => {
    const cost = row.orders.find((candidate) => candidate.order === order);
    return cost === undefined ? ['–', '–'] : [grouped(cost.calls), grouped(cost.tearDowns)];
  });
  return [grouped(row.vectors), row.policy, ...counts, grouped(row.eventfds), grouped(row.allocated)];
}

/** Which profile stands for a policy. */
function legendLines(rows: readonly GrowthRow[], palette: Palette): readonly string[] {
  const profiles = new Map(rows.map(({ policy, profile }) => [policy, profile]));
  const width = widest([...profiles.keys()]);
  return [...profiles].map(([policy, profile]) => `  ${left(policy, width)}  ${palette.quiet(profile)}`);
}
