/** Who is told a state, number by number. */
export interface Words {
  /** Takes the lowest 32 bits of a whole number. */
  put(word: number): void;
}

const WORD = 2 ** 32;
/** Said before a number that is no word by itself. */
const LONG = -0x80000000;
const INFINITE = LONG + 1;

/** A whole number of any size, or Infinity. */
export function putNumber(number: number, words: Words): void {
  if (number > INFINITE && number < -LONG) {
    words.put(number);
    return;
  }
  if (number === Number.POSITIVE_INFINITY) {
    words.put(INFINITE);
    return;
  }
  words.put(LONG);
  words.put(number % WORD);
  words.put(Math.floor(number / WORD));
}

/** Four flags as bits of a word, the first worth `worth`. */
export function bits(worth: number, first: boolean, second: boolean, third: boolean, fourth: boolean): number {
  return ((first ? 1 : 0) + (second ? 2 : 0) + (third ? 4 : 0) + (fourth ? 8 : 0)) * worth;
}
