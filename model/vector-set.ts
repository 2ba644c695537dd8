/** A set of vectors that notes which of them were touched, so that an observation need not look at all of a table. */
export class VectorSet {
  readonly #members = new Set<number>();
  readonly #touched: Set<number>;

  /** @param touched receives every vector that enters or leaves; shared by the sets that make up a vector's state. */
  constructor(touched: Set<number>) {
    this.#touched = touched;
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
    this.#members.add(vector);
    this.#touched.add(vector);
  }

  delete(vector: number): void {
    if (this.#members.delete(vector)) this.#touched.add(vector);
  }

  clear(): void {
    for (const vector of this.#members) this.#touched.add(vector);
    this.#members.clear();
  }
}
