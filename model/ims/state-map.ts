import { added } from '../added.ts';

/** States by number, with a note of those that were set or have gone, so that an observation need not look at all. */
export class StateMap<State> extends Map<number, State> {
  #touched: number[] | null = null;

  /** Source: ours, as `touched` of a VectorSet. */
  override set(key: number, state: State): this {
    this.#note(key);
    return super.set(key, state);
  }

  /** Source: ours, as `touched` of a VectorSet. */
  override delete(key: number): boolean {
    this.#note(key);
    return super.delete(key);
  }

  /** A state is often replaced several times in a row. */
  #note(key: number): void {
    if (this.#touched === null || this.#touched.at(-1) !== key) this.#touched = added(this.#touched, key);
  }

  /** What was noted since this was asked last, ascending; a number may come twice. Source: ours, for observations. */
  takeTouched(): readonly number[] {
    const touched = this.#touched;
    this.#touched = null;
    if (touched === null) return NONE;
    return touched.length === 1 ? touched : touched.sort((left, right) => left - right);
  }
}

const NONE: readonly number[] = [];
