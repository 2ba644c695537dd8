import type { Told } from './told.ts';

/** Things of one kind, of which a run tells those that are not as it told before. */
export interface Kind<Item> {
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
  /** What the reference and the subject have told, by name. */
  readonly #reference = new Map<string, Item>();
  readonly #subject = new Map<string, Item>();

  constructor(told: Told, place: string, kind: Kind<Item>) {
    this.#told = told;
    this.#place = place;
    this.#kind = kind;
  }

  /** Both sides tell the same, and nothing that differs lasts. */
  agree(items: readonly Item[]): void {
    for (const item of items) {
      const name = this.#kind.name(item);
      this.#reference.set(name, item);
      this.#subject.set(name, item);
    }
  }

  compare(step: number, expected: readonly Item[], got: readonly Item[]): void {
    const spoken = new Map<string, Item>();
    this.#note(expected, this.#reference, spoken);
    this.#note(got, this.#subject, spoken);
    for (const [name, item] of spoken) {
      const left = this.#reference.get(name) ?? this.#kind.unspoken(item);
      const right = this.#subject.get(name) ?? this.#kind.unspoken(item);
      this.#told.register(step, `${this.#place} ${name}`, this.#kind.print(left), this.#kind.print(right));
    }
  }

  #note(items: readonly Item[], side: Map<string, Item>, spoken: Map<string, Item>): void {
    for (const item of items) {
      const name = this.#kind.name(item);
      side.set(name, item);
      spoken.set(name, item);
    }
  }
}
