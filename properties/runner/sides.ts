import type { Told } from './told.ts';

/** Things of one kind, of which a run tells those that are not as it told before. */
export interface Kind<Item> {
  /** Whether two are the same in all that is printed of them, and are about the same thing. */
  readonly isSame: (left: Item, right: Item) => boolean;
  /** What it is about, such as `vector 3`. */
  readonly name: (item: Item) => string;
  readonly print: (item: Item) => string;
  /** The item as it is before any observation has spoken of it. */
  readonly unspoken: (item: Item) => Item;
}

/** The things of one kind in one place on both sides, as the observations so far add up. */
export class Sides<Item> {
  readonly #told: Told;
  readonly #place: string;
  readonly #kind: Kind<Item>;
  /** What was told while both sides told the same. Nearly always they do to the end, and nothing is added up. */
  readonly #agreed: (readonly Item[])[] = [];
  /** What the reference and the subject have told, by name, from where they told something else. */
  #apart: readonly [Map<string, Item>, Map<string, Item>] | null = null;

  constructor(told: Told, place: string, kind: Kind<Item>) {
    this.#told = told;
    this.#place = place;
    this.#kind = kind;
  }

  compare(step: number, expected: readonly Item[], got: readonly Item[]): void {
    if (this.#apart === null && areSame(expected, got, this.#kind.isSame)) {
      if (expected.length > 0) this.#agreed.push(expected);
      return;
    }
    this.#apart ??= [this.#addedUp(), this.#addedUp()];
    const [reference, subject] = this.#apart;
    const spoken = new Map<string, Item>();
    this.#note(expected, reference, spoken);
    this.#note(got, subject, spoken);
    for (const [name, item] of spoken) {
      const left = reference.get(name) ?? this.#kind.unspoken(item);
      const right = subject.get(name) ?? this.#kind.unspoken(item);
      if (this.#told.isEmpty && this.#kind.isSame(left, right)) continue;
      this.#told.register(step, `${this.#place} ${name}`, this.#kind.print(left), this.#kind.print(right));
    }
  }

  #addedUp(): Map<string, Item> {
    const items = new Map<string, Item>();
    for (const told of this.#agreed) for (const item of told) items.set(this.#kind.name(item), item);
    return items;
  }

  #note(items: readonly Item[], side: Map<string, Item>, spoken: Map<string, Item>): void {
    for (const item of items) {
      const name = this.#kind.name(item);
      side.set(name, item);
      spoken.set(name, item);
    }
  }
}

/** Whether two lists are the same, item by item. */
export function areSame<Item>(
  left: readonly Item[],
  right: readonly Item[],
  isSame: (left: Item, right: Item) => boolean,
): boolean {
  if (left.length !== right.length) return false;
  for (let place = 0; place < left.length; place += 1)
    if (!isSame(left[place] as Item, right[place] as Item)) return false;
  return true;
}
