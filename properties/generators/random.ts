import type { Random } from 'fast-check';

/** True in `percent` of 100 draws. 0 draws nothing. */
export function chance(random: Random, percent: number): boolean {
  return percent > 0 && random.nextInt(1, 100) <= percent;
}

/** One element of a list that is not empty, each as likely as the others. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.nextInt(0, list.length - 1)] as T;
}

/** How many elements of a list are not `one`. */
export function countOthers<T>(list: readonly T[], one: T | undefined): number {
  let others = 0;
  for (const element of list) if (element !== one) others++;
  return others;
}

/** One element of a list that is not `one`, of which there are some: each place as likely as the others. */
export function pickOther<T>(random: Random, list: readonly T[], one: T | undefined): T {
  let left = random.nextInt(0, countOthers(list, one) - 1);
  return list.find((element) => element !== one && left-- === 0) as T;
}

/** One key, as often as its weight says: small whole numbers, not all 0. The numbers drawn are those of `tickets`. */
export function pickWeighted<K extends string>(random: Random, weights: Readonly<Record<K, number>>): K {
  let left = random.nextInt(0, sumOf(weights) - 1);
  for (const key in weights) {
    left -= weights[key];
    if (left < 0) return key;
  }
  throw new Error('no key has a weight');
}

/** Each key as often as its weight says, so that `pick` draws by weight: small whole numbers, 0 for never. */
export function tickets<K extends string>(weights: Readonly<Record<K, number>>): K[] {
  const drawn: K[] = [];
  for (const key in weights) for (let copy = weights[key]; copy > 0; copy--) drawn.push(key);
  return drawn;
}

function sumOf<K extends string>(weights: Readonly<Record<K, number>>): number {
  let sum = 0;
  for (const key in weights) sum += weights[key];
  return sum;
}
