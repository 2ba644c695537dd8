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
const KIND = 'guest.tableWrite';
const ANYTHING: readonly number[] = [0, 1, 0xff, 0x8000, 0xc000, 0xfffffffe, 0xffffffff];

/** A write to the table: mostly of a message, or of a mask bit with company; now and then any bytes. */
export function drawTableWrite(random: Random, memory: GuestDeviceMemory, device: number): GuestTableWrite {
  const vector = drawUsed(random, memory);
  const choice = random.nextInt(0, 19);
  if (choice < 9) return pick(random, drawMessage(random, memory, device, vector));
  if (choice < 13) return spelledMask(random, device, vector, chance(random, 60) ? UNMASKING : MASKING);
  const offset = random.nextInt(0, MSIX_ENTRY_BYTES - 1);
  const width = pick(random, TABLE_WIDTHS);
  const high = width === 8 && chance(random, 70) ? { high: pick(random, ANYTHING) } : {};
  return { kind: KIND, device, vector, offset, width, value: pick(random, ANYTHING), ...high };
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
  const value = isLike ? like.data : pick(random, DATA);
  const data: GuestTableWrite = { kind: KIND, device, vector, offset: 8, width: 4, value };
  if (chance(random, 30)) {
    const upper = high === 0 ? {} : { high };
    return [{ kind: KIND, device, vector, offset: 0, width: 8, value: address, ...upper }, data];
  }
  const low: GuestTableWrite = { kind: KIND, device, vector, offset: 0, width: 4, value: address };
  if (high === 0 && chance(random, 60)) return [low, data];
  return [low, { kind: KIND, device, vector, offset: 4, width: 4, value: high }, data];
}

export function drawTableRead(random: Random, memory: GuestDeviceMemory, device: number): GuestTableRead {
  const offset = pick(random, [0, 4, 8, VECTOR_CONTROL_OFFSET, VECTOR_CONTROL_OFFSET]);
  return { kind: 'guest.tableRead', device, vector: drawUsed(random, memory), offset };
}

/** Any bytes of the capability: half of them write Message Control. */
export function drawConfigWrite(random: Random, device: number): GuestConfigWrite {
  if (chance(random, 40)) {
    return spelledControl(random, device, pick(random, [ENABLE, ENABLE, 0, ENABLE | FUNCTION_MASK, FUNCTION_MASK]));
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

/** A write that covers the byte with Enable and Function Mask, with bits around them that cannot be written. */
function spelledControl(random: Random, device: number, control: number): GuestConfigWrite {
  const { offset, width } = pick(random, [
    { offset: 2, width: 2 },
    { offset: CONTROL_HIGH_BYTE, width: 1 },
    { offset: 0, width: 4 },
    { offset: 1, width: 4 },
    { offset: CONTROL_HIGH_BYTE, width: 4 },
  ]);
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
  if (chance(random, 70))
    return { kind: KIND, device, vector, offset: VECTOR_CONTROL_OFFSET, width: 4, value: control };
  const { data } = firstMessage(device, vector);
  return { kind: KIND, device, vector, offset: 8, width: 8, value: data, ...(control === 0 ? {} : { high: control }) };
}
