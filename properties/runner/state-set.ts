import type { Fingerprint } from './fingerprint.ts';

/** A power of two. */
const FIRST_SLOTS = 1 << 16;

/** A set of states by their fingerprints, 8 bytes a slot, at most half of which are used. */
export class StateSet {
  size = 0;
  #low = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);

  /** Whether the state of this fingerprint is new. It is in the set afterwards. */
  add({ low, high }: Pick<Fingerprint, 'low' | 'high'>): boolean {
    // A slot whose second half is 0 is empty.
    if (!this.#put(low >>> 0, (high | 1) >>> 0)) return false;
    this.size += 1;
    if (this.size * 2 > this.#low.length) this.#grow();
    return true;
  }

  has({ low, high }: Pick<Fingerprint, 'low' | 'high'>): boolean {
    return this.#high[this.#slotOf(low >>> 0, (high | 1) >>> 0)] !== 0;
  }

  #put(low: number, high: number): boolean {
    const slot = this.#slotOf(low, high);
    if (this.#high[slot] !== 0) return false;
    this.#low[slot] = low;
    this.#high[slot] = high;
    return true;
  }

  /** Where a state is, or an empty slot where it would be. */
  #slotOf(low: number, high: number): number {
    const mask = this.#low.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    while (this.#high[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [lows, highs] = [this.#low, this.#high];
    this.#low = new Uint32Array(lows.length * 2);
    this.#high = new Uint32Array(lows.length * 2);
    for (const [slot, high] of highs.entries()) if (high !== 0) this.#put(lows[slot] ?? 0, high);
  }
}
