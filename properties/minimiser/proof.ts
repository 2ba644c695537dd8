import { printOperation, type Scenario } from '#vocabulary';
import type { Searched, Space } from './search.ts';
import type { Spent } from './trials.ts';

/** Whether there is nothing shorter, and where that was looked for. */
export interface Proof {
  /**
   * `proved`: every shorter sequence was tried. `merged`: all but those that begin with one that left model and system
   * looking as another did; where the system, or the promise that judges it, remembers more than is shown, one of them
   * may fail. `open`: the search did not come to an end.
   */
  readonly kind: 'proved' | 'merged' | 'open';
  /** The operations of which sequences were made, in the notation. */
  readonly alphabet: readonly string[];
  /** For people: what was proved in which scope, or how far the search came. */
  readonly words: string;
}

/** One search: where, and how far it came. */
export interface Scope {
  readonly space: Space;
  readonly searched: Searched;
  /** The machine, in words. */
  readonly where: string;
}

/** The machine of the scenario itself. */
export const HERE = 'on this machine';

/** Of a scenario that did not fail when it was tried again. */
export const NOT_AGAIN: Proof = { kind: 'open', alphabet: [], words: 'not proved: it did not fail again' };

/** Every shorter sequence was tried. */
export function isExact({ searched }: Scope, { operations }: Scenario): boolean {
  return searched.without >= operations.length - 1 && searched.unmerged >= operations.length - 1;
}

/** What some searches say together of the length of a scenario. */
export function proofOf(shortest: Scenario, scopes: readonly Scope[], spent: Spent): Proof {
  const length = shortest.operations.length;
  const complete = scopes.filter(({ searched }) => searched.without >= length - 1);
  const exact = complete.filter((scope) => isExact(scope, shortest));
  const proved = complete.some(({ where }) => where !== HERE) || exact.length === 0 ? complete : exact;
  const [first, ...others] = proved.map(({ space }) => space.alphabet.map(printOperation));
  if (first === undefined) return open(scopes[0], spent);
  // A larger machine has other last vectors: proved on both is what is in the alphabets of both.
  const alphabet = first.filter((letter) => others.every((other) => other.includes(letter)));
  const where = [...new Set(proved.map((scope) => scope.where))].join(' or ');
  const fewer = `no sequence of fewer operations out of this alphabet of ${alphabet.length} fails ${where}`;
  if (proved.every((scope) => isExact(scope, shortest))) return { kind: 'proved', alphabet, words: `proved: ${fewer}` };
  return { kind: 'merged', alphabet, words: `proved if nothing is remembered that is not shown: ${fewer}` };
}

function open(scope: Scope | undefined, { steps, runs }: Spent): Proof {
  const without = scope?.searched.without ?? -1;
  const alphabet = (scope?.space.alphabet ?? []).map(printOperation);
  const counted = without === 1 ? '1 operation' : `${without} operations`;
  const far =
    without < 1 ? '' : `no sequence of up to ${counted} out of this alphabet of ${alphabet.length} fails, and `;
  return {
    kind: 'open',
    alphabet,
    words: `not proved: ${far}the search ended after ${steps} operations in ${runs} runs`,
  };
}
