import {
  firstMessage,
  type GuestConfigWrite,
  type GuestOperation,
  type GuestTableWrite,
  type Message,
  MSIX_ENTRY_BYTES,
  type PciFunction,
} from '#vocabulary';

import { flagsKey, type Memory } from './memory.ts';

/** What a guest has written that decides about all vectors of a function at once. */
export interface Gates {
  readonly enable: boolean;
  readonly functionMask: boolean;
  readonly busMaster: boolean;
}

interface Entry extends Message {
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

/**
 * What the guest has written to one function, followed from its operations alone: an interrupt may come exactly when
 * this says so, whatever the VMM and the host do.
 * Source: PCIe 6.0, 7.7.2; which accesses reach the table: msix_table_mmio_write, memory_access_size, QEMU 7.2.
 */
export class GuestTable implements Memory<GuestTable> {
  gatesBefore: Gates = { enable: false, functionMask: false, busMaster: true };
  gates: Gates = this.gatesBefore;
  /** Vectors whose mask bit is clear. */
  readonly unmasked = new Set<number>();
  /** What the operation has written to mask bits. */
  maskWrites: readonly MaskWrite[] = NO_WRITES;
  readonly #config: PciFunction;
  readonly #place: number;
  /** As far as the guest has written them. */
  readonly #entries = new Map<number, Entry>();
  /** Messages that an open vector has had since it was last closed. */
  readonly #earlier = new Map<number, Message[]>();
  #wasReset = false;

  constructor(config: PciFunction, place: number) {
    this.#config = config;
    this.#place = place;
  }

  copy(): GuestTable {
    const copy = new GuestTable(this.#config, this.#place);
    copy.gates = this.gates;
    copy.gatesBefore = this.gates;
    copy.#wasReset = this.#wasReset;
    for (const vector of this.unmasked) copy.unmasked.add(vector);
    for (const [vector, entry] of this.#entries) copy.#entries.set(vector, entry);
    for (const [vector, earlier] of this.#earlier) copy.#earlier.set(vector, earlier.slice());
    return copy;
  }

  key(): string {
    const { enable, functionMask, busMaster } = this.gates;
    return flagsKey(enable, functionMask, busMaster, this.#wasReset);
  }

  /** Messages of before are no longer a closed vector's from the next step on. */
  keyOf(vector: number): string {
    const { control, ...message } = this.#entry(vector);
    const earlier = this.isOpen(vector) ? (this.#earlier.get(vector) ?? []) : [];
    const messages = [message, ...earlier].map((one) => this.#messageKey(vector, one));
    return `${flagsKey(this.unmasked.has(vector))}${control < 2 ? '' : control}${messages.join('')}`;
  }

  #messageKey(vector: number, { address, high, data }: Message): string {
    if (address === 0 && high === 0 && data === 0) return 'z';
    const first = firstMessage(this.#place, vector);
    const isFirst = address === first.address && high === first.high && data === first.data;
    return isFirst ? 'f' : `m${high}.${address}.${data}`;
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
    const earlier = this.#earlier.get(vector);
    return earlier === undefined ? [this.#entry(vector)] : [this.#entry(vector), ...earlier];
  }

  /** @param operation what the guest does to this function, or null when the step is about something else */
  follow(operation: GuestOperation | null): void {
    this.gatesBefore = this.gates;
    this.maskWrites = NO_WRITES;
    if (this.#earlier.size > 0)
      for (const vector of this.#earlier.keys()) if (!this.isOpen(vector)) this.#earlier.delete(vector);
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
        if (operation.vector < this.#config.msixVectors) this.#writeTable(operation);
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
    if (this.#config.msixVectors > 0) this.gates = { ...this.gates, enable, functionMask };
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
    if (vector >= this.#config.msixVectors) return;
    const entry = this.#entry(vector);
    const field = (address % MSIX_ENTRY_BYTES) >> 2;
    if (field === 3) {
      this.#setMask(vector, (value & MASK_BIT) !== 0);
      this.#entries.set(vector, { address: entry.address, high: entry.high, data: entry.data, control: value });
      return;
    }
    this.#keep(vector, entry);
    const { address: low, high, data, control } = entry;
    this.#entries.set(vector, {
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
    const earlier = this.#earlier.get(vector) ?? [];
    earlier.push({ address, high, data });
    this.#earlier.set(vector, earlier);
  }

  #reset(): void {
    const writes: MaskWrite[] = [];
    for (const vector of this.unmasked) {
      this.#keep(vector, this.#entry(vector));
      writes.push({ vector, before: false });
    }
    this.maskWrites = writes;
    if (this.unmasked.size > 0) this.unmasked.clear();
    this.#wasReset = true;
    this.#entries.clear();
    this.gates = { enable: false, functionMask: false, busMaster: false };
  }

  #entry(vector: number): Entry {
    const known = this.#entries.get(vector);
    if (known !== undefined) return known;
    if (this.#wasReset) return EMPTY;
    const { address, high, data } = firstMessage(this.#place, vector);
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
