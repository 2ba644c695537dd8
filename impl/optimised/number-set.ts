/** Levels above the words, always so many: what a step costs is the same for every size up to 2 to the power of 25. */
const SUMMARIES = 4;

/**
 * A set of numbers from 0 to some capacity: one bit for each, and above them bits that say which words below are not
 * 0. To find the smallest member from some number on is as many steps as there are levels.
 */
export class NumberSet {
  words = new Uint32Array(0);
  /** From the lowest level up. */
  readonly summaries = Array.from({ length: SUMMARIES }, () => new Uint32Array(0));

  constructor(capacity = 0) {
    this.reserve(capacity);
  }

  /** Numbers below `capacity` can be members from now on. Those that are stay. */
  reserve(capacity: number): void {
    let length = Math.max(1, (capacity + 31) >>> 5);
    if (length <= this.words.length) return;
    this.words = longer(this.words, length);
    for (const [level, summary] of this.summaries.entries()) {
      length = (length + 31) >>> 5;
      this.summaries[level] = longer(summary, length);
    }
  }

  /** Bytes of all levels. */
  bytes(): number {
    return this.summaries.reduce((sum, { byteLength }) => sum + byteLength, this.words.byteLength);
  }

  has(number: number): boolean {
    return ((this.words[number >>> 5] as number) & (1 << (number & 31))) !== 0;
  }

  add(number: number): void {
    let place = number >>> 5;
    const before = this.words[place] as number;
    this.words[place] = before | (1 << (number & 31));
    // A word that was not 0 is known of above.
    if (before !== 0) return;
    for (let level = 0; level < SUMMARIES; level += 1) {
      const summary = this.summaries[level] as Uint32Array;
      const bit = 1 << (place & 31);
      place >>>= 5;
      const bits = summary[place] as number;
      summary[place] = bits | bit;
      if (bits !== 0) return;
    }
  }

  delete(number: number): void {
    let place = number >>> 5;
    const left = (this.words[place] as number) & ~(1 << (number & 31));
    this.words[place] = left;
    if (left !== 0) return;
    for (let level = 0; level < SUMMARIES; level += 1) {
      const summary = this.summaries[level] as Uint32Array;
      const bit = 1 << (place & 31);
      place >>>= 5;
      const bits = (summary[place] as number) & ~bit;
      summary[place] = bits;
      if (bits !== 0) return;
    }
  }

  clear(): void {
    for (let number = this.next(0); number !== -1; number = this.next(number + 1)) {
      // All members of a word at once.
      this.words[number >>> 5] = 1 << (number & 31);
      this.delete(number);
    }
  }

  /** The smallest member from `from` on, or -1. The set may be changed between two calls. */
  next(from: number): number {
    let place = from >>> 5;
    if (place < this.words.length) {
      const bits = (this.words[place] as number) & (-1 << (from & 31));
      if (bits !== 0) return place * 32 + lowestBit(bits);
    }
    for (let level = 0; level < SUMMARIES; level += 1) {
      const summary = this.summaries[level] as Uint32Array;
      const first = place + 1;
      place = first >>> 5;
      if (place >= summary.length) continue;
      const bits = (summary[place] as number) & (-1 << (first & 31));
      if (bits !== 0) return this.#lowestBelow(level, place * 32 + lowestBit(bits));
    }
    return -1;
  }

  /** The smallest member below a word of some level, which is not 0. */
  #lowestBelow(above: number, word: number): number {
    let place = word;
    for (let level = above - 1; level >= 0; level -= 1)
      place = place * 32 + lowestBit((this.summaries[level] as Uint32Array)[place] as number);
    return place * 32 + lowestBit(this.words[place] as number);
  }
}

function longer(column: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length);
  copy.set(column);
  return copy;
}

/** The place, 0 to 31, of the lowest bit that is set; `bits` is not 0. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
