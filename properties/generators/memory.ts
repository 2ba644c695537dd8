import type { Config, EventfdName, PciFunction, RawOperation, VfioConfigWrite, VfioSetIrqs } from '#vocabulary';
import {
  deviceOf,
  isEventfdName,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { attachesUnmask } from './names.ts';
import type { Family } from './pci-function.ts';
import { attributes } from './pci-function.ts';

/** How many recently armed vectors are kept. */
const RECENT_MAX = 4;

/** What this scenario has asked of the MSI-X or MSI vectors of one device. */
export interface TableMemory {
  /** Vectors there are; 0 where the device has no such table. */
  readonly size: number;
  /** Whether a larger range than the first is likely to be granted; where it is not, `top` stays. */
  readonly grows: boolean;
  /** Vectors that operations come back to. Not empty. */
  readonly hot: readonly number[];
  /** One past the highest vector asked for, with hope, since the table was last turned off; 0 when none was. */
  top: number;
  /** The range of vectors last armed. */
  lastStart: number;
  lastCount: number;
  /** The first and last vectors of ranges lately armed. */
  readonly recent: number[];
  recentNext: number;
}

/**
 * What this scenario has asked of one device so far. A guess at the device's state, never knowledge of it:
 * whether a request was granted is the model's to say.
 */
export interface DeviceMemory {
  readonly pciFunction: PciFunction;
  /** How much the function has that it could do without. */
  readonly attributes: number;
  readonly msix: TableMemory;
  readonly msi: TableMemory;
  enabled: Family | undefined;
  /** Open descriptors. */
  descriptors: number;
  mappings: number;
  asserted: boolean;
  /** What sets right what writes to configuration space have upset, one for each field. */
  readonly undos: VfioConfigWrite[];
}

/** What this scenario has asked so far. */
export interface Memory {
  /** One per device, in the order of the Config. */
  readonly devices: readonly DeviceMemory[];
  /** Eventfds that were to unmask INTx, each once. */
  readonly unmaskers: EventfdName[];
  last: RawOperation | undefined;
}

/** @param drawHot the vectors to come back to in a table of the given size */
export function emptyMemory({ host, devices }: Config, drawHot: (size: number) => readonly number[]): Memory {
  return {
    devices: devices.map((pciFunction) => ({
      pciFunction,
      attributes: attributes(pciFunction),
      msix: emptyTable(pciFunction.msixVectors, host.dynamicMsix, drawHot),
      msi: emptyTable(pciFunction.msiVectors ?? 0, false, drawHot),
      enabled: undefined,
      descriptors: 1,
      mappings: 0,
      asserted: false,
      undos: [],
    })),
    unmaskers: [],
    last: undefined,
  };
}

function emptyTable(size: number, grows: boolean, drawHot: (size: number) => readonly number[]): TableMemory {
  const hot = size === 0 ? [0] : drawHot(size);
  return { size, grows, hot, top: 0, lastStart: 0, lastCount: 1, recent: [], recentNext: 0 };
}

export function deviceMemory(memory: Memory, device: number): DeviceMemory {
  return memory.devices[device] as DeviceMemory;
}

/** The device that an operation is about; device 0 for one that is about none. */
export function aboutDevice({ devices }: Memory, operation: RawOperation | undefined): number {
  if (devices.length === 1 || operation === undefined) return 0;
  return deviceOf(operation) ?? 0;
}

/** What sets right what was upset last. */
export function undoOf(memory: Memory, device: number): VfioConfigWrite | undefined {
  return deviceMemory(memory, device).undos.at(-1);
}

export function tableOf({ msix, msi }: DeviceMemory, family: Exclude<Family, 'intx'>): TableMemory {
  return family === 'msix' ? msix : msi;
}

/** The vectors that events of a device are about now. */
export function activeTable({ enabled, msix, msi }: DeviceMemory): TableMemory {
  return enabled === 'msi' || (enabled !== 'msix' && msix.size === 0) ? msi : msix;
}

/** Takes note of an operation just drawn. */
export function remember(memory: Memory, operation: RawOperation): void {
  memory.last = operation;
  switch (operation.kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
      rememberHolders(deviceMemory(memory, operation.device), operation.kind);
      return;
    case 'vfio.setIrqs':
      rememberSetIrqs(deviceMemory(memory, operation.device), operation);
      if (attachesUnmask(operation)) {
        for (const name of operation.data)
          if (isEventfdName(name) && !memory.unmaskers.includes(name)) memory.unmaskers.push(name);
      }
      return;
    case 'vfio.configWrite':
      rememberConfigWrite(deviceMemory(memory, operation.device), operation);
      return;
    case 'vfio.getIrqInfo':
    case 'vfio.reset':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'device.raise':
    case 'device.arm':
    case 'device.wipe':
    case 'host.limitVectors':
    case 'host.failAllocation':
      return;
  }
}

type Holding =
  | 'vfio.open'
  | 'vfio.close'
  | 'vfio.mapBar'
  | 'vfio.unmapBar'
  | 'device.assertIntx'
  | 'device.deassertIntx';

/** All is torn down when the last descriptor and the last mapping are gone. */
function rememberHolders(device: DeviceMemory, kind: Holding): void {
  switch (kind) {
    case 'vfio.open':
      device.descriptors++;
      return;
    case 'vfio.mapBar':
      if (device.descriptors > 0) device.mappings++;
      return;
    case 'device.assertIntx':
    case 'device.deassertIntx':
      device.asserted = kind === 'device.assertIntx';
      return;
    case 'vfio.close':
      if (device.descriptors > 0) device.descriptors--;
      break;
    case 'vfio.unmapBar':
      if (device.mappings > 0) device.mappings--;
      break;
  }
  if (device.descriptors > 0 || device.mappings > 0) return;
  forgetEnabled(device);
  device.undos.length = 0;
}

function forgetEnabled(device: DeviceMemory): void {
  device.enabled = undefined;
  device.msix.top = 0;
  device.msi.top = 0;
}

/** The field's value when nobody has touched it; undefined where no value is the usual one. */
function usualValue({ enabled }: DeviceMemory, { field }: VfioConfigWrite): number | undefined {
  switch (field) {
    case 'intxDisable':
    case 'power':
      return 0;
    case 'memory':
    case 'busMaster':
      return 1;
    case 'msiEnable':
      return enabled === 'msi' ? 1 : undefined;
    case 'msixControl':
      return undefined;
  }
}

function rememberConfigWrite(device: DeviceMemory, operation: VfioConfigWrite): void {
  const { undos } = device;
  const { kind, field } = operation;
  const place = undos.findIndex((undo) => undo.field === field);
  if (place !== -1) undos.splice(place, 1);
  const value = usualValue(device, operation);
  if (value !== undefined && operation.value !== value) undos.push({ kind, device: operation.device, field, value });
}

function rememberSetIrqs(device: DeviceMemory, operation: VfioSetIrqs): void {
  const family = familyOf(operation.index);
  if (family === undefined) return;
  if (isDisable(operation) && device.enabled === family) forgetEnabled(device);
  if (device.enabled !== undefined && device.enabled !== family) return;
  if (family === 'intx') {
    if (isArming(operation, 1) && !hasBad(operation)) device.enabled = 'intx';
    return;
  }
  const table = tableOf(device, family);
  rememberRange(table, operation);
  if (table.top > 0) device.enabled = family;
}

function rememberRange(table: TableMemory, operation: VfioSetIrqs): void {
  if (!isArming(operation, table.size)) return;
  const end = operation.start + operation.count;
  if (table.top > 0 && end > table.top && !table.grows) return;
  // An enable with a bad descriptor leaves nothing behind that a later range could cross.
  if (table.top > 0 || !hasBad(operation)) table.top = Math.max(table.top, end);
  table.lastStart = operation.start;
  table.lastCount = operation.count;
  noteRecent(table, operation.start);
  noteRecent(table, end - 1);
}

function hasBad({ data }: VfioSetIrqs): boolean {
  return data.includes('bad') || data.includes('notEventfd');
}

function noteRecent(table: TableMemory, vector: number): void {
  table.recent[table.recentNext] = vector;
  table.recentNext = (table.recentNext + 1) % RECENT_MAX;
}

export function indexOf(family: Family): number {
  switch (family) {
    case 'intx':
      return VFIO_PCI_INTX_IRQ_INDEX;
    case 'msi':
      return VFIO_PCI_MSI_IRQ_INDEX;
    case 'msix':
      return VFIO_PCI_MSIX_IRQ_INDEX;
  }
}

export function familyOf(index: number): Family | undefined {
  if (index === VFIO_PCI_MSIX_IRQ_INDEX) return 'msix';
  if (index === VFIO_PCI_MSI_IRQ_INDEX) return 'msi';
  return index === VFIO_PCI_INTX_IRQ_INDEX ? 'intx' : undefined;
}

/** Written as VFIO_DEVICE_SET_IRQS that turns MSI-X, MSI or INTx off. */
export function isDisable({ count, flags, index }: VfioSetIrqs): boolean {
  return count === 0 && flags === TRIGGER_NONE && familyOf(index) !== undefined;
}

/** Written as a well-formed VFIO_DEVICE_SET_IRQS that gives at least one of `size` vectors something. */
function isArming(operation: VfioSetIrqs, size: number): boolean {
  return (
    operation.flags === TRIGGER_EVENTFD &&
    operation.count > 0 &&
    operation.start + operation.count <= size &&
    operation.argsz === undefined &&
    operation.unreadable === undefined
  );
}
