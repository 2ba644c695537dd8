import { z } from 'zod';
import { readAs } from './read-json.ts';

/** Two pieces of work against each other. */
export interface BenchRow {
  readonly what: string;
  readonly against: string;
  /** Of the first. */
  readonly operationsPerSecond: number;
  /** The time of the first, as a multiple of the time of the second. */
  readonly ratio: number;
}

const positive = z.number().positive();
const bench: z.ZodType<{ readonly rows: readonly BenchRow[] }> = z.object({
  schema: z.literal('vfio-irq/bench@1'),
  rows: z.array(z.object({ what: z.string(), against: z.string(), operationsPerSecond: positive, ratio: positive })),
});

/**
 * What `bench --json` wrote.
 * @throws SummaryError
 */
export function readBench(text: string, file: string): readonly BenchRow[] {
  return readAs(bench, text, file).rows;
}
