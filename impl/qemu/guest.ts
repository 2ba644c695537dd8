import { firstMessage, type GuestOperation, MSIX_ENTRY_BYTES, PENDING, UNMASKED } from '#vocabulary';
import { BELL, BELL_COUNT, BELL_DEVICES, MSIX_CAPABILITY, PBA_OFFSET, TABLE_OFFSET } from './pci-devices.ts';

/*
 * The guest: no processor ever runs, every access of it is a line to QEMU's qtest server
 * (docs/devel/testing/qtest.rst), which does it as a processor would and answers with a line.
 */

const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;

/** Places on the PCI buses, as the configuration address port takes them. */
const BRIDGE = 0x8000_1800;
const FUNCTION = 0x8001_0800;
/** Those of the bells follow one another from slot 4 on. */
export const FIRST_BELL_SLOT = 4;
export const BRIDGE_SLOT = 3;
export const FUNCTION_SLOT = 1;

const FUNCTION_BAR = 0xe0000000;
const TABLE = FUNCTION_BAR + TABLE_OFFSET;
const PBA = FUNCTION_BAR + PBA_OFFSET;

const COMMAND = 4;
const BAR_0 = 0x10;
const BUS_NUMBERS = 0x18;
const MEMORY_WINDOW = 0x20;
const BRIDGE_CONTROL = 0x3e;
const COMMAND_MEMORY = 2;
export const COMMAND_MASTER = 4;
const BRIDGE_CONTROL_RESET = 0x40;
const MESSAGE_CONTROL = MSIX_CAPABILITY + 2;
export const ENABLE = 0x8000;
export const FUNCTION_MASK = 0x4000;
const VECTOR_CONTROL = 12;

const WIDTH_LETTERS: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A write to configuration space that lies in one register of 32 bits. Afterwards the function's MSI-X is selected. */
function configWrite(place: number, offset: number, width: number, value: number | bigint): string[] {
  const register = place + (offset & ~3);
  const write = `out${WIDTH_LETTERS[width]} ${hex(CONFIG_DATA + (offset & 3))} ${hex(value)}`;
  return register === FUNCTION + MSIX_CAPABILITY ? [write] : [select(register), write, SELECT_MSIX];
}

function select(register: number): string {
  return `outl ${hex(CONFIG_ADDRESS)} ${hex(register)}`;
}

const SELECT_MSIX = select(FUNCTION + MSIX_CAPABILITY);

/** Makes the bridge, the bells and the mailboxes what they stay. */
export function setUpMachine(): string[] {
  return [
    // Bus 1 behind the bridge, and one mebibyte of its addresses.
    ...configWrite(BRIDGE, BUS_NUMBERS, 4, 0x01_01_00),
    ...configWrite(BRIDGE, MEMORY_WINDOW, 4, ((FUNCTION_BAR >>> 16) * 0x1_0001) >>> 0),
    ...configWrite(BRIDGE, COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER),
    ...BELL_DEVICES.flatMap((bars, device) => {
      const place = 0x8000_0000 + ((FIRST_BELL_SLOT + device) << 11);
      const addresses = bars.flatMap((bar, number) => {
        if (bar === undefined) return [];
        const low = configWrite(place, BAR_0 + 4 * number, 4, bar.address & 0xffffffffn);
        return bar.wide ? [...low, ...configWrite(place, BAR_0 + 4 * number + 4, 4, bar.address >> 32n)] : low;
      });
      return [...addresses, ...configWrite(place, COMMAND, 2, COMMAND_MEMORY)];
    }),
  ];
}

/** Resets the bus that only the function is on, as a reset of the machine does, and lets its BAR be found again. */
function resetFunction(): string[] {
  return [
    ...configWrite(BRIDGE, BRIDGE_CONTROL, 2, BRIDGE_CONTROL_RESET),
    ...configWrite(BRIDGE, BRIDGE_CONTROL, 2, 0),
    ...configWrite(FUNCTION, BAR_0, 4, FUNCTION_BAR),
    ...configWrite(FUNCTION, COMMAND, 2, COMMAND_MEMORY),
  ];
}

/**
 * From whatever state to the one in which a scenario finds the function.
 * MSI-X is off before the reset, as QEMU keeps the function mask over it; and QEMU's own PBA is put away by arming a
 * vector, as only that does it (vfio_msix_vector_do_use).
 */
export function rewind(vectors: number): string[] {
  if (vectors === 0) return [...resetFunction(), ...busMaster(true)];
  return [
    ...messageControl(0),
    ...resetFunction(),
    ...busMaster(true),
    ...messageControl(ENABLE),
    `writel ${hex(TABLE + VECTOR_CONTROL)} 0x0`,
    ...messageControl(0),
    `write ${hex(TABLE)} ${hex(vectors * MSIX_ENTRY_BYTES)} 0x${firstTable(vectors).toString('hex')}`,
  ];
}

/** Every vector with its message, masked. */
function firstTable(vectors: number): Buffer {
  const table = Buffer.alloc(vectors * MSIX_ENTRY_BYTES);
  for (let vector = 0; vector < vectors; vector += 1) {
    const { address, high, data } = firstMessage(0, vector);
    for (const [place, word] of [address, high, data, 1].entries())
      table.writeUInt32LE(word, vector * MSIX_ENTRY_BYTES + 4 * place);
  }
  return table;
}

function messageControl(value: number): string[] {
  return configWrite(FUNCTION, MESSAGE_CONTROL, 2, value);
}

function busMaster(enable: boolean): string[] {
  return configWrite(FUNCTION, COMMAND, 2, COMMAND_MEMORY | (enable ? COMMAND_MASTER : 0));
}

/**
 * The lines of a guest's operation. The answer to the last one is the value, where it reads one.
 * A function without MSI-X has no capability to write to.
 */
export function accesses(operation: GuestOperation, vectors: number): string[] {
  switch (operation.kind) {
    case 'guest.msixControl': {
      const { enable, functionMask } = operation;
      return vectors === 0 ? [] : messageControl((enable ? ENABLE : 0) | (functionMask ? FUNCTION_MASK : 0));
    }
    case 'guest.configWrite':
      return vectors === 0 ? [] : capabilityWrite(operation.offset, operation.width, operation.value);
    case 'guest.mask':
    case 'guest.unmask':
      return [
        `writel ${hex(entry(operation.vector) + VECTOR_CONTROL)} ${operation.kind === 'guest.mask' ? '0x1' : '0x0'}`,
      ];
    case 'guest.tableWrite': {
      const { vector, offset, width, value, high } = operation;
      const all =
        width === 8 ? (BigInt(high ?? 0) << 32n) | BigInt(value) : BigInt(value) & (2n ** BigInt(8 * width) - 1n);
      return [`write${WIDTH_LETTERS[width]} ${hex(entry(vector) + offset)} ${hex(all)}`];
    }
    case 'guest.tableRead':
      return [`readl ${hex(entry(operation.vector) + operation.offset)}`];
    case 'guest.readPba':
      return [`readl ${hex(PBA + 4 * (operation.vector >>> 5))}`];
    case 'guest.busMaster':
      return busMaster(operation.enable);
    case 'guest.reset':
      return resetFunction();
  }
}

function entry(vector: number): number {
  return TABLE + vector * MSIX_ENTRY_BYTES;
}

/** A processor cannot write across registers of configuration space: it takes the widest pieces that fit. */
function capabilityWrite(offset: number, width: number, value: number): string[] {
  const lines: string[] = [];
  for (let done = 0; done < width; ) {
    const at = MSIX_CAPABILITY + offset + done;
    const piece = [4, 2, 1].find((bytes) => bytes <= width - done && at % bytes === 0) ?? 1;
    const bits = (BigInt(value) >> BigInt(8 * done)) & (2n ** BigInt(8 * piece) - 1n);
    lines.push(...configWrite(FUNCTION, at, piece, bits));
    done += piece;
  }
  return lines;
}

/** Signals an eventfd by its serial number. */
export function ring(serial: number): string {
  return `writel ${hex(BELL.address)} ${hex(serial)}`;
}

/** An access without effect, which takes QEMU once round its event loop. */
export const NOTHING = `readl ${hex(BELL.address)}`;

/** What a guest sees of the function. */
export interface Sight {
  readonly enable: boolean;
  readonly functionMask: boolean;
  /** By vector: UNMASKED and PENDING. */
  readonly states: Uint8Array;
  /** Lines without an answer that the shim has sent so far. */
  readonly told: number;
}

/** The lines that look; `see` reads their answers. */
export function look(vectors: number): string[] {
  const told = `readl ${hex(BELL_COUNT)}`;
  if (vectors === 0) return [told];
  return [
    told,
    `inw ${hex(CONFIG_DATA + 2)}`,
    `b64read ${hex(TABLE)} ${hex(vectors * MSIX_ENTRY_BYTES)}`,
    `b64read ${hex(PBA)} ${hex(Math.ceil(vectors / 64) * 8)}`,
  ];
}

export function see([told, control, table = '', pba = '']: readonly string[], vectors: number): Sight {
  const entries = Buffer.from(table, 'base64');
  const pending = Buffer.from(pba, 'base64');
  const states = new Uint8Array(vectors);
  for (let vector = 0; vector < vectors; vector += 1) {
    const at = vector * MSIX_ENTRY_BYTES;
    const isMasked = ((entries[at + VECTOR_CONTROL] ?? 0) & 1) !== 0;
    const isPending = ((pending[vector >>> 3] ?? 0) & (1 << (vector & 7))) !== 0;
    states[vector] = (isMasked ? 0 : UNMASKED) | (isPending ? PENDING : 0);
  }
  const bits = Number(control ?? 0);
  const enable = (bits & ENABLE) !== 0;
  return { enable, functionMask: (bits & FUNCTION_MASK) !== 0, states, told: Number(told) };
}
