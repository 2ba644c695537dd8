import { MSIX_VECTORS_MAX } from '#vocabulary';
import type { Words } from './words.ts';

const WORD_BITS = 32;
/** Words of 32 vectors behind the first. */
const HIGH_WORDS = MSIX_VECTORS_MAX / WORD_BITS - 1;

/**
 * A set of vectors as bits: those of a small table are one number. It can note in another set which vectors entered or
 * left, so that an observation need not look at all of a table. Vectors are whole numbers from 0 to 2,047: who adds one
 * has checked that.
 */
export class VectorSet {
  readonly #touched: VectorSet | null;
  /** The members below 32, by bit. */
  #low = 0;
  /** The other members, 32 to a word. Null while there has been none. */
  #high: number[] | null = null;
  /** How many of the members are in `#high`. */
  #highSize = 0;
  /** Whether a copy has `#high` in hand too: it is copied before it changes. */
  #isShared = false;

  /**
   * @param touched receives every vector that enters or leaves; shared by the sets that make up a vector's state.
   * It notes nowhere itself.
   */
  constructor(touched: VectorSet | null) {
    this.#touched = touched;
  }

  /** An independent copy, whose changes are noted nowhere. */
  copy(): VectorSet {
    const made = new VectorSet(null);
    made.become(this);
    return made;
  }

  /** Has the members of another set from now on, which is noted nowhere. */
  become(other: VectorSet): void {
    this.#low = other.#low;
    if (this.#highSize === 0 && other.#highSize === 0) return;
    other.#isShared = true;
    this.#isShared = true;
    this.#high = other.#high;
    this.#highSize = other.#highSize;
  }

  /** Tells the members, all of which are below `count`: in as many words whatever they are. */
  tell(count: number, words: Words): void {
    words.put(this.#low);
    for (let word = 0; (word + 1) * WORD_BITS < count; word += 1)
      words.put(this.#highSize === 0 ? 0 : (this.#high?.[word] ?? 0));
  }

  /** Which of the 32 vectors that a vector is among are members, one bit each: a number of 32 bits without a sign. */
  word(vector: number): number {
    return (vector < WORD_BITS ? this.#low : (this.#high?.[highWord(vector)] ?? 0)) >>> 0;
  }

  /** The members below 32, one bit each: a signed number of 32 bits. */
  get low(): number {
    return this.#low;
  }

  get size(): number {
    let size = this.#highSize;
    for (let left = this.#low; left !== 0; left &= left - 1) size += 1;
    return size;
  }

  /** The members, ascending. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let vector = this.next(0); vector !== -1; vector = this.next(vector + 1)) yield vector;
  }

  /** The members as they are now. */
  ascending(): readonly number[] {
    const members: number[] = [];
    for (let vector = this.next(0); vector !== -1; vector = this.next(vector + 1)) members.push(vector);
    return members;
  }

  /** The smallest member from `from` on, or -1. The set may change between two calls. */
  next(from: number): number {
    const left = from < WORD_BITS ? this.#low & (-1 << (from & 31)) : 0;
    if (left !== 0) return lowestBit(left);
    return this.#highSize === 0 ? -1 : this.#nextHigh(from);
  }

  #nextHigh(from: number): number {
    let word = Math.max(highWord(from), 0);
    let skipped = from < WORD_BITS ? -1 : -1 << (from & 31);
    for (; word < HIGH_WORDS; word += 1) {
      const left = (this.#high?.[word] ?? 0) & skipped;
      if (left !== 0) return (word + 1) * WORD_BITS + lowestBit(left);
      skipped = -1;
    }
    return -1;
  }

  has(vector: number): boolean {
    return vector < WORD_BITS ? (this.#low & (1 << (vector & 31))) !== 0 : this.#hasHigh(vector);
  }

  #hasHigh(vector: number): boolean {
    return this.#highSize > 0 && ((this.#high?.[highWord(vector)] ?? 0) & (1 << (vector & 31))) !== 0;
  }

  add(vector: number): void {
    if (vector >= WORD_BITS) {
      this.#addHigh(vector);
      return;
    }
    const bit = 1 << (vector & 31);
    this.#low |= bit;
    if (this.#touched !== null) this.#touched.#low |= bit;
  }

  #addHigh(vector: number): void {
    if (this.#touched !== null) this.#touched.#addHigh(vector);
    if (this.#hasHigh(vector)) return;
    this.#highSize += 1;
    this.#flipHigh(vector);
  }

  /** Returns whether it was a member. */
  delete(vector: number): boolean {
    if (vector >= WORD_BITS) return this.#deleteHigh(vector);
    const bit = 1 << (vector & 31);
    if ((this.#low & bit) === 0) return false;
    this.#low ^= bit;
    if (this.#touched !== null) this.#touched.#low |= bit;
    return true;
  }

  #deleteHigh(vector: number): boolean {
    if (!this.#hasHigh(vector)) return false;
    if (this.#touched !== null) this.#touched.#addHigh(vector);
    this.#highSize -= 1;
    this.#flipHigh(vector);
    return true;
  }

  #flipHigh(vector: number): void {
    const high = this.#ownHigh();
    high[highWord(vector)] = (high[highWord(vector)] ?? 0) ^ (1 << (vector & 31));
  }

  addAll(other: VectorSet): void {
    this.#touched?.addAll(other);
    this.#low |= other.#low;
    if (other.#highSize === 0) return;
    for (let vector = other.next(WORD_BITS); vector !== -1; vector = other.next(vector + 1)) this.add(vector);
  }

  clear(): void {
    if (this.#touched !== null) this.#touched.addAll(this);
    this.#low = 0;
    if (this.#highSize !== 0) this.#clearHigh();
  }

  #clearHigh(): void {
    this.#highSize = 0;
    this.#ownHigh().fill(0);
  }

  #ownHigh(): number[] {
    if (this.#high === null) this.#high = new Array<number>(HIGH_WORDS).fill(0);
    else if (this.#isShared) this.#high = this.#high.slice();
    this.#isShared = false;
    return this.#high;
  }
}

/** The place in `#high` of the word that a vector from 32 on is in. */
function highWord(vector: number): number {
  return (vector >>> 5) - 1;
}

/** The place, 0 to 31, of the lowest bit that is set; `bits` is not 0. */
function lowestBit(bits: number): number {
  return WORD_BITS - 1 - Math.clz32(bits & -bits);
}
