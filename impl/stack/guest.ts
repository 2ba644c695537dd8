import { firstMessage, type GuestOperation, MSIX_ENTRY_BYTES, PENDING, UNMASKED } from '#vocabulary';
import {
  BRIDGE_SLOT,
  COMMAND_MASTER,
  ENABLE,
  FIRST_BELL_SLOT,
  FUNCTION_MASK,
  FUNCTION_SLOT,
  setUpMachine,
} from '../qemu/guest.ts';
import { BELL_COUNT, BELL_DEVICES } from '../qemu/pci-devices.ts';
import { INNER_SYSFS } from './image.ts';

/*
 * The guest: no processor ever runs, every access of it is a line to QEMU's qtest server
 * (docs/devel/testing/qtest.rst). Its machine is the one of impl/qemu, but its function is a real one, whose registers
 * are where they are.
 */

const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;

/** Places on the PCI buses, as the configuration address port takes them. */
const BRIDGE = 0x8000_1800;
const FUNCTION = 0x8001_0800;
/** Where the BAR with table and PBA is put: the window of the bridge. */
const FUNCTION_BAR = 0xe0000000;

const COMMAND = 4;
const BAR_0 = 0x10;
const CAPABILITIES_POINTER = 0x34;
const BRIDGE_CONTROL = 0x3e;
const COMMAND_MEMORY = 2;
const BRIDGE_CONTROL_RESET = 0x40;
const CAPABILITY_MSIX = 0x11;
const VECTOR_CONTROL = 12;
const BIR = 7;

const WIDTH_LETTERS: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

/** The arguments of an inner QEMU that has a device of the outer machine. */
export function machineArguments(address: string): string[] {
  return [
    ...['-machine', 'q35', '-accel', 'tcg', '-S', '-m', '8k', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-chardev', 'stdio,id=qtest,signal=off', '-qtest', 'chardev:qtest', '-qtest-log', 'none'],
    ...['-device', `pci-bridge,id=bridge,addr=${BRIDGE_SLOT},chassis_nr=1,shpc=off`],
    // The real one first: to the kernel nobody else is in the container. Without mappings every access is a call.
    ...['-device', `vfio-pci,host=${address},bus=bridge,addr=${FUNCTION_SLOT},rombar=0,x-req=off,x-no-mmap=on`],
    ...BELL_DEVICES.flatMap((_, place) => [
      '-device',
      `vfio-pci,sysfsdev=${INNER_SYSFS}/bell${place},addr=${FIRST_BELL_SLOT + place},rombar=0,x-req=off`,
    ]),
  ];
}

/** Where the registers of a function are. */
export interface Layout {
  readonly vectors: number;
  /** Of the MSI-X capability. */
  readonly capability: number;
  /** Of the BAR with table and PBA. */
  readonly bar: number;
  /** Addresses. */
  readonly table: number;
  readonly pba: number;
}

/** Does lines in order, and returns what each answers. */
type Ask = (lines: readonly string[]) => Promise<string[]>;

/** Finds the registers of the function. */
export async function findLayout(ask: Ask): Promise<Layout> {
  const read = async (offset: number): Promise<number> => {
    const [, value] = await ask([select(FUNCTION + (offset & ~3)), `inl ${hex(CONFIG_DATA)}`]);
    return Number(value) >>> (8 * (offset & 3));
  };
  let capability = (await read(CAPABILITIES_POINTER)) & 0xff;
  while (capability !== 0 && ((await read(capability)) & 0xff) !== CAPABILITY_MSIX)
    capability = (await read(capability + 1)) & 0xff;
  const table = await read(capability + 4);
  const pba = await read(capability + 8);
  if (capability === 0 || (table & BIR) !== (pba & BIR))
    throw new Error(`a function with its table at ${hex(table)} and its PBA at ${hex(pba)}`);
  return {
    vectors: ((await read(capability + 2)) & 0x7ff) + 1,
    capability,
    bar: table & BIR,
    table: FUNCTION_BAR + table - (table & BIR),
    pba: FUNCTION_BAR + pba - (pba & BIR),
  };
}

export { setUpMachine };

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function select(register: number): string {
  return `outl ${hex(CONFIG_ADDRESS)} ${hex(register)}`;
}

/** A write to configuration space that lies in one register of 32 bits. */
function configWrite(place: number, offset: number, width: number, value: number | bigint): string[] {
  const write = `out${WIDTH_LETTERS[width]} ${hex(CONFIG_DATA + (offset & 3))} ${hex(value)}`;
  return [select(place + (offset & ~3)), write];
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
 * From whatever state to the one in which a scenario finds the function. MSI-X is off before the reset, as QEMU keeps
 * the function mask over it. Events that the device, or QEMU, has kept go to a guest that has all vectors unmasked, and
 * are nobody's.
 */
export function rewind(layout: Layout): string[] {
  return [
    ...messageControl(layout, 0),
    ...resetFunction(layout),
    ...busMaster(true),
    writeTable(layout, 0),
    ...messageControl(layout, ENABLE),
    ...messageControl(layout, 0),
    writeTable(layout, 1),
  ];
}

/** Every vector with its first message. */
function writeTable({ vectors, table }: Layout, vectorControl: 0 | 1): string {
  const bytes = Buffer.alloc(vectors * MSIX_ENTRY_BYTES);
  for (let vector = 0; vector < vectors; vector += 1) {
    const { address, high, data } = firstMessage(0, vector);
    for (const [place, word] of [address, high, data, vectorControl].entries())
      bytes.writeUInt32LE(word, vector * MSIX_ENTRY_BYTES + 4 * place);
  }
  return `write ${hex(table)} ${hex(bytes.length)} 0x${bytes.toString('hex')}`;
}

function messageControl({ capability }: Layout, value: number): string[] {
  return configWrite(FUNCTION, capability + 2, 2, value);
}

function busMaster(enable: boolean): string[] {
  return configWrite(FUNCTION, COMMAND, 2, COMMAND_MEMORY | (enable ? COMMAND_MASTER : 0));
}

/** The lines of a guest's operation. The answer to the last one is the value, where it reads one. */
export function accesses(operation: GuestOperation, layout: Layout): string[] {
  switch (operation.kind) {
    case 'guest.msixControl': {
      const { enable, functionMask } = operation;
      return messageControl(layout, (enable ? ENABLE : 0) | (functionMask ? FUNCTION_MASK : 0));
    }
    case 'guest.configWrite':
      return capabilityWrite(layout, operation.offset, operation.width, operation.value);
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

/** What a guest sees of the function. */
export interface GuestSight {
  readonly enable: boolean;
  readonly functionMask: boolean;
  /** By vector: UNMASKED and PENDING. */
  readonly states: readonly number[];
  /** Lines without an answer that the gate has sent so far. */
  readonly told: number;
}

/** The lines that look; `see` reads their answers. */
export function look({ vectors, capability, table, pba }: Layout): string[] {
  return [
    `readl ${hex(BELL_COUNT)}`,
    select(FUNCTION + capability),
    `inw ${hex(CONFIG_DATA + 2)}`,
    `b64read ${hex(table)} ${hex(vectors * MSIX_ENTRY_BYTES)}`,
    `b64read ${hex(pba)} ${hex(Math.ceil(vectors / 64) * 8)}`,
  ];
}

export function see([told, , control, table = '', pba = '']: readonly string[], { vectors }: Layout): GuestSight {
  const entries = Buffer.from(table, 'base64');
  const pending = Buffer.from(pba, 'base64');
  const states = Array.from({ length: vectors }, (_, vector) => {
    const isMasked = ((entries[vector * MSIX_ENTRY_BYTES + VECTOR_CONTROL] ?? 0) & 1) !== 0;
    const isPending = ((pending[vector >>> 3] ?? 0) & (1 << (vector & 7))) !== 0;
    return (isMasked ? 0 : UNMASKED) | (isPending ? PENDING : 0);
  });
  const bits = Number(control);
  return {
    enable: (bits & ENABLE) !== 0,
    functionMask: (bits & FUNCTION_MASK) !== 0,
    states,
    told: Number(told),
  };
}
