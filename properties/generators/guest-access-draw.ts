import type { Random } from 'fast-check';
import type { GuestConfigWrite, GuestTableRead, GuestTableWrite } from '#vocabulary';
import { CONFIG_WIDTHS, firstMessage, MSIX_CAPABILITY_BYTES, MSIX_ENTRY_BYTES, TABLE_WIDTHS } from '#vocabulary';
import { CONTROL_HIGH_BYTE, ENABLE, FUNCTION_MASK, VECTOR_CONTROL_OFFSET } from './guest-access.ts';
import type { GuestDeviceMemory } from './guest-memory.ts';
import type { Asked } from './guest-mix.ts';
import { drawUsed } from './guest-vector.ts';
import { chance, pick } from './random.ts';

/** Vector Control with the mask bit clear, or set, and bits beside it that mean nothing. */
const UNMASKING: readonly number[] = [0, 0, 0xfffffffe, 2];
const MASKING: readonly number[] = [1, 1, 0xffffffff, 3];

const ADDRESSES: readonly number[] = [0xfee00000, 0xfee01000, 0x100ffc, 0xfffffffc, 0];
const UPPER_ADDRESSES: readonly number[] = [0, 0, 0, 1, 0xffffffff];
const DATA: readonly number[] = [0, 1, 0x41, 0x4021, 0xffffffff];
const ANYTHING: readonly number[] = [0, 1, 0xff, 0x8000, 0xc000, 0xfffffffe, 0xffffffff];

const READ_OFFSETS: readonly number[] = [0, 4, 8, VECTOR_CONTROL_OFFSET, VECTOR_CONTROL_OFFSET];
const CONTROLS: readonly number[] = [ENABLE, ENABLE, 0, ENABLE | FUNCTION_MASK, FUNCTION_MASK];

/** A write to the table: mostly of a message, or of a mask bit with company; now and then any bytes. */
export function drawTableWrite(random: Random, memory: GuestDeviceMemory, device: number): GuestTableWrite {
  const vector = drawUsed(random, memory);
  const choice = random.nextInt(0, 19);
  if (choice < 9) return pick(random, drawMessage(random, memory, device, vector));
  if (choice < 13) return spelledMask(random, device, vector, chance(random, 60) ? UNMASKING : MASKING);
  const offset = random.nextInt(0, MSIX_ENTRY_BYTES - 1);
  const width = pick(random, TABLE_WIDTHS);
  const high = width === 8 && chance(random, 70) ? pick(random, ANYTHING) : undefined;
  const value = pick(random, ANYTHING);
  if (high === undefined) return { kind: 'guest.tableWrite', device, vector, offset, width, value };
  return { kind: 'guest.tableWrite', device, vector, offset, width, value, high };
}

/** A write of 4 bytes of an entry. */
function word(device: number, vector: number, offset: number, value: number): GuestTableWrite {
  return { kind: 'guest.tableWrite', device, vector, offset, width: 4, value };
}

/** A write of 8 bytes of an entry; the upper 4 are left out where they are 0. */
function doubleWord(device: number, vector: number, offset: number, value: number, high: number): GuestTableWrite {
  if (high === 0) return { kind: 'guest.tableWrite', device, vector, offset, width: 8, value };
  return { kind: 'guest.tableWrite', device, vector, offset, width: 8, value, high };
}

/** Writes that give a vector a message, its own or another's now and then, in the order in which drivers do. */
export function drawMessage(
  random: Random,
  { hot }: GuestDeviceMemory,
  device: number,
  vector: number,
): readonly GuestTableWrite[] {
  const like = firstMessage(device, chance(random, 50) ? vector : pick(random, hot));
  const isLike = chance(random, 60);
  const address = isLike ? like.address : pick(random, ADDRESSES);
  const high = isLike ? 0 : pick(random, UPPER_ADDRESSES);
  const data = word(device, vector, 8, isLike ? like.data : pick(random, DATA));
  if (chance(random, 30)) return [doubleWord(device, vector, 0, address, high), data];
  const low = word(device, vector, 0, address);
  return high === 0 && chance(random, 60) ? [low, data] : [low, word(device, vector, 4, high), data];
}

export function drawTableRead(random: Random, memory: GuestDeviceMemory, device: number): GuestTableRead {
  const offset = pick(random, READ_OFFSETS);
  return { kind: 'guest.tableRead', device, vector: drawUsed(random, memory), offset };
}

/** Any bytes of the capability: half of them write Message Control. */
export function drawConfigWrite(random: Random, device: number): GuestConfigWrite {
  if (chance(random, 40)) {
    return spelledControl(random, device, pick(random, CONTROLS));
  }
  const offset = random.nextInt(0, MSIX_CAPABILITY_BYTES - 1);
  return {
    kind: 'guest.configWrite',
    device,
    offset,
    width: pick(random, CONFIG_WIDTHS),
    value: pick(random, ANYTHING),
  };
}

/** The operation as a write that names its bytes, where it has such a form. */
export function spelled(random: Random, operation: Asked): Asked {
  switch (operation.kind) {
    case 'guest.msixControl': {
      const { device, enable, functionMask } = operation;
      return spelledControl(random, device, (enable ? ENABLE : 0) | (functionMask ? FUNCTION_MASK : 0));
    }
    case 'guest.mask':
      return spelledMask(random, operation.device, operation.vector, MASKING);
    case 'guest.unmask':
      return spelledMask(random, operation.device, operation.vector, UNMASKING);
    case 'guest.configWrite':
    case 'guest.tableWrite':
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.busMaster':
    case 'guest.reset':
    case 'device.raise':
    case 'device.arm':
    case 'host.limitVectors':
    case 'host.failAllocation':
      return operation;
  }
}

const CONTROL_PLACES: readonly Pick<GuestConfigWrite, 'offset' | 'width'>[] = [
  { offset: 2, width: 2 },
  { offset: CONTROL_HIGH_BYTE, width: 1 },
  { offset: 0, width: 4 },
  { offset: 1, width: 4 },
  { offset: CONTROL_HIGH_BYTE, width: 4 },
];

/** A write that covers the byte with Enable and Function Mask, with bits around them that cannot be written. */
function spelledControl(random: Random, device: number, control: number): GuestConfigWrite {
  const { offset, width } = pick(random, CONTROL_PLACES);
  const byte = (control >>> 8) | (chance(random, 30) ? 0x3f : 0);
  const around = chance(random, 30) && offset < CONTROL_HIGH_BYTE ? 0xff : 0;
  return {
    kind: 'guest.configWrite',
    device,
    offset,
    width,
    value: byte * 2 ** (8 * (CONTROL_HIGH_BYTE - offset)) + around,
  };
}

/** Vector Control alone, or Message Data with it. */
function spelledMask(random: Random, device: number, vector: number, controls: readonly number[]): GuestTableWrite {
  const control = pick(random, controls);
  if (chance(random, 70)) return word(device, vector, VECTOR_CONTROL_OFFSET, control);
  return doubleWord(device, vector, 8, firstMessage(device, vector).data, control);
}
