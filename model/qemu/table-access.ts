import { type GuestTableWrite, MSIX_ENTRY_BYTES, type Outcome } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { handleMaskUpdate } from './mask-update.ts';
import { type Entry, entryOf, isMasked, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  beyondTable: {
    id: 'qemu.table-access.beyond-table',
    title: 'An entry that the table does not have is EINVAL.',
    source: 'ours: there is no place to read or write',
  },
  split: {
    id: 'qemu.table-access.split',
    title: 'A write is done in the largest aligned pieces it has.',
    source: 'memory_access_size, flatview_write_continue, QEMU 7.2 and 10.0',
  },
  tooNarrow: {
    id: 'qemu.table-access.too-narrow',
    title: 'A piece of one or two bytes is dropped.',
    source: 'msix_table_mmio_ops (valid.min_access_size), QEMU 7.2 and 10.0',
  },
  behindTable: {
    id: 'qemu.table-access.behind-table',
    title: 'A piece behind the last entry is not for the table.',
    source: 'msix_init (msix-table region), QEMU 7.2 and 10.0',
  },
  message: {
    id: 'qemu.table-access.message',
    title: 'A message is stored and nobody is told.',
    source: 'msix_table_mmio_write, QEMU 7.2 and 10.0',
  },
  control: {
    id: 'qemu.table-access.control',
    title: 'All of Vector Control is stored, and its bit 0 masks.',
    source: 'msix_table_mmio_write, msix_vector_masked, QEMU 7.2 and 10.0',
  },
});

const FIELDS = ['address', 'high', 'data', 'control'] as const;
const WORD_BYTES = 4;
const PIECE_BYTES_MAX = 8;
const MASKED = 1;

/** A write to the table that the guest sees. Source: msix_table_mmio_write, QEMU 7.2 and 10.0. */
export function tableWrite(
  vmm: Vmm,
  vf: VirtualFunction,
  { vector, offset, width, value, high = 0 }: Omit<GuestTableWrite, 'kind' | 'device'>,
): Outcome {
  if (isBeyondTable(vf, vector)) return { kind: 'errno', errno: 'EINVAL' };
  const start = vector * MSIX_ENTRY_BYTES + offset;
  for (let done = 0; done < width; ) {
    const piece = pieceBytes(start + done, width - done);
    if (piece < width) cite(CLAUSE.split);
    if (piece < WORD_BYTES) cite(CLAUSE.tooNarrow);
    for (let word = 0; word + WORD_BYTES <= piece; word += WORD_BYTES)
      writeWord(vmm, vf, start + done + word, wordOf(value, high, done + word));
    done += piece;
  }
  return { kind: 'ok' };
}

/** The largest aligned power of two. Source: memory_access_size, QEMU 7.2 and 10.0. */
function pieceBytes(address: number, left: number): number {
  let bytes = PIECE_BYTES_MAX;
  while (bytes > left || address % bytes !== 0) bytes /= 2;
  return bytes;
}

/** The 32 bits from a byte on, of the 64 that were written; `from` is 4 at most. Source: PCIe 6.0, 7.7.2. */
function wordOf(value: number, high: number, from: number): number {
  if (from === 0) return value;
  if (from === WORD_BYTES) return high;
  const below = 2 ** (8 * from);
  return Math.floor(value / below) + (high % below) * (2 ** 32 / below);
}

/** @param place in bytes from the start of the table */
function writeWord(vmm: Vmm, vf: VirtualFunction, place: number, value: number): void {
  const vector = Math.floor(place / MSIX_ENTRY_BYTES);
  if (vector >= vf.device.config.msixVectors) {
    cite(CLAUSE.behindTable);
    return;
  }
  const field = fieldAt(place % MSIX_ENTRY_BYTES);
  const wasMasked = isMasked(vf, vector);
  vf.entries.set(vector, written(entryOf(vf, vector), field, value));
  if (field !== 'control') {
    cite(CLAUSE.message);
    return;
  }
  cite(CLAUSE.control);
  if (value % 2 === MASKED) vf.unmasked.delete(vector);
  else vf.unmasked.add(vector);
  handleMaskUpdate(vmm, vf, vector, wasMasked);
}

/** @param offset in bytes from the start of the entry. Source: PCIe 6.0, 7.7.2. */
function fieldAt(offset: number): keyof Entry {
  return FIELDS[offset / WORD_BYTES] as keyof Entry;
}

/** Source: PCIe 6.0, 7.7.2. */
function written({ address, high, data, control }: Entry, field: keyof Entry, value: number): Entry {
  switch (field) {
    case 'address':
      return { address: value, high, data, control };
    case 'high':
      return { address, high: value, data, control };
    case 'data':
      return { address, high, data: value, control };
    case 'control':
      return { address, high, data, control: value };
  }
}

/** A read of 32 bits. Source: msix_table_mmio_read, QEMU 7.2 and 10.0. */
export function tableRead(vf: VirtualFunction, vector: number, offset: number): Outcome {
  if (isBeyondTable(vf, vector)) return { kind: 'errno', errno: 'EINVAL' };
  return { kind: 'value', value: entryOf(vf, vector)[fieldAt(offset)] };
}

/** Source: PCIe 6.0, 7.7.2.2 (Table Size). */
export function isBeyondTable({ device }: VirtualFunction, vector: number): boolean {
  if (vector < device.config.msixVectors) return false;
  cite(CLAUSE.beyondTable);
  return true;
}
