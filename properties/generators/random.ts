import type { Random } from 'fast-check';

/** True in `percent` of 100 draws. 0 draws nothing. */
export function chance(random: Random, percent: number): boolean {
  return percent > 0 && random.nextInt(1, 100) <= percent;
}

/** One element of a list that is not empty, each as likely as the others. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.nextInt(0, list.length - 1)] as T;
}

/** Each key as often as its weight says, so that `pick` draws by weight: small whole numbers, 0 for never. */
export function tickets<K extends string>(weights: Readonly<Record<K, number>>): K[] {
  const drawn: K[] = [];
  for (const key in weights) for (let copy = weights[key]; copy > 0; copy--) drawn.push(key);
  return drawn;
}
