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
    for (let vector = 0; vector < other.#items.length; vector += 1) this.set(vector, other.of(vector));
    for (let vector = other.#items.length; vector < this.#items.length; vector += 1) this.set(vector, this.#none);
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

  /** Makes it hold the vectors of another one. */
  become(other: VectorSet): void {
    while (this.#words.length < other.#words.length) this.#words.push(0);
    for (let place = 0; place < this.#words.length; place += 1) this.#words[place] = other.#words[place] ?? 0;
  }
}
