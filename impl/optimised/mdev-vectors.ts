import { ALLOCATED, ARMED, PENDING, UNMASKED } from '#vocabulary';
import { NONE } from './ims-table.ts';
import type { MdevTable } from './mdev-table.ts';
import { NumberSet } from './number-set.ts';

// Bits of a vector that no observation shows, beside ALLOCATED (it has an entry), ARMED (it has a trigger), UNMASKED
// (as the guest has it) and PENDING (the driver's own).
/** The guest was told a handle. */
export const TOLD = 16;
/** MSIX_PERM was written since the last observation. */
const WRITTEN = 32;
const SEEN = ALLOCATED | ARMED | UNMASKED | PENDING;

/** A vector of an mdev as one number: 2048 for each mdev. */
export function vectorOf(mdev: number, vector: number): number {
  return (mdev << 11) | vector;
}

export function mdevOf(vector: number): number {
  return vector >>> 11;
}

/** The place of a vector in the MSI-X table of its mdev. */
export function placeOf(vector: number): number {
  return vector & 0x7ff;
}

/** The vectors of all mdevs in columns; a mdev has as many places in them as it has vectors. */
export class MdevVectors {
  readonly #mdevs: MdevTable;

  // These by place, which is where the vectors of the mdev begin, and the vector.
  flags = new Uint8Array(0);
  /** MSIX_PERM. */
  perm = new Uint32Array(0);
  /** The trigger, while the vector is ARMED. */
  slots = new Int32Array(0);
  generations = new Int32Array(0);
  /** The entry, while the vector is ALLOCATED. */
  entries = new Uint16Array(0);
  /** The handle that the guest was told, while the vector is TOLD. */
  handles = new Uint16Array(0);
  reported = new Uint8Array(0);
  /** Places whose state may not be as it was observed last. */
  readonly touched = new NumberSet();
  /** Places that have had anything since the scenario began. */
  readonly used = new NumberSet();

  /** Vectors whose MSIX_PERM was written since the last observation, as far as #writtenCount, and what it was. */
  readonly #written: number[] = [];
  readonly #before: number[] = [];
  #writtenCount = 0;
  /** How many of them have been observed. */
  #takenCount = 0;

  constructor(mdevs: MdevTable) {
    this.#mdevs = mdevs;
  }

  /** Every vector is as after creation. Undoes what the last scenario did, and nothing else. */
  begin(count: number): void {
    for (let place = this.used.next(0); place !== -1; place = this.used.next(place + 1)) {
      this.flags[place] = 0;
      this.perm[place] = 0;
      this.reported[place] = 0;
    }
    this.used.clear();
    this.touched.clear();
    this.#writtenCount = 0;
    this.#takenCount = 0;
    if (count > this.flags.length) this.#reserve(count);
  }

  #reserve(count: number): void {
    this.flags = new Uint8Array(count);
    this.perm = new Uint32Array(count);
    this.slots = new Int32Array(count);
    this.generations = new Int32Array(count);
    this.entries = new Uint16Array(count);
    this.handles = new Uint16Array(count);
    this.reported = new Uint8Array(count);
    this.touched.reserve(count);
    this.used.reserve(count);
  }

  /** Bytes of all columns. */
  bytes(): number {
    const columns = [this.flags, this.perm, this.slots, this.generations, this.entries, this.handles, this.reported];
    return columns.reduce((sum, c) => sum + c.byteLength, this.touched.bytes() + this.used.bytes());
  }

  #place(vector: number): number {
    return (this.#mdevs.firstVector[mdevOf(vector)] as number) + placeOf(vector);
  }

  /** The state of a vector may have changed. */
  touch(vector: number): void {
    this.#touchPlace(vector, this.#place(vector));
  }

  #touchPlace(vector: number, place: number): void {
    this.touched.add(place);
    this.used.add(place);
    this.#mdevs.touched.add(mdevOf(vector));
  }

  /** The next vector of an mdev from a place in its table on that has had anything in this scenario, or NONE. */
  next(mdev: number, from: number): number {
    return this.#nextIn(this.used, mdev, from);
  }

  /** The next vector of the mdev from a place in its table on with an entry, or NONE. Faster where most have one. */
  nextAllocated(mdev: number, from: number): number {
    const first = this.#mdevs.firstVector[mdev] as number;
    const count = this.#mdevs.vectorCount[mdev] as number;
    const { flags } = this;
    for (let vector = from; vector < count; vector += 1)
      if (((flags[first + vector] as number) & ALLOCATED) !== 0) return vectorOf(mdev, vector);
    return NONE;
  }

  /** The next vector of the mdev from a place in its table on whose state may have changed, or NONE. */
  nextTouched(mdev: number, from: number): number {
    return this.#nextIn(this.touched, mdev, from);
  }

  #nextIn(places: NumberSet, mdev: number, from: number): number {
    const first = this.#mdevs.firstVector[mdev] as number;
    const place = places.next(first + from);
    const vector = place - first;
    return place === -1 || vector >= (this.#mdevs.vectorCount[mdev] as number) ? NONE : vectorOf(mdev, vector);
  }

  has(vector: number, bit: number): boolean {
    return ((this.flags[this.#place(vector)] as number) & bit) !== 0;
  }

  set(vector: number, bits: number): void {
    const place = this.#place(vector);
    this.flags[place] = (this.flags[place] as number) | bits;
    this.#touchPlace(vector, place);
  }

  clear(vector: number, bits: number): void {
    const place = this.#place(vector);
    this.flags[place] = (this.flags[place] as number) & ~bits;
    this.#touchPlace(vector, place);
  }

  /** ALLOCATED, ARMED, UNMASKED and PENDING, added up, without what its entry keeps. */
  state(vector: number): number {
    return (this.flags[this.#place(vector)] as number) & SEEN;
  }

  /** Whether a state is not the one observed last. It counts as observed. */
  report(vector: number, state: number): boolean {
    const place = this.#place(vector);
    if (this.reported[place] === state) return false;
    this.reported[place] = state;
    return true;
  }

  /** The eventfd of the trigger. */
  slot(vector: number): number {
    return this.slots[this.#place(vector)] as number;
  }

  generation(vector: number): number {
    return this.generations[this.#place(vector)] as number;
  }

  setTrigger(vector: number, slot: number, generation: number): void {
    const place = this.#place(vector);
    this.slots[place] = slot;
    this.generations[place] = generation;
    this.set(vector, ARMED);
  }

  /** The entry that backs the vector, or NONE. */
  entry(vector: number): number {
    const place = this.#place(vector);
    return ((this.flags[place] as number) & ALLOCATED) === 0 ? NONE : (this.entries[place] as number);
  }

  /** NONE takes it away. */
  setEntry(vector: number, entry: number): void {
    if (entry === NONE) this.clear(vector, ALLOCATED);
    else {
      this.entries[this.#place(vector)] = entry;
      this.set(vector, ALLOCATED);
    }
  }

  /** The handle that the guest was told, or NONE. */
  told(vector: number): number {
    const place = this.#place(vector);
    return ((this.flags[place] as number) & TOLD) === 0 ? NONE : (this.handles[place] as number);
  }

  /** NONE takes it back. */
  setTold(vector: number, handle: number): void {
    if (handle === NONE) this.clear(vector, TOLD);
    else {
      this.handles[this.#place(vector)] = handle;
      this.set(vector, TOLD);
    }
  }

  /** MSIX_PERM as the guest reads it. */
  permOf(vector: number): number {
    return this.perm[this.#place(vector)] as number;
  }

  setPerm(vector: number, value: number): void {
    const place = this.#place(vector);
    if (!this.has(vector, WRITTEN)) {
      this.#written[this.#writtenCount] = vector;
      this.#before[this.#writtenCount] = this.perm[place] as number;
      this.#writtenCount += 1;
      this.set(vector, WRITTEN);
    }
    this.perm[place] = value;
  }

  /** The next vector whose MSIX_PERM is not as it was observed last, or NONE after the last. It counts as observed. */
  takeWritten(): number {
    if (this.#takenCount === 0) this.#sortWritten();
    while (this.#takenCount < this.#writtenCount) {
      const index = this.#takenCount;
      const vector = this.#written[index] as number;
      const place = this.#place(vector);
      this.#takenCount += 1;
      this.flags[place] = (this.flags[place] as number) & ~WRITTEN;
      if (this.perm[place] !== this.#before[index]) return vector;
    }
    this.#writtenCount = 0;
    this.#takenCount = 0;
    return NONE;
  }

  /** A step writes them in ascending order, but for some of a reaction of a VMM. */
  #sortWritten(): void {
    for (let index = 1; index < this.#writtenCount; index += 1) {
      const vector = this.#written[index] as number;
      const before = this.#before[index] as number;
      let place = index;
      for (; place > 0 && (this.#written[place - 1] as number) > vector; place -= 1) {
        this.#written[place] = this.#written[place - 1] as number;
        this.#before[place] = this.#before[place - 1] as number;
      }
      this.#written[place] = vector;
      this.#before[place] = before;
    }
  }
}
