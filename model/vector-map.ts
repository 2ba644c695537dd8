import { VectorSet } from './vector-set.ts';

const LOW = 32;

/**
 * What there is of some vectors, by vector: as a Map, but ascending, and faster, as there are few vectors and most are
 * low. Vectors are whole numbers from 0 to 2,047: who sets one has checked that.
 */
export class VectorMap<Value> {
  readonly #vectors = new VectorSet(null);
  /** By vector, those below LOW. Here and in `#high` is also what vectors had that are not in `#vectors` any more. */
  readonly #low: Value[] = [];
  /** The others. Null while there has been none. */
  #high: Map<number, Value> | null = null;

  /** An independent copy: a value is the same object in both. */
  copy(): VectorMap<Value> {
    const made = new VectorMap<Value>();
    made.become(this);
    return made;
  }

  /** Has from now on what another map has. */
  become(other: VectorMap<Value>): void {
    this.#vectors.become(other.#vectors);
    for (let vector = other.next(0); vector !== -1; vector = other.next(vector + 1))
      this.#put(vector, other.#at(vector) as Value);
  }

  get size(): number {
    return this.#vectors.size;
  }

  has(vector: number): boolean {
    return this.#vectors.has(vector);
  }

  get(vector: number): Value | undefined {
    return this.#vectors.has(vector) ? this.#at(vector) : undefined;
  }

  #at(vector: number): Value | undefined {
    return vector < LOW ? this.#low[vector] : this.#high?.get(vector);
  }

  set(vector: number, value: Value): void {
    this.#vectors.add(vector);
    this.#put(vector, value);
  }

  #put(vector: number, value: Value): void {
    if (vector >= LOW) {
      this.#high ??= new Map();
      this.#high.set(vector, value);
      return;
    }
    // A list with gaps is slow.
    while (this.#low.length < vector) this.#low.push(value);
    this.#low[vector] = value;
  }

  /** Returns whether there was something. */
  delete(vector: number): boolean {
    return this.#vectors.delete(vector);
  }

  clear(): void {
    this.#vectors.clear();
  }

  /** The smallest vector from `from` on of which there is something, or -1. The map may change between two calls. */
  next(from: number): number {
    return this.#vectors.next(from);
  }

  /** Each vector of which there is something, with that. */
  *[Symbol.iterator](): IterableIterator<readonly [vector: number, value: Value]> {
    for (const vector of this.ascending()) yield [vector, this.#at(vector) as Value];
  }

  /** The vectors of which there is something, as they are now. */
  ascending(): readonly number[] {
    return this.#vectors.ascending();
  }
}
