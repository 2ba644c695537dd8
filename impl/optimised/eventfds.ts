import type { DataElement, EventfdName } from '#vocabulary';
import type { TracePool } from './trace-pool.ts';

/** Descriptors that are not eventfds, above every slot. */
export const NOT_OPEN = 0x40000000;
export const NOT_EVENTFD = 0x40000001;

const DIGIT_0 = '0'.charCodeAt(0);

/** Slots by name. Nearly every name is `e` and a digit, and is found by that digit: a look-up in a Map costs more. */
class Slots {
  readonly #byDigit: (number | undefined)[] = Array.from({ length: 10 }, () => undefined);
  readonly #others = new Map<EventfdName, number>();

  get(name: EventfdName): number | undefined {
    return name.length === 2 ? this.#byDigit[name.charCodeAt(1) - DIGIT_0] : this.#others.get(name);
  }

  set(name: EventfdName, slot: number): void {
    if (name.length === 2) this.#byDigit[name.charCodeAt(1) - DIGIT_0] = slot;
    else this.#others.set(name, slot);
  }
}

/**
 * The user's eventfds as small integers. A name has a slot for as long as the machine lives; what the name stands for
 * is told by the slot's generation, which grows when the user closes the eventfd. A trigger that was set before then
 * holds an old generation, and its signals are unseen.
 */
export class Eventfds {
  readonly #slots = new Slots();
  /** These five by slot. */
  readonly #names: EventfdName[] = [];
  readonly #numbers: number[] = [];
  readonly #generations: number[] = [];
  readonly #counts: number[] = [];
  readonly #readers: number[] = [];
  /** Slots whose count is not 0, as far as #signalledLength. */
  readonly #signalled: number[] = [];
  #signalledLength = 0;

  /**
   * A data element of DATA_EVENTFD as the descriptor that the kernel reads, a signed 32-bit number:
   * negative as it is, a slot, NOT_OPEN or NOT_EVENTFD.
   */
  descriptor(element: DataElement): number {
    if (typeof element === 'number') {
      const value = element | 0;
      return value < 0 ? value : NOT_OPEN;
    }
    if (element === 'bad') return NOT_OPEN;
    if (element === 'notEventfd') return NOT_EVENTFD;
    return this.slot(element);
  }

  slot(name: EventfdName): number {
    return this.#slots.get(name) ?? this.#create(name);
  }

  #create(name: EventfdName): number {
    const slot = this.#names.length;
    this.#slots.set(name, slot);
    this.#names.push(name);
    this.#numbers.push(Number(name.slice(1)));
    this.#generations.push(0);
    this.#counts.push(0);
    this.#readers.push(0);
    return slot;
  }

  name(slot: number): EventfdName {
    return this.#names[slot] as EventfdName;
  }

  close(slot: number): void {
    this.#generations[slot] = (this.generation(slot) + 1) | 0;
  }

  /** What a trigger has to remember beside the slot: a signed 32-bit number. */
  generation(slot: number): number {
    return this.#generations[slot] as number;
  }

  /** How many in the kernel read the eventfd, so that the user does not. */
  readers(slot: number): number {
    return this.#readers[slot] as number;
  }

  setReaders(slot: number, readers: number): void {
    this.#readers[slot] = readers;
  }

  /** The count that the user sees rises by one. */
  signal(slot: number): void {
    const count = this.#counts[slot] as number;
    if (count === 0) this.#insert(slot);
    this.#counts[slot] = count + 1;
  }

  /** Keeps #signalled in the order of eventfd numbers. Mostly they come in that order, and nothing moves. */
  #insert(slot: number): void {
    const number = this.#numbers[slot] as number;
    let place = this.#signalledLength;
    for (; place > 0; place -= 1) {
      const before = this.#signalled[place - 1] as number;
      if ((this.#numbers[before] as number) < number) break;
      this.#signalled[place] = before;
    }
    this.#signalled[place] = slot;
    this.#signalledLength += 1;
  }

  /** Reads every count: tells the signals since the last call, and sets the counts to 0. */
  drain(traces: TracePool): void {
    for (let place = 0; place < this.#signalledLength; place += 1) {
      const slot = this.#signalled[place] as number;
      traces.signalled(this.#names[slot] as EventfdName, this.#counts[slot] as number);
      this.#counts[slot] = 0;
    }
    this.#signalledLength = 0;
  }
}
