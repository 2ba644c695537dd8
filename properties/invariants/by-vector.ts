import * as vocabulary from '#vocabulary';

// V8 folds the constants of a module into its code, and not those that it imports.
const { MSIX_VECTORS_MAX } = vocabulary;

// What is remembered of the vectors of one device. Of a vector that no device can have nothing is remembered, whatever
// a system says of it.

/** Whether a device may have the vector. */
export function canBe(vector: number): boolean {
  return vector >= 0 && vector < MSIX_VECTORS_MAX;
}

/** Whether it is one of the first 32, not whatever its lowest bits are: a range goes on beyond 32 bits. */
function isFirst(vector: number): boolean {
  return vector >= 0 && vector < 32;
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
    // A range may begin at any number of 32 bits, and what is no place of the list takes long to look up.
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

  /** One past the last vector of which anything was said. */
  get length(): number {
    return this.#items.length;
  }

  /** Makes it say what another one says. */
  become(other: ByVector<Item>): void {
    const length = Math.max(this.#items.length, other.#items.length);
    for (let vector = 0; vector < length; vector += 1) this.#items[vector] = other.of(vector);
  }
}

/** Some of the vectors, as bits. A shift goes by the low five bits of the vector. */
export class VectorSet {
  /** Vectors 0 to 31, which are all that most devices have. */
  #first = 0;
  /** The others: of the first number 32 to 63, and so on. */
  readonly #more: number[] = [];

  has(vector: number): boolean {
    if (isFirst(vector)) return (this.#first & (1 << vector)) !== 0;
    return canBe(vector) && ((this.#more[(vector >> 5) - 1] ?? 0) & (1 << vector)) !== 0;
  }

  add(vector: number): void {
    if (isFirst(vector)) this.#first |= 1 << vector;
    else if (canBe(vector)) this.#set((vector >> 5) - 1, (word) => word | (1 << vector));
  }

  delete(vector: number): void {
    if (isFirst(vector)) this.#first &= ~(1 << vector);
    else if (this.has(vector)) this.#set((vector >> 5) - 1, (word) => word & ~(1 << vector));
  }

  #set(place: number, change: (word: number) => number): void {
    while (this.#more.length <= place) this.#more.push(0);
    this.#more[place] = change(this.#more[place] ?? 0);
  }

  clear(): void {
    this.#first = 0;
    for (let place = 0; place < this.#more.length; place += 1) this.#more[place] = 0;
  }

  get size(): number {
    let size = 0;
    for (let vector = this.next(0); vector !== -1; vector = this.next(vector + 1)) size += 1;
    return size;
  }

  get isEmpty(): boolean {
    return this.#first === 0 && this.#nextOfMore(32) === -1;
  }

  /** The lowest from `from` on, or -1. The set may change between two calls. */
  next(from: number): number {
    const found = from < 32 ? this.#first & (-1 << from) : 0;
    return found !== 0 ? lowestBit(found) : this.#nextOfMore(Math.max(from, 32));
  }

  #nextOfMore(from: number): number {
    if (!canBe(from)) return -1;
    let asked = -1 << from;
    for (let place = (from >> 5) - 1; place < this.#more.length; place += 1) {
      const found = (this.#more[place] ?? 0) & asked;
      if (found !== 0) return (place + 1) * 32 + lowestBit(found);
      asked = -1;
    }
    return -1;
  }

  /** Makes it hold the vectors of another one. */
  become(other: VectorSet): void {
    this.#first = other.#first;
    const length = Math.max(this.#more.length, other.#more.length);
    for (let place = 0; place < length; place += 1) this.#more[place] = other.#more[place] ?? 0;
  }
}

/** The place, 0 to 31, of the lowest bit that is set; `bits` is not 0. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
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
    return this.#vectors.isEmpty;
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
