import type { GuestConfigWrite, GuestOperation, GuestTableWrite } from '#vocabulary';
import { CONFIG_WIDTHS, TABLE_WIDTHS } from '#vocabulary';
import { VECTOR_CONTROL_OFFSET, writtenControl, writtenVectorControl } from './guest-access.ts';
import { smaller } from './smaller.ts';

/** Ways to write one operation of a guest more simply. Some are no simpler: who asks compares. */
export function* simplifyGuestOperation(operation: GuestOperation): Generator<GuestOperation> {
  switch (operation.kind) {
    case 'guest.msixControl':
      yield { ...operation, functionMask: false };
      yield { ...operation, enable: true, functionMask: false };
      return;
    case 'guest.configWrite':
      yield* simplifyConfigWrite(operation);
      return;
    case 'guest.tableWrite':
      yield* simplifyTableWrite(operation);
      return;
    case 'guest.tableRead':
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      for (const offset of [0, 4, 8]) yield { ...operation, offset };
      return;
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
      for (const vector of smaller(operation.vector)) yield { ...operation, vector };
      return;
    case 'guest.reset':
      yield { kind: 'guest.busMaster', device: operation.device, enable: false };
      yield { kind: 'guest.msixControl', device: operation.device, enable: false, functionMask: false };
      return;
    case 'guest.busMaster':
      return;
  }
}

/** Towards the write of Message Control that it is, else towards one that writes nothing. */
function* simplifyConfigWrite(operation: GuestConfigWrite): Generator<GuestOperation> {
  const { device, offset, value } = operation;
  const control = writtenControl(operation);
  if (control !== undefined) {
    yield { kind: 'guest.msixControl', device, ...control };
    // As it is, without what a write has no effect on.
    for (const kept of [0x80, 0x40, 0xc0]) yield { ...operation, value: (value & (kept << (8 * (3 - offset)))) >>> 0 };
  }
  yield { ...operation, offset: 0, width: 2, value: lowBytes(value, 2) };
  for (const other of CONFIG_WIDTHS) yield { ...operation, width: other, value: lowBytes(value, other) };
  for (const less of simplerWords(value)) yield { ...operation, value: less };
  for (const less of smaller(offset)) yield { ...operation, offset: less };
}

/** Towards a write of the mask bit, else of less to one field. */
function* simplifyTableWrite(operation: GuestTableWrite): Generator<GuestOperation> {
  const { device, vector, offset, width, value } = operation;
  const { high, ...low } = operation;
  const control = writtenVectorControl(operation);
  if (control !== undefined) yield { kind: control % 2 === 0 ? 'guest.unmask' : 'guest.mask', device, vector };
  for (const less of smaller(vector)) yield { ...operation, vector: less };
  if (width === 8) {
    yield { ...low, width: 4 };
    if (offset <= VECTOR_CONTROL_OFFSET - 4) yield { ...low, offset: offset + 4, width: 4, value: high ?? 0 };
    if (high !== undefined) yield low;
    for (const less of simplerWords(high ?? 0)) yield { ...operation, high: less };
  }
  for (const less of simplerWords(value)) yield { ...operation, value: less };
  for (const other of TABLE_WIDTHS) if (other < 8) yield { ...low, width: other, value: lowBytes(value, other) };
  for (const place of [0, 4, 8, VECTOR_CONTROL_OFFSET, ...smaller(offset)]) yield { ...operation, offset: place };
}

/** Fewer bits of 32, or lower ones. One less at a time would take for ever. */
function* simplerWords(word: number): Generator<number> {
  if (word === 0) return;
  yield* [0, 1, word >>> 1];
  for (let bit = 31; bit >= 0; bit--) if (((word >>> bit) & 1) === 1) yield (word ^ (1 << bit)) >>> 0;
}

/** What a write of so many bytes has of a value. */
function lowBytes(value: number, width: number): number {
  return width < 4 ? value & ((1 << (8 * width)) - 1) : value;
}
