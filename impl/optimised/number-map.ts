const FIRST_CAPACITY = 64;
/** 2 to the power of 32 divided by the golden ratio: keys in a row are far apart. */
const MULTIPLIER = 0x9e3779b1;

/**
 * A map from numbers of 32 bits, 1 or more, to numbers of 32 bits, 1 or more. Linear probing, at most half full, and
 * nothing left where a key was. A Map of the language would do, but makes an object of every key above 30 bits.
 */
export class NumberMap {
  /** A key and its value, one after the other, for each place; both 0 where there is none, so that 0 has no value. */
  slots = new Uint32Array(2 * FIRST_CAPACITY);
  /** Places less 1. */
  #mask = FIRST_CAPACITY - 1;
  /** 32 less the bits of a place. */
  #shift = 32 - Math.log2(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  bytes(): number {
    return this.slots.byteLength;
  }

  /** 0 where there is none. */
  get(key: number): number {
    const place = this.#placeOf(key);
    return this.slots[2 * place] === key ? (this.slots[2 * place + 1] as number) : 0;
  }

  set(key: number, value: number): void {
    let place = this.#placeOf(key);
    if (this.slots[2 * place] === 0) {
      this.#size += 1;
      if (this.#size * 2 > this.#mask) {
        this.#grow();
        place = this.#placeOf(key);
      }
    }
    this.slots[2 * place] = key;
    this.slots[2 * place + 1] = value;
  }

  delete(key: number): void {
    const { slots } = this;
    let hole = this.#placeOf(key);
    if (slots[2 * hole] === 0) return;
    this.#size -= 1;
    // What was pushed on by the key moves up, unless it would be in front of its home.
    for (let place = this.#after(hole); slots[2 * place] !== 0; place = this.#after(place)) {
      const home = this.#home(slots[2 * place] as number);
      if (((place - home) & this.#mask) < ((place - hole) & this.#mask)) continue;
      slots[2 * hole] = slots[2 * place] as number;
      slots[2 * hole + 1] = slots[2 * place + 1] as number;
      hole = place;
    }
    slots[2 * hole] = 0;
    slots[2 * hole + 1] = 0;
  }

  #home(key: number): number {
    return Math.imul(key, MULTIPLIER) >>> (this.#shift & 31);
  }

  #after(place: number): number {
    return (place + 1) & this.#mask;
  }

  /** Where the key is, or would be. */
  #placeOf(key: number): number {
    let place = this.#home(key);
    for (let found = this.slots[2 * place]; found !== key && found !== 0; found = this.slots[2 * place])
      place = this.#after(place);
    return place;
  }

  #grow(): void {
    const { slots } = this;
    this.slots = new Uint32Array(slots.length * 2);
    this.#mask = 2 * this.#mask + 1;
    this.#shift -= 1;
    for (let slot = 0; slot < slots.length; slot += 2) {
      const key = slots[slot] as number;
      if (key === 0) continue;
      const place = this.#placeOf(key);
      this.slots[2 * place] = key;
      this.slots[2 * place + 1] = slots[slot + 1] as number;
    }
  }
}
