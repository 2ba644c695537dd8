import type { BenchRow } from '../bench-json.ts';

/** A piece of work: it returns how many operations it did. */
export type Work = () => number | Promise<number>;

/** What is measured, its work, and the same of what it is measured against. */
export type BenchPair = readonly [what: string, work: Work, against: string, other: Work];

const TURNS = 7;
/** Turns that only warm up: an engine makes code fast that has been busy for some tenths of a second. */
const WARM_TURNS = 3;

/** Measures pairs of pieces of work, one after the other, over and over. */
export async function measureRows(section: string, pairs: readonly BenchPair[]): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [what, work, against, other] of pairs) {
    const measured = await takeTurns(
      () => secondsOf(work),
      () => secondsOf(other),
    );
    rows.push({ section, what, against, ...measured, unit: 'operations/s', of: 'time' });
  }
  return rows;
}

/**
 * Two sides in turn, over and over: how many units of work the first does in a second, and how many times the other's
 * time it takes, the medians of both.
 * @param one a turn of a side: the seconds of one unit of work
 */
export async function takeTurns(
  one: () => number | Promise<number>,
  other: () => number | Promise<number>,
): Promise<Pick<BenchRow, 'amount' | 'ratio'>> {
  const seconds: number[] = [];
  const ratios: number[] = [];
  for (let turn = -WARM_TURNS; turn < TURNS; turn += 1) {
    const pair = [await one(), await other()] as const;
    if (turn < 0) continue;
    seconds.push(pair[0]);
    ratios.push(pair[0] / pair[1]);
  }
  return { amount: 1 / median(seconds), ratio: median(ratios) };
}

/** Seconds that one operation took. */
async function secondsOf(work: Work): Promise<number> {
  const startedAt = performance.now();
  const operations = await work();
  return (performance.now() - startedAt) / 1000 / operations;
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
