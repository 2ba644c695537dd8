/** A set of vectors that notes which of them were touched, so that an observation need not look at all of a table. */
export class VectorSet {
  #members: Set<number>;
  /** Whether a copy has the same members in hand: they are copied before they change. */
  #isShared: boolean;
  readonly #touched: Set<number>;

  /** @param touched receives every vector that enters or leaves; shared by the sets that make up a vector's state. */
  constructor(touched: Set<number>, members: Set<number> | null = null) {
    this.#touched = touched;
    this.#members = members ?? new Set();
    this.#isShared = members !== null;
  }

  /** An independent copy, whose changes are noted elsewhere. */
  copy(touched: Set<number>): VectorSet {
    this.#isShared = true;
    return new VectorSet(touched, this.#members);
  }

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#members.values();
  }

  has(vector: number): boolean {
    return this.#members.has(vector);
  }

  add(vector: number): void {
    if (!this.#members.has(vector)) this.#own().add(vector);
    this.#touched.add(vector);
  }

  delete(vector: number): void {
    if (!this.#members.has(vector)) return;
    this.#own().delete(vector);
    this.#touched.add(vector);
  }

  clear(): void {
    for (const vector of this.#members) this.#touched.add(vector);
    if (this.#members.size > 0) this.#own().clear();
  }

  #own(): Set<number> {
    if (this.#isShared) this.#members = new Set(this.#members);
    this.#isShared = false;
    return this.#members;
  }
}
