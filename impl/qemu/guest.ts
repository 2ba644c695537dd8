import { firstMessage, type GuestOperation, MSIX_ENTRY_BYTES, PENDING, UNMASKED } from '#vocabulary';
import { BELL, BELL_COUNT, BELL_DEVICES, MSIX_CAPABILITY, PBA_OFFSET, TABLE_OFFSET } from './pci-devices.ts';

/*
 * The guest: no processor ever runs, every access of it is a line to QEMU's qtest server
 * (docs/devel/testing/qtest.rst), which does it as a processor would and answers with a line.
 */

const CONFIG_ADDRESS = 0xcf8;
export const CONFIG_DATA = 0xcfc;

/** Places on the PCI buses, as the configuration address port takes them. */
const BRIDGE = 0x8000_1800;
export const FUNCTION = 0x8001_0800;
/** Those of the bells follow one another from slot 4 on. */
export const FIRST_BELL_SLOT = 4;
export const BRIDGE_SLOT = 3;
export const FUNCTION_SLOT = 1;

/** Where the BAR with table and PBA is put: the window of the bridge. */
export const FUNCTION_BAR = 0xe0000000;

const COMMAND = 4;
const BAR_0 = 0x10;
const BUS_NUMBERS = 0x18;
const MEMORY_WINDOW = 0x20;
const BRIDGE_CONTROL = 0x3e;
const COMMAND_MEMORY = 2;
export const COMMAND_MASTER = 4;
const BRIDGE_CONTROL_RESET = 0x40;
const MESSAGE_CONTROL = 2;
export const ENABLE = 0x8000;
export const FUNCTION_MASK = 0x4000;
const VECTOR_CONTROL = 12;

const WIDTH_LETTERS: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

/** Where the registers of a function are. */
export interface Layout {
  /** 0 for a function without MSI-X: then only `bar` means anything. */
  readonly vectors: number;
  /** Of the MSI-X capability. */
  readonly capability: number;
  /** Of the BAR with table and PBA. */
  readonly bar: number;
  /** Addresses. */
  readonly table: number;
  readonly pba: number;
}

/** The function that we show to QEMU. */
export function layoutOf(vectors: number): Layout {
  const [table, pba] = [FUNCTION_BAR + TABLE_OFFSET, FUNCTION_BAR + PBA_OFFSET];
  return { vectors, capability: MSIX_CAPABILITY, bar: 0, table, pba };
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** The line that selects a register of configuration space. */
export function select(register: number): string {
  return `outl ${hex(CONFIG_ADDRESS)} ${hex(register)}`;
}

/** A write to configuration space that lies in one register of 32 bits. */
function configWrite(place: number, offset: number, width: number, value: number | bigint): string[] {
  const write = `out${WIDTH_LETTERS[width]} ${hex(CONFIG_DATA + (offset & 3))} ${hex(value)}`;
  return [select(place + (offset & ~3)), write];
}

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
function resetFunction({ bar }: Layout): string[] {
  return [
    ...configWrite(BRIDGE, BRIDGE_CONTROL, 2, BRIDGE_CONTROL_RESET),
    ...configWrite(BRIDGE, BRIDGE_CONTROL, 2, 0),
    ...configWrite(FUNCTION, BAR_0 + 4 * bar, 4, FUNCTION_BAR),
    ...configWrite(FUNCTION, COMMAND, 2, COMMAND_MEMORY),
  ];
}

/**
 * From whatever state to the one in which a scenario finds the function.
 * MSI-X is off before the reset, as QEMU keeps the function mask over it.
 * @param unmasked how many vectors are unmasked while MSI-X is on for a moment. QEMU's own PBA is put away by arming
 *   one, as only that does it (vfio_msix_vector_do_use); with all, events that the device has kept go out
 */
export function rewind(layout: Layout, unmasked: number): string[] {
  if (layout.vectors === 0) return [...resetFunction(layout), ...busMaster(true)];
  return [
    ...messageControl(layout, 0),
    ...resetFunction(layout),
    ...busMaster(true),
    writeTable(layout, unmasked, 0),
    ...messageControl(layout, ENABLE),
    ...messageControl(layout, 0),
    writeTable(layout, layout.vectors, 1),
  ];
}

/** The first vectors with their first messages. */
function writeTable({ table }: Layout, vectors: number, vectorControl: 0 | 1): string {
  const bytes = Buffer.alloc(vectors * MSIX_ENTRY_BYTES);
  for (let vector = 0; vector < vectors; vector += 1) {
    const { address, high, data } = firstMessage(0, vector);
    for (const [place, word] of [address, high, data, vectorControl].entries())
      bytes.writeUInt32LE(word, vector * MSIX_ENTRY_BYTES + 4 * place);
  }
  return `write ${hex(table)} ${hex(bytes.length)} 0x${bytes.toString('hex')}`;
}

function messageControl({ capability }: Layout, value: number): string[] {
  return configWrite(FUNCTION, capability + MESSAGE_CONTROL, 2, value);
}

function busMaster(enable: boolean): string[] {
  return configWrite(FUNCTION, COMMAND, 2, COMMAND_MEMORY | (enable ? COMMAND_MASTER : 0));
}

/**
 * The lines of a guest's operation. The answer to the last one is the value, where it reads one.
 * A function without MSI-X has no capability to write to.
 */
export function accesses(operation: GuestOperation, layout: Layout): string[] {
  switch (operation.kind) {
    case 'guest.msixControl': {
      const { enable, functionMask } = operation;
      return layout.vectors === 0
        ? []
        : messageControl(layout, (enable ? ENABLE : 0) | (functionMask ? FUNCTION_MASK : 0));
    }
    case 'guest.configWrite':
      return layout.vectors === 0 ? [] : capabilityWrite(layout, operation.offset, operation.width, operation.value);
    case 'guest.mask':
      return [`writel ${hex(entry(layout, operation.vector) + VECTOR_CONTROL)} 0x1`];
    case 'guest.unmask':
      return [`writel ${hex(entry(layout, operation.vector) + VECTOR_CONTROL)} 0x0`];
    case 'guest.tableWrite': {
      const { vector, offset, width, value, high } = operation;
      const all =
        width === 8 ? (BigInt(high ?? 0) << 32n) | BigInt(value) : BigInt(value) & (2n ** BigInt(8 * width) - 1n);
      return [`write${WIDTH_LETTERS[width]} ${hex(entry(layout, vector) + offset)} ${hex(all)}`];
    }
    case 'guest.tableRead':
      return [`readl ${hex(entry(layout, operation.vector) + operation.offset)}`];
    case 'guest.readPba':
      return [`readl ${hex(layout.pba + 4 * (operation.vector >>> 5))}`];
    case 'guest.busMaster':
      return busMaster(operation.enable);
    case 'guest.reset':
      return resetFunction(layout);
  }
}

function entry({ table }: Layout, vector: number): number {
  return table + vector * MSIX_ENTRY_BYTES;
}

/** A processor cannot write across registers of configuration space: it takes the widest pieces that fit. */
function capabilityWrite({ capability }: Layout, offset: number, width: number, value: number): string[] {
  const lines: string[] = [];
  for (let done = 0; done < width; ) {
    const at = capability + offset + done;
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
export const NOTHING = 'readl 0x0';

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
export function look({ vectors, capability, table, pba }: Layout): string[] {
  const told = `readl ${hex(BELL_COUNT)}`;
  if (vectors === 0) return [told];
  return [
    told,
    select(FUNCTION + capability),
    `inw ${hex(CONFIG_DATA + MESSAGE_CONTROL)}`,
    `b64read ${hex(table)} ${hex(vectors * MSIX_ENTRY_BYTES)}`,
    `b64read ${hex(pba)} ${hex(Math.ceil(vectors / 64) * 8)}`,
  ];
}

export function see([told, , control, table = '', pba = '']: readonly string[], { vectors }: Layout): Sight {
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
