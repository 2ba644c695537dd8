/** A power of two. */
const FIRST_SLOTS = 1 << 16;

/**
 * A set of states by 64 bits of their keys, 8 bytes a slot, at most half of which are used: of ten million states two
 * are taken for one with a probability of some millionths.
 */
export class StateSet {
  size = 0;
  #low = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);
  /** The two hashes that are being made. */
  #first = 0;
  #second = 0;

  /** Whether the state of these keys is new. It is in the set afterwards. */
  add(...keys: readonly string[]): boolean {
    this.#first = 0x811c9dc5;
    this.#second = 0x9e3779b1;
    for (const key of keys) this.#mix(key);
    // A slot whose second half is 0 is empty.
    if (!this.#put(this.#first >>> 0, (this.#second | 1) >>> 0)) return false;
    this.size += 1;
    if (this.size * 2 > this.#low.length) this.#grow();
    return true;
  }

  /** Source: FNV-1a, with a rotation, so that two multipliers make two hashes. */
  #mix(text: string): void {
    let first = this.#first ^ text.length;
    let second = this.#second;
    for (let place = 0; place < text.length; place += 1) {
      const code = text.charCodeAt(place);
      first = Math.imul(first ^ code, 0x01000193);
      first = (first << 13) | (first >>> 19);
      second = Math.imul(second ^ code, 0x85ebca6b);
      second = (second << 13) | (second >>> 19);
    }
    this.#first = first;
    this.#second = second;
  }

  #put(low: number, high: number): boolean {
    const mask = this.#low.length - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    while (this.#high[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) return false;
      slot = (slot + 1) & mask;
    }
    this.#low[slot] = low;
    this.#high[slot] = high;
    return true;
  }

  #grow(): void {
    const [lows, highs] = [this.#low, this.#high];
    this.#low = new Uint32Array(lows.length * 2);
    this.#high = new Uint32Array(lows.length * 2);
    for (const [slot, high] of highs.entries()) if (high !== 0) this.#put(lows[slot] ?? 0, high);
  }
}
