import {
  firstMessage,
  type GuestConfigWrite,
  type GuestOperation,
  type GuestTableWrite,
  type Message,
  MSIX_ENTRY_BYTES,
  type PciFunction,
} from '#vocabulary';
import { VectorMap, VectorSet } from './by-vector.ts';
import { flags, type Memory, type Words } from './memory.ts';

/** What a guest has written that decides about all vectors of a function at once. */
export interface Gates {
  readonly enable: boolean;
  readonly functionMask: boolean;
  readonly busMaster: boolean;
}

export interface Entry extends Message {
  readonly control: number;
}

interface MaskWrite {
  readonly vector: number;
  /** Whether it was masked before the operation, which writes to no mask bit twice. */
  readonly before: boolean;
}

const MASK_BIT = 1;
const EMPTY: Entry = { address: 0, high: 0, data: 0, control: MASK_BIT };
const NO_WRITES: readonly MaskWrite[] = [];
const NO_MESSAGES: readonly Message[] = [];

/**
 * What the guest has written to one function, followed from its operations alone: an interrupt may come exactly when
 * this says so, whatever the VMM and the host do.
 * Source: PCIe 6.0, 7.7.2; which accesses reach the table: msix_table_mmio_write, memory_access_size, QEMU 7.2.
 */
export class GuestTable implements Memory<GuestTable> {
  gatesBefore: Gates = { enable: false, functionMask: false, busMaster: true };
  gates: Gates = this.gatesBefore;
  /** Vectors whose mask bit is clear. */
  readonly unmasked = new VectorSet();
  /** What the operation has written to mask bits. */
  maskWrites: readonly MaskWrite[] = NO_WRITES;
  readonly config: PciFunction;
  readonly place: number;
  /** As far as the guest has written them. */
  readonly entries = new VectorMap<Entry>();
  /** Messages that an open vector has had since it was last closed. */
  readonly earlier = new VectorMap<readonly Message[]>();
  wasReset = false;

  constructor(config: PciFunction, place: number) {
    this.config = config;
    this.place = place;
  }

  become(other: GuestTable): void {
    this.gates = other.gates;
    this.wasReset = other.wasReset;
    this.unmasked.become(other.unmasked);
    this.entries.become(other.entries);
    this.earlier.become(other.earlier);
  }

  tell(words: Words): void {
    const { enable, functionMask, busMaster } = this.gates;
    words.put(flags(enable, functionMask, busMaster, this.wasReset));
  }

  /** Messages of before are no longer a closed vector's from the next step on. */
  tellVector(vector: number, words: Words): void {
    const entry = this.#entry(vector);
    const earlier = this.isOpen(vector) ? (this.earlier.get(vector) ?? NO_MESSAGES) : NO_MESSAGES;
    words.put(flags(this.unmasked.has(vector)) + earlier.length * 2);
    // Of the control word the mask bit is told already.
    words.put(entry.control < 2 ? 0 : entry.control);
    this.#tellMessage(vector, entry, words);
    for (const message of earlier) this.#tellMessage(vector, message, words);
  }

  /** A message is nearly always the first of its vector, which is another one for each, or the empty one of a reset. */
  #tellMessage(vector: number, { address, high, data }: Message, words: Words): void {
    const first = firstMessage(this.place, vector);
    const isFirst = address === first.address && high === first.high && data === first.data;
    words.put(isFirst ? 1 : 0);
    if (isFirst) return;
    words.put(address);
    words.put(high);
    words.put(data);
  }

  /** Whether the guest lets the vector through, bus mastering aside: MSI-X on, nothing masked. */
  isOpen(vector: number): boolean {
    return this.gates.enable && !this.gates.functionMask && this.unmasked.has(vector);
  }

  wasOpen(vector: number): boolean {
    return this.gatesBefore.enable && !this.gatesBefore.functionMask && !this.#wasMasked(vector);
  }

  #wasMasked(vector: number): boolean {
    for (const write of this.maskWrites) if (write.vector === vector) return write.before;
    return !this.unmasked.has(vector);
  }

  /** The 32 bits at a place of an entry. */
  read(vector: number, offset: number): number {
    const { address, high, data, control } = this.#entry(vector);
    return [address, high, data, control][offset >> 2] ?? 0;
  }

  /**
   * What may come as the vector's message: what its entry says, or has said since the vector was last closed. To
   * rewrite an entry that is not masked is undefined.
   * Source: PCIe 6.0, 6.1.4.2.
   */
  messages(vector: number): readonly Message[] {
    const earlier = this.earlier.get(vector);
    return earlier === undefined ? [this.#entry(vector)] : [this.#entry(vector), ...earlier];
  }

  /** @param operation what the guest does to this function, or null when the step is about something else */
  follow(operation: GuestOperation | null): void {
    this.gatesBefore = this.gates;
    this.maskWrites = NO_WRITES;
    for (let vector = this.earlier.next(0); vector !== -1; vector = this.earlier.next(vector + 1))
      if (!this.isOpen(vector)) this.earlier.delete(vector);
    if (operation !== null) this.#do(operation);
  }

  #do(operation: GuestOperation): void {
    switch (operation.kind) {
      case 'guest.msixControl':
        this.#writeControl(operation.enable, operation.functionMask);
        return;
      case 'guest.configWrite':
        this.#writeConfig(operation);
        return;
      case 'guest.mask':
      case 'guest.unmask':
        this.#write(operation.vector * MSIX_ENTRY_BYTES + 12, operation.kind === 'guest.mask' ? MASK_BIT : 0);
        return;
      case 'guest.tableWrite':
        if (operation.vector < this.config.msixVectors) this.#writeTable(operation);
        return;
      case 'guest.busMaster':
        this.gates = { ...this.gates, busMaster: operation.enable };
        return;
      case 'guest.reset':
        this.#reset();
        return;
      case 'guest.tableRead':
      case 'guest.readPba':
        return;
    }
  }

  #writeControl(enable: boolean, functionMask: boolean): void {
    if (this.config.msixVectors > 0) this.gates = { enable, functionMask, busMaster: this.gates.busMaster };
  }

  /** Only bits 15 and 14 of Message Control can be written, which are in byte 3 of the capability. */
  #writeConfig({ offset, width, value }: GuestConfigWrite): void {
    if (offset > 3 || offset + width <= 3) return;
    const high = value >>> (8 * (3 - offset));
    this.#writeControl((high & 0x80) !== 0, (high & 0x40) !== 0);
  }

  /** An access is split into aligned ones; of those the ones of 4 bytes are done, and of 8 as two. */
  #writeTable({ vector, offset, width, value, high = 0 }: GuestTableWrite): void {
    const start = vector * MSIX_ENTRY_BYTES + offset;
    let done = 0;
    while (done < width) {
      const length = pieceLength(start + done, width - done);
      for (let at = done; length >= 4 && at < done + length; at += 4) this.#write(start + at, wordAt(value, high, at));
      done += length;
    }
  }

  #write(address: number, value: number): void {
    const vector = Math.floor(address / MSIX_ENTRY_BYTES);
    if (vector >= this.config.msixVectors) return;
    const entry = this.#entry(vector);
    const field = (address % MSIX_ENTRY_BYTES) >> 2;
    if (field === 3) {
      this.#setMask(vector, (value & MASK_BIT) !== 0);
      this.entries.set(vector, { address: entry.address, high: entry.high, data: entry.data, control: value });
      return;
    }
    this.#keep(vector, entry);
    const { address: low, high, data, control } = entry;
    this.entries.set(vector, {
      address: field === 0 ? value : low,
      high: field === 1 ? value : high,
      data: field === 2 ? value : data,
      control,
    });
  }

  #setMask(vector: number, masked: boolean): void {
    this.maskWrites = [...this.maskWrites, { vector, before: !this.unmasked.has(vector) }];
    if (masked) this.unmasked.delete(vector);
    else this.unmasked.add(vector);
  }

  #keep(vector: number, { address, high, data }: Message): void {
    if (!this.wasOpen(vector)) return;
    this.earlier.set(vector, [...(this.earlier.get(vector) ?? NO_MESSAGES), { address, high, data }]);
  }

  #reset(): void {
    const writes: MaskWrite[] = [];
    for (let vector = this.unmasked.next(0); vector !== -1; vector = this.unmasked.next(vector + 1)) {
      this.#keep(vector, this.#entry(vector));
      writes.push({ vector, before: false });
    }
    this.maskWrites = writes;
    this.unmasked.clear();
    this.wasReset = true;
    this.entries.clear();
    this.gates = { enable: false, functionMask: false, busMaster: false };
  }

  #entry(vector: number): Entry {
    const known = this.entries.get(vector);
    if (known !== undefined) return known;
    if (this.wasReset) return EMPTY;
    const { address, high, data } = firstMessage(this.place, vector);
    return { address, high, data, control: MASK_BIT };
  }
}

/** Bytes of the next access of a split one: a power of two, 8 at most, and of natural alignment. */
function pieceLength(address: number, left: number): number {
  const aligned = address === 0 ? 8 : address & -address;
  let length = 8;
  while (length > left || length > aligned) length >>= 1;
  return length;
}

/** The 32 bits from a byte on of 64 in two halves. */
function wordAt(low: number, high: number, byte: number): number {
  if (byte === 0) return low >>> 0;
  return byte < 4 ? ((low >>> (8 * byte)) | (high << (32 - 8 * byte))) >>> 0 : high >>> (8 * (byte - 4));
}
