/** Two things against each other, measured in one run. */
export interface BenchRow {
  /** The part of the table it belongs to. */
  readonly section: string;
  readonly what: string;
  readonly against: string;
  /** What was measured of `what`, in its unit: the best of the turns. */
  readonly amount: number;
  readonly unit: string;
  /** So many times what `against` needs of it, `what` needs. Below 1, `what` is the better one. */
  readonly ratio: number;
  readonly of: 'time' | 'operations' | 'live heap';
}

/** The table for a script, and for the page. */
export function benchJson(rows: readonly BenchRow[]): string {
  return `${JSON.stringify({ schema: 'vfio-irq/bench@1', rows }, null, 2)}\n`;
}
