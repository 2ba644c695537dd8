/** What is handed out as read-only is filled here. */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const EMPTY: readonly never[] = [];

/** The bits of the length of a list whose room is kept: there are thousands of lists, and each is long once. */
const KEPT_BITS = 5;
const KEPT_MAX = 2 ** KEPT_BITS;

/** Hands out objects one after the other, and after `reset` the same ones again. */
export class Arena<T> {
  readonly #make: () => T;
  readonly #made: T[] = [];
  #used = 0;

  constructor(make: () => T) {
    this.#make = make;
  }

  reset(): void {
    this.#used = 0;
  }

  next(): T {
    const object = this.#made[this.#used] ?? this.#grow();
    this.#used += 1;
    return object;
  }

  /** What was handed out since `reset`, in that order. */
  handedOut(): readonly T[] {
    return this.#made.slice(0, this.#used);
  }

  #grow(): T {
    const object = this.#make();
    this.#made.push(object);
    return object;
  }
}

/**
 * Hands out lists one after the other, each filled before the next is begun, and after `reset` the same arrays again.
 * Those of a length lie together in memory, and a step touches no more than it tells.
 */
export class ListArena<T> {
  readonly #items: T[] = [];
  #length = 0;
  /** By length. */
  readonly #lists = Array.from({ length: KEPT_MAX + 1 }, (_, length) => new Arena<T[]>(() => new Array(length)));
  /** The longest of #lists since `reset`. */
  #longest = 0;

  reset(): void {
    this.#length = 0;
    for (let length = 0; length <= this.#longest; length += 1) this.#listsOf(length).reset();
    this.#longest = 0;
  }

  push(item: T): void {
    this.#items[this.#length] = item;
    this.#length += 1;
  }

  /** The items since it was asked last, as an array that is valid until `reset`. */
  next(): readonly T[] {
    const length = this.#length;
    if (length === 0) return EMPTY;
    this.#length = 0;
    const list = length > KEPT_MAX ? new Array<T>(length) : this.#keptList(length);
    for (let place = 0; place < length; place += 1) list[place] = this.#items[place] as T;
    return list;
  }

  #keptList(length: number): T[] {
    if (length > this.#longest) this.#longest = length;
    return this.#listsOf(length).next();
  }

  #listsOf(length: number): Arena<T[]> {
    return this.#lists[length] as Arena<T[]>;
  }
}

/**
 * Hands out lists in which each place has an object of its own, to be written to. After `reset` the same objects again;
 * of long lists only these are kept.
 */
export class FilledLists<T> {
  readonly #make: () => T;
  /** By length. */
  readonly #lists: Arena<readonly T[]>[] = [];
  readonly #objectsOfLong: Arena<T>;

  constructor(make: () => T) {
    this.#make = make;
    this.#objectsOfLong = new Arena(make);
  }

  reset(): void {
    for (const lists of this.#lists) lists.reset();
    this.#objectsOfLong.reset();
  }

  next(length: number): readonly T[] {
    if (length > KEPT_MAX) return this.#longList(length);
    while (this.#lists.length <= length) this.#addLength(this.#lists.length);
    return (this.#lists[length] as Arena<readonly T[]>).next();
  }

  #longList(length: number): readonly T[] {
    const list = new Array<T>(length);
    for (let place = 0; place < length; place += 1) list[place] = this.#objectsOfLong.next();
    return list;
  }

  #addLength(length: number): void {
    this.#lists.push(new Arena(() => Array.from({ length }, this.#make)));
  }
}

/** A list that is filled again and again. */
export class List<T> {
  #items: T[] = [];
  #length = 0;
  /** By the number of bits of a length less 1: an array for lengths of that many bits. */
  readonly #views: T[][] = [];

  clear(): void {
    this.#length = 0;
    if (this.#items.length <= KEPT_MAX) return;
    this.#items = [];
    this.#views.length = Math.min(this.#views.length, KEPT_BITS + 1);
  }

  push(item: T): void {
    this.#items[this.#length] = item;
    this.#length += 1;
  }

  /** The items since `clear`, as an array that is valid until the next `clear`. */
  view(): readonly T[] {
    if (this.#length === 0) return EMPTY;
    // An engine gives memory back when an array loses more than half of its length, and would allocate it again.
    const bits = 32 - Math.clz32(this.#length - 1);
    while (this.#views.length <= bits) this.#views.push(new Array(2 ** this.#views.length));
    const view = this.#views[bits] as T[];
    if (view.length !== this.#length) view.length = this.#length;
    for (let place = 0; place < this.#length; place += 1) view[place] = this.#items[place] as T;
    return view;
  }
}
