import type { BenchRow } from '../bench-json.ts';

/** A piece of work: it returns how many operations it did. */
export type Work = () => number | Promise<number>;

/** What is measured, its work, and the same of what it is measured against. */
export type BenchPair = readonly [what: string, work: Work, against: string, other: Work];

const TURNS = 20;
/** Turns that only warm up: an engine makes code fast that has been busy for some tenths of a second. */
const WARM_TURNS = 4;

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
 * time it takes, by the least that each has taken: the work is the same in all turns, and whatever else a machine does
 * only adds to it.
 * @param one a turn of a side: the seconds of one unit of work
 */
export async function takeTurns(
  one: () => number | Promise<number>,
  other: () => number | Promise<number>,
): Promise<Pick<BenchRow, 'amount' | 'ratio'>> {
  let [least, leastOfOther] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let turn = -WARM_TURNS; turn < TURNS; turn += 1) {
    const [seconds, secondsOfOther] = [await one(), await other()];
    if (turn < 0) continue;
    least = Math.min(least, seconds);
    leastOfOther = Math.min(leastOfOther, secondsOfOther);
  }
  return { amount: 1 / least, ratio: least / leastOfOther };
}

/** Seconds that one operation took. */
async function secondsOf(work: Work): Promise<number> {
  const startedAt = performance.now();
  const operations = await work();
  return (performance.now() - startedAt) / 1000 / operations;
}
