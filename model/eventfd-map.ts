import type { EventfdName } from '#vocabulary';

const DIGIT_0 = '0'.charCodeAt(0);
const DIGITS = 10;

/** The number of an eventfd whose name is `e` and a digit, as nearly every one is; else -1. */
export function digitOf(name: EventfdName): number {
  return name.length === 2 ? name.charCodeAt(1) - DIGIT_0 : -1;
}

/** What there is of some eventfds, by name: as a Map, but without order, and faster where the number is a digit. */
export class EventfdMap<Value> {
  readonly #byDigit: (Value | undefined)[] = new Array<undefined>(DIGITS).fill(undefined);
  /** The others. Null while there has been none. */
  #others: Map<EventfdName, Value> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(name: EventfdName): Value | undefined {
    const digit = digitOf(name);
    return digit === -1 ? this.#others?.get(name) : this.#byDigit[digit];
  }

  set(name: EventfdName, value: Value): void {
    if (this.get(name) === undefined) this.#size += 1;
    const digit = digitOf(name);
    if (digit === -1) {
      this.#others ??= new Map();
      this.#others.set(name, value);
    } else this.#byDigit[digit] = value;
  }

  delete(name: EventfdName): void {
    if (this.get(name) !== undefined) this.#size -= 1;
    const digit = digitOf(name);
    if (digit === -1) this.#others?.delete(name);
    else this.#byDigit[digit] = undefined;
  }

  /** What there is, as it is now. */
  values(): Value[] {
    const values: Value[] = this.#others === null ? [] : [...this.#others.values()];
    for (const value of this.#byDigit) if (value !== undefined) values.push(value);
    return values;
  }
}
