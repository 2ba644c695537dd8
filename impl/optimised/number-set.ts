/**
 * A set of numbers from 0 to some capacity: one bit for each, and above them three levels of bits that say which words
 * below are not 0. The lowest number of a word has its highest bit, so that Math.clz32 tells the smallest member.
 * The levels are fields, and each step is written out for each of them: a loop over levels takes a third longer.
 * From 2 to the power of 20 on the highest level has more than one word; these are looked through.
 */
export class NumberSet {
  words = new Int32Array(1);
  summary1 = new Int32Array(1);
  summary2 = new Int32Array(1);
  summary3 = new Int32Array(1);

  constructor(capacity = 0) {
    this.reserve(capacity);
  }

  /** Numbers below `capacity` can be members from now on. Those that are stay. */
  reserve(capacity: number): void {
    const length = lengthFor(capacity);
    if (length <= this.words.length) return;
    this.words = longer(this.words, length);
    this.summary1 = longer(this.summary1, lengthFor(this.words.length));
    this.summary2 = longer(this.summary2, lengthFor(this.summary1.length));
    this.summary3 = longer(this.summary3, lengthFor(this.summary2.length));
  }

  /** Bytes of all levels. */
  bytes(): number {
    return this.words.byteLength + this.summary1.byteLength + this.summary2.byteLength + this.summary3.byteLength;
  }

  has(number: number): boolean {
    return ((this.words[number >>> 5] as number) & bitOf(number)) !== 0;
  }

  /** The first two levels are written in any case: whether a word was 0 is what a processor cannot predict. */
  add(number: number): void {
    const word = number >>> 5;
    const word1 = number >>> 10;
    this.words[word] = (this.words[word] as number) | bitOf(number);
    const before = this.summary1[word1] as number;
    this.summary1[word1] = before | bitOf(word);
    // A word that was not 0 is known of above.
    if (before !== 0) return;
    const word2 = number >>> 15;
    const word3 = number >>> 20;
    this.summary2[word2] = (this.summary2[word2] as number) | bitOf(word1);
    this.summary3[word3] = (this.summary3[word3] as number) | bitOf(word2);
  }

  delete(number: number): void {
    const word = number >>> 5;
    const left = (this.words[word] as number) & ~bitOf(number);
    this.words[word] = left;
    if (left === 0) this.#deleteWord(word);
  }

  /** A word has become 0. */
  #deleteWord(word: number): void {
    const word1 = word >>> 5;
    const left1 = (this.summary1[word1] as number) & ~bitOf(word);
    this.summary1[word1] = left1;
    if (left1 !== 0) return;
    const word2 = word1 >>> 5;
    const left2 = (this.summary2[word2] as number) & ~bitOf(word1);
    this.summary2[word2] = left2;
    if (left2 !== 0) return;
    const word3 = word2 >>> 5;
    this.summary3[word3] = (this.summary3[word3] as number) & ~bitOf(word2);
  }

  clear(): void {
    for (let number = this.next(0); number !== -1; number = this.next(number + 1)) {
      // All members of a word at once.
      const word = number >>> 5;
      this.words[word] = 0;
      this.#deleteWord(word);
    }
  }

  /** The smallest member from `from` on, or -1. The set may be changed between two calls. */
  next(from: number): number {
    const word = from >>> 5;
    if (word >= this.words.length) return -1;
    const bits = (this.words[word] as number) & bitsFrom(from);
    return bits !== 0 ? first(word, bits) : this.#nextFromWord(word + 1);
  }

  /** Takes the smallest member out and returns it, or -1. From above it is found in one look at each level. */
  takeSmallest(): number {
    let word3 = 0;
    while (this.summary3[word3] === 0) {
      word3 += 1;
      if (word3 >= this.summary3.length) return -1;
    }
    const word2 = first(word3, this.summary3[word3] as number);
    const word1 = first(word2, this.summary2[word2] as number);
    const word = first(word1, this.summary1[word1] as number);
    const bits = this.words[word] as number;
    const place = Math.clz32(bits);
    const left = bits & ~bitOf(place);
    this.words[word] = left;
    if (left === 0) this.#deleteWord(word);
    return word * 32 + place;
  }

  /** The smallest member in the words from `word` on, or -1. */
  #nextFromWord(word: number): number {
    const word1 = word >>> 5;
    const bits1 = (this.summary1[word1] as number) & bitsFrom(word);
    if (bits1 !== 0) return this.#firstIn(first(word1, bits1));
    const word2 = (word1 + 1) >>> 5;
    const bits2 = (this.summary2[word2] as number) & bitsFrom(word1 + 1);
    if (bits2 !== 0) return this.#firstBelow1(first(word2, bits2));
    let word3 = (word2 + 1) >>> 5;
    let bits3 = (this.summary3[word3] as number) & bitsFrom(word2 + 1);
    while (bits3 === 0) {
      word3 += 1;
      if (word3 >= this.summary3.length) return -1;
      bits3 = this.summary3[word3] as number;
    }
    return this.#firstBelow2(first(word3, bits3));
  }

  /** The smallest member in a word, which is not 0. */
  #firstIn(word: number): number {
    return first(word, this.words[word] as number);
  }

  /** The same below a word of the first summary. */
  #firstBelow1(word1: number): number {
    return this.#firstIn(first(word1, this.summary1[word1] as number));
  }

  /** The same below a word of the second. */
  #firstBelow2(word2: number): number {
    return this.#firstBelow1(first(word2, this.summary2[word2] as number));
  }
}

/** Words for so many bits and one more, which is always 0: to read behind the end of an array would be slow. */
function lengthFor(bits: number): number {
  return (bits >>> 5) + 1;
}

function longer(column: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(column);
  return copy;
}

/** The bit of a number in its word: bit 31 for place 0, bit 0 for place 31. */
function bitOf(number: number): number {
  return 1 << (~number & 31);
}

/** The bits in its word of a number and of all above it. */
function bitsFrom(number: number): number {
  return -1 >>> (number & 31);
}

/** The smallest of the numbers with bits in a word; `bits` is not 0. */
function first(word: number, bits: number): number {
  return word * 32 + Math.clz32(bits);
}
