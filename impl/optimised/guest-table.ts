import { firstMessage, MSIX_VECTORS_MAX } from '#vocabulary';
import { VectorSet } from './vector-set.ts';

/** The words of an entry. */
export const ADDRESS = 0;
export const HIGH = 1;
export const DATA = 2;
export const CONTROL = 3;
const WORDS = 4;
const MASKED = 1;

/**
 * The MSI-X table as the VMM shows it. Only entries that were written are stored, so that a new scenario and a reset
 * cost nothing for the others.
 */
export class GuestTable {
  /** Vectors whose mask bit is clear. */
  readonly unmasked = new VectorSet();
  readonly #written = new VectorSet();
  readonly #words = new Uint32Array(WORDS * MSIX_VECTORS_MAX);
  /** What the guest has programmed before the scenario. */
  readonly #first = new Uint32Array(WORDS * MSIX_VECTORS_MAX);
  /** Entries that are not written are as after a reset, not as in #first. */
  #isEmpty = false;

  constructor(place: number) {
    for (let vector = 0; vector < MSIX_VECTORS_MAX; vector += 1) {
      const { address, high, data } = firstMessage(place, vector);
      this.#first.set([address, high, data, MASKED], WORDS * vector);
    }
  }

  /** Every entry has its first message and is masked. */
  restart(): void {
    this.#forget();
    this.#isEmpty = false;
  }

  /** Every entry is 0 and masked. */
  empty(): void {
    this.#forget();
    this.#isEmpty = true;
  }

  #forget(): void {
    this.#written.clear();
    this.unmasked.clear();
  }

  isMasked(vector: number): boolean {
    return !this.unmasked.has(vector);
  }

  read(vector: number, word: number): number {
    const place = WORDS * vector + word;
    if (this.#written.has(vector)) return this.#words[place] as number;
    if (!this.#isEmpty) return this.#first[place] as number;
    return word === CONTROL ? MASKED : 0;
  }

  write(vector: number, word: number, value: number): void {
    if (!this.#written.has(vector)) this.#store(vector);
    this.#words[WORDS * vector + word] = value;
    if (word !== CONTROL) return;
    if ((value & MASKED) === 0) this.unmasked.add(vector);
    else this.unmasked.delete(vector);
  }

  #store(vector: number): void {
    for (let word = 0; word < WORDS; word += 1) this.#words[WORDS * vector + word] = this.read(vector, word);
    this.#written.add(vector);
  }
}
