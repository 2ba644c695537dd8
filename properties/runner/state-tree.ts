/** What is added to a tree, to be added to another one too. */
export interface Growth {
  /** States that there were before. */
  readonly from: number;
  readonly parents: Int32Array;
  readonly leads: Uint16Array | Uint32Array;
}

/** Every state as the one before it and the move that leads from there; the first has none. */
export class StateTree {
  size = 0;
  readonly #parents: Int32Array;
  readonly #leads: Uint16Array | Uint32Array;

  /**
   * @param room states, at most
   * @param moves that there are
   */
  constructor(room: number, moves: number) {
    this.#parents = new Int32Array(room);
    // A file may bring any number of operations.
    this.#leads = moves > 0x10000 ? new Uint32Array(room) : new Uint16Array(room);
  }

  add(parent: number, lead: number): void {
    this.#parents[this.size] = parent;
    this.#leads[this.size] = lead;
    this.size += 1;
  }

  /** The moves from the first state to another one. */
  wayTo(place: number): readonly number[] {
    const way: number[] = [];
    for (let at = place; at > 0; at = this.#parents[at] ?? 0) way.push(this.#leads[at] ?? 0);
    return way.reverse();
  }

  /** What was added since there were so many states. */
  since(from: number): Growth {
    return { from, parents: this.#parents.slice(from, this.size), leads: this.#leads.slice(from, this.size) };
  }

  grow({ from, parents, leads }: Growth): void {
    this.#parents.set(parents, from);
    this.#leads.set(leads, from);
    this.size = from + parents.length;
  }
}
