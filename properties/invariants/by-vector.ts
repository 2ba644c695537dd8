import { MSIX_VECTORS_MAX } from '#vocabulary';

// What is remembered of the vectors of one device. Of a vector that no device can have nothing is remembered, whatever
// a system says of it.

/** Whether a device may have the vector. */
export function canBe(vector: number): boolean {
  return vector >= 0 && vector < MSIX_VECTORS_MAX;
}

/** One thing of each vector. */
export class ByVector<Item> {
  readonly #none: Item;
  readonly #items: Item[] = [];

  /** @param none what there is of a vector of which nothing was said */
  constructor(none: Item) {
    this.#none = none;
  }

  of(vector: number): Item {
    // A call may name any number of 32 bits, and what is no place of the list takes long to look up.
    return (vector < this.#items.length ? this.#items[vector] : undefined) ?? this.#none;
  }

  set(vector: number, item: Item): void {
    if (!canBe(vector)) return;
    while (this.#items.length < vector) this.#items.push(this.#none);
    this.#items[vector] = item;
  }

  /** By ascending vector, up to the last of which anything was said. */
  entries(): Iterable<readonly [vector: number, item: Item]> {
    return this.#items.entries();
  }

  /** Makes it say what another one says. */
  become(other: ByVector<Item>): void {
    const length = Math.max(this.#items.length, other.#items.length);
    for (let vector = 0; vector < length; vector += 1) this.#items[vector] = other.of(vector);
  }
}

/** Some of the vectors. */
export class VectorSet {
  /** As bits: the first number has vectors 0 to 31, and so on. A shift goes by the low five bits of the vector. */
  readonly #words: number[] = [0];

  has(vector: number): boolean {
    return canBe(vector) && ((this.#words[vector >> 5] ?? 0) & (1 << vector)) !== 0;
  }

  add(vector: number): void {
    if (!canBe(vector)) return;
    while (this.#words.length <= vector >> 5) this.#words.push(0);
    this.#words[vector >> 5] = (this.#words[vector >> 5] ?? 0) | (1 << vector);
  }

  delete(vector: number): void {
    if (this.has(vector)) this.#words[vector >> 5] = (this.#words[vector >> 5] ?? 0) & ~(1 << vector);
  }

  clear(): void {
    for (let place = 0; place < this.#words.length; place += 1) this.#words[place] = 0;
  }

  get size(): number {
    let size = 0;
    for (let vector = this.next(0); vector !== -1; vector = this.next(vector + 1)) size += 1;
    return size;
  }

  /** The lowest from `from` on, or -1. The set may change between two calls. */
  next(from: number): number {
    let asked = -1 << from;
    for (let place = from >> 5; place < this.#words.length; place += 1) {
      const found = (this.#words[place] ?? 0) & asked;
      if (found !== 0) return place * 32 + 31 - Math.clz32(found & -found);
      asked = -1;
    }
    return -1;
  }

  /** Makes it hold the vectors of another one. */
  become(other: VectorSet): void {
    while (this.#words.length < other.#words.length) this.#words.push(0);
    for (let place = 0; place < this.#words.length; place += 1) this.#words[place] = other.#words[place] ?? 0;
  }
}

/** Something of some of the vectors. */
export class VectorMap<Item> {
  readonly #vectors = new VectorSet();
  /** By vector. Here is also what vectors had that are not in `#vectors` any more. */
  readonly #items: Item[] = [];

  get(vector: number): Item | undefined {
    return this.#vectors.has(vector) ? this.#items[vector] : undefined;
  }

  set(vector: number, item: Item): void {
    if (!canBe(vector)) return;
    this.#vectors.add(vector);
    this.#put(vector, item);
  }

  #put(vector: number, item: Item): void {
    // A list with gaps is slow.
    while (this.#items.length < vector) this.#items.push(item);
    this.#items[vector] = item;
  }

  delete(vector: number): void {
    this.#vectors.delete(vector);
  }

  clear(): void {
    this.#vectors.clear();
  }

  /** By ascending vector. */
  *[Symbol.iterator](): IterableIterator<readonly [vector: number, item: Item]> {
    for (let vector = this.next(0); vector !== -1; vector = this.next(vector + 1))
      yield [vector, this.#items[vector] as Item];
  }

  get isEmpty(): boolean {
    return this.next(0) === -1;
  }

  /** The lowest vector from `from` on of which there is something, or -1. The map may change between two calls. */
  next(from: number): number {
    return this.#vectors.next(from);
  }

  /** Makes it say what another one says. An item is the same object in both. */
  become(other: VectorMap<Item>): void {
    this.#vectors.become(other.#vectors);
    for (let vector = other.next(0); vector !== -1; vector = other.next(vector + 1))
      this.#put(vector, other.#items[vector] as Item);
  }
}
