import { grouped, left, right, widest } from './layout.ts';

/** Events fired and lost while something was changed. */
export interface RateRow {
  readonly processors: number;
  readonly pattern: string;
  /** Undefined where the kernel cannot do it. */
  readonly counts: { readonly fired: number; readonly lost: number } | undefined;
}

/** One rate on a line; `patterns` are all there will be, so that the lines stand below each other. */
export function rateLine(
  system: string,
  { processors, pattern, counts }: RateRow,
  patterns: readonly string[],
): string {
  const where = `${left(system, 10)}  ${processors === 1 ? '1 processor ' : `${processors} processors`}`;
  const what = left(pattern, widest(patterns));
  if (counts === undefined) return `${where}  ${what}  this kernel cannot`;
  return `${where}  ${what}  ${right(grouped(counts.lost), 4)} of ${right(grouped(counts.fired), 9)} events lost`;
}
