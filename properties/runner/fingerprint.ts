/**
 * 64 bits of a state, made of the words that it is told in; a StateSet keeps 63 of them. Of ten million states two
 * have the same with a probability of some millionths. Vectors that stand for each other are told as fingerprints.
 */
export class Fingerprint {
  low = 0;
  high = 0;

  begin(): this {
    this.low = 0x811c9dc5 | 0;
    this.high = 0x9e3779b1 | 0;
    return this;
  }

  /** Source: MurmurHash3, with two pairs of multipliers. */
  put(word: number): void {
    let low = Math.imul(word, 0xcc9e2d51);
    low = this.low ^ Math.imul((low << 15) | (low >>> 17), 0x1b873593);
    this.low = (Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64) | 0;
    let high = Math.imul(word, 0x239b961b);
    high = this.high ^ Math.imul((high << 16) | (high >>> 16), 0xab0e9789);
    this.high = (Math.imul((high << 17) | (high >>> 15), 5) + 0x561ccd1b) | 0;
  }

  /** Makes this one a part of what another is of. */
  tellTo(whole: Fingerprint): void {
    whole.put(this.low);
    whole.put(this.high);
  }

  /** Whether it is of the same state. */
  equals({ low, high }: Fingerprint): boolean {
    return this.low === low && this.high === high;
  }
}
