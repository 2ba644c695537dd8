/** Two pieces of work against each other, measured in one run. */
export interface BenchRow {
  /** The part of the table it belongs to. */
  readonly section: string;
  readonly what: string;
  readonly against: string;
  /** Operations per second of `what`: the median of the turns. */
  readonly operationsPerSecond: number;
  /** Time of an operation of `what` divided by that of one of `against`: the median of the turns. */
  readonly ratio: number;
}

/** The table for a script, and for the page. */
export function benchJson(rows: readonly BenchRow[]): string {
  return `${JSON.stringify({ schema: 'vfio-irq/bench@1', rows }, null, 2)}\n`;
}
