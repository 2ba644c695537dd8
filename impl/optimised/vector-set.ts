import * as vocabulary from '#vocabulary';

// V8 folds the constants of a module into its code, and not those that it imports.
const { MSIX_VECTORS_MAX } = vocabulary;

const WORDS = MSIX_VECTORS_MAX >>> 5;
const SUMMARY_WORDS = WORDS >>> 5;

/**
 * A set of vectors, 0 to 2047, in two levels: one bit per vector, and one bit per word that is not 0.
 * The second level makes `next` and `clear` cost what the set holds, however large the table is.
 */
export class VectorSet {
  readonly #words = new Int32Array(WORDS);
  readonly #summary = new Int32Array(SUMMARY_WORDS);

  has(vector: number): boolean {
    return ((this.#words[vector >>> 5] as number) & (1 << (vector & 31))) !== 0;
  }

  add(vector: number): void {
    const word = vector >>> 5;
    const before = this.#words[word] as number;
    this.#words[word] = before | (1 << (vector & 31));
    if (before !== 0) return;
    const place = word >>> 5;
    this.#summary[place] = (this.#summary[place] as number) | (1 << (word & 31));
  }

  delete(vector: number): void {
    const word = vector >>> 5;
    const bits = (this.#words[word] as number) & ~(1 << (vector & 31));
    this.#words[word] = bits;
    if (bits !== 0) return;
    const place = word >>> 5;
    this.#summary[place] = (this.#summary[place] as number) & ~(1 << (word & 31));
  }

  /** The members among the 32 vectors that the vector is one of: bit 0 for the first of them. */
  word(vector: number): number {
    return (this.#words[vector >>> 5] as number) >>> 0;
  }

  isEmpty(): boolean {
    return this.#nextWord(0) === -1;
  }

  clear(): void {
    // The second level not by `fill`, whose call costs more than all the rest.
    for (let place = 0; place < SUMMARY_WORDS; place += 1) {
      for (let bits = this.#summary[place] as number; bits !== 0; bits &= bits - 1)
        this.#words[place * 32 + lowestBit(bits)] = 0;
      this.#summary[place] = 0;
    }
  }

  /** The smallest member from `from` (0 to 2048) on, or -1. The set may be changed between two calls. */
  next(from: number): number {
    if (from === MSIX_VECTORS_MAX) return -1;
    const first = from >>> 5;
    const bits = (this.#words[first] as number) & (-1 << (from & 31));
    if (bits !== 0) return first * 32 + lowestBit(bits);
    const word = this.#nextWord(first + 1);
    return word === -1 ? -1 : word * 32 + lowestBit(this.#words[word] as number);
  }

  /** The first word from `from` (0 to 64) on that is not 0, or -1. */
  #nextWord(from: number): number {
    if (from === WORDS) return -1;
    let place = from >>> 5;
    let bits = (this.#summary[place] as number) & (-1 << (from & 31));
    while (bits === 0) {
      place += 1;
      if (place === SUMMARY_WORDS) return -1;
      bits = this.#summary[place] as number;
    }
    return place * 32 + lowestBit(bits);
  }
}

/** The place, 0 to 31, of the lowest bit that is set; `bits` is not 0. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
