import { IMS_MASK, IMS_PASID_ENABLE, PASID_SHIFT } from '#vocabulary';
import { NumberSet } from './number-set.ts';

/** No entry and no vector. */
export const NONE = -1;
const PASID_FIELD = inPasidField(-1);
/** A bit that the control word does not have. */
const HANDLE = 16;

/**
 * The IMS table in columns, and whose its entries are. A vector is one number here: the place of its mdev times 2048,
 * plus its own. Everything but `begin` costs the same whatever the size.
 */
export class ImsTable {
  /** Size of the table. */
  entries = 0;
  /** Entries that have an owner. */
  takenCount = 0;

  // These by entry.
  /** The control word as the hardware has it. */
  control = new Uint32Array(0);
  /** Message Data. */
  data = new Uint32Array(0);
  /** The vector it backs, or NONE. */
  owner = new Int32Array(0);
  /** 1 where descriptors may name it by a handle that was requested. */
  handle = new Uint8Array(0);

  // As it was observed last; an entry that is not touched is still so.
  /** With HANDLE where descriptors could name it. */
  reportedControl = new Uint32Array(0);
  reportedData = new Uint32Array(0);
  reportedOwner = new Int32Array(0);
  readonly touched = new NumberSet();

  /** Those below #fresh without an owner. Those from there on never had one. */
  readonly freeEntries = new NumberSet();
  #fresh = 0;

  /** Every entry is clean and nobody's. Undoes what the last scenario did, and nothing else. */
  begin(entries: number): void {
    for (let entry = 0; entry < this.#fresh; entry += 1) this.#wipe(entry);
    this.touched.clear();
    this.freeEntries.clear();
    this.#fresh = 0;
    this.takenCount = 0;
    this.entries = entries;
    if (entries > this.control.length) this.#reserve(entries);
  }

  #reserve(entries: number): void {
    this.control = new Uint32Array(entries).fill(IMS_MASK);
    this.data = new Uint32Array(entries);
    this.owner = new Int32Array(entries).fill(NONE);
    this.handle = new Uint8Array(entries);
    this.reportedControl = new Uint32Array(entries).fill(IMS_MASK);
    this.reportedData = new Uint32Array(entries);
    this.reportedOwner = new Int32Array(entries).fill(NONE);
    this.touched.reserve(entries);
    this.freeEntries.reserve(entries);
  }

  #wipe(entry: number): void {
    this.control[entry] = IMS_MASK;
    this.data[entry] = 0;
    this.owner[entry] = NONE;
    this.handle[entry] = 0;
    this.#report(entry);
  }

  /** Bytes of all columns. */
  bytes(): number {
    const columns = [this.control, this.data, this.owner, this.handle];
    const reported = [this.reportedControl, this.reportedData, this.reportedOwner];
    const sets = this.touched.bytes() + this.freeEntries.bytes();
    return [...columns, ...reported].reduce((sum, { byteLength }) => sum + byteLength, sets);
  }

  /** The lowest entry without an owner is the vector's from now on. NONE where there is no such entry. */
  allocate(vector: number): number {
    let entry = this.freeEntries.takeSmallest();
    if (entry === -1) {
      if (this.#fresh === this.entries) return NONE;
      entry = this.#fresh;
      this.#fresh += 1;
    }
    this.takenCount += 1;
    this.owner[entry] = vector;
    this.touched.add(entry);
    return entry;
  }

  /** The entry is nobody's. */
  free(entry: number): void {
    this.takenCount -= 1;
    this.owner[entry] = NONE;
    this.freeEntries.add(entry);
    this.touched.add(entry);
  }

  /** What the hardware does before it begins with a descriptor (DSA 3.0, 5.4): all of PASID and PASID Enable. */
  check(handle: number, pasid: number, requested: boolean): boolean {
    if (handle >= this.entries || (requested && this.handle[handle] === 0)) return false;
    const field = IMS_PASID_ENABLE | inPasidField(pasid);
    return (((this.control[handle] as number) ^ field) & (PASID_FIELD | IMS_PASID_ENABLE)) === 0;
  }

  has(entry: number, bit: number): boolean {
    return ((this.control[entry] as number) & bit) !== 0;
  }

  set(entry: number, bits: number): void {
    this.control[entry] = (this.control[entry] as number) | bits;
    this.touched.add(entry);
  }

  clear(entry: number, bits: number): void {
    this.control[entry] = (this.control[entry] as number) & ~bits;
    this.touched.add(entry);
  }

  /** The PASID field, whether it is enabled or not. */
  pasid(entry: number): number {
    return pasidFieldOf(this.control[entry] as number);
  }

  /** Whether it is enabled and the PASID is this one. */
  carries(entry: number, pasid: number): boolean {
    return this.has(entry, IMS_PASID_ENABLE) && this.pasid(entry) === pasid;
  }

  /** Replaces PASID and PASID Enable; 0 is none. */
  setPasid(entry: number, pasid: number): void {
    const rest = (this.control[entry] as number) & ~(PASID_FIELD | IMS_PASID_ENABLE);
    this.control[entry] = pasid === 0 ? rest : rest | IMS_PASID_ENABLE | inPasidField(pasid);
    this.touched.add(entry);
  }

  setData(entry: number, data: number): void {
    this.data[entry] = data;
    this.touched.add(entry);
  }

  setHandle(entry: number, value: boolean): void {
    this.handle[entry] = Number(value);
    this.touched.add(entry);
  }

  /** The next entry from `from` on that is not as it was observed last, or NONE. It counts as observed. */
  nextChange(from: number): number {
    for (let entry = this.touched.next(from); entry !== -1; entry = this.touched.next(entry + 1))
      if (this.#differs(entry)) {
        this.#report(entry);
        return entry;
      }
    this.touched.clear();
    return NONE;
  }

  #differs(entry: number): boolean {
    return (
      this.#controlWithHandle(entry) !== this.reportedControl[entry] ||
      this.data[entry] !== this.reportedData[entry] ||
      this.owner[entry] !== this.reportedOwner[entry]
    );
  }

  #report(entry: number): void {
    this.reportedControl[entry] = this.#controlWithHandle(entry);
    this.reportedData[entry] = this.data[entry] as number;
    this.reportedOwner[entry] = this.owner[entry] as number;
  }

  #controlWithHandle(entry: number): number {
    return ((this.control[entry] as number) | (this.handle[entry] === 0 ? 0 : HANDLE)) >>> 0;
  }
}

/** Bits in the place that a PASID has in the control word and in MSIX_PERM. */
export function inPasidField(pasid: number): number {
  return pasid << (PASID_SHIFT & 31);
}

/** The PASID in a control word or in MSIX_PERM. */
export function pasidFieldOf(word: number): number {
  return word >>> (PASID_SHIFT & 31);
}
