import type { Config, GuestTableWrite, PciFunction } from '#vocabulary';
import { writtenControl, writtenVectorControl } from './guest-access.ts';
import type { Asked } from './guest-mix.ts';

/** What a guest has done to one device so far: a guess at its state, as guests have it who never read. */
export interface GuestDeviceMemory {
  readonly pciFunction: PciFunction;
  /** Vectors of its table. */
  readonly size: number;
  /** Vectors that the guest comes back to, ascending. Not empty. */
  readonly hot: readonly number[];
  enabled: boolean;
  functionMask: boolean;
  busMaster: boolean;
  readonly unmasked: Set<number>;
  /** Masked vectors that had an event. */
  readonly pending: Set<number>;
  /** One past the highest vector unmasked since MSI-X is on; 0 when none was. */
  top: number;
}

/** One per device, in the order of the Config. */
export type GuestMemory = readonly GuestDeviceMemory[];

/** @param drawHot the vectors to come back to in a table of the given size */
export function emptyGuestMemory({ devices }: Config, drawHot: (size: number) => readonly number[]): GuestMemory {
  return devices.map((pciFunction) => ({
    pciFunction,
    size: pciFunction.msixVectors,
    hot: hotVectors(pciFunction.msixVectors, drawHot),
    enabled: false,
    functionMask: false,
    busMaster: true,
    unmasked: new Set(),
    pending: new Set(),
    top: 0,
  }));
}

function hotVectors(size: number, drawHot: (size: number) => readonly number[]): number[] {
  return size === 0 ? [0] : [...new Set(drawHot(size))].sort((left, right) => left - right);
}

export function guestDevice(memory: GuestMemory, device: number): GuestDeviceMemory {
  return memory[device] as GuestDeviceMemory;
}

/** Takes note of an operation just drawn. */
export function rememberAsked(memory: GuestMemory, operation: Asked): void {
  if (!('device' in operation)) return;
  const device = guestDevice(memory, operation.device);
  switch (operation.kind) {
    case 'guest.msixControl':
      rememberControl(device, operation);
      return;
    case 'guest.configWrite': {
      const control = writtenControl(operation);
      if (control !== undefined) rememberControl(device, control);
      return;
    }
    case 'guest.mask':
      device.unmasked.delete(operation.vector);
      return;
    case 'guest.unmask':
      rememberUnmask(device, operation.vector);
      return;
    case 'guest.tableWrite':
      rememberTableWrite(device, operation);
      return;
    case 'guest.busMaster':
      device.busMaster = operation.enable;
      return;
    case 'guest.reset':
      forget(device);
      return;
    case 'device.raise':
    case 'device.arm':
      if (!isHeard(device, operation.vector)) device.pending.add(operation.vector);
      return;
    case 'guest.tableRead':
    case 'guest.readPba':
      return;
  }
}

function isHeard({ enabled, functionMask, unmasked }: GuestDeviceMemory, vector: number): boolean {
  return enabled && !functionMask && unmasked.has(vector);
}

function rememberControl(
  device: GuestDeviceMemory,
  { enable, functionMask }: { readonly enable: boolean; readonly functionMask: boolean },
): void {
  device.enabled = enable;
  device.functionMask = functionMask;
  if (!enable) {
    device.top = 0;
    device.pending.clear();
  } else if (!functionMask) {
    device.top = Math.max(device.top, 0, ...[...device.unmasked].map((vector) => vector + 1));
  }
}

function rememberUnmask(device: GuestDeviceMemory, vector: number): void {
  if (vector >= device.size) return;
  device.unmasked.add(vector);
  if (!device.enabled || device.functionMask) return;
  device.pending.delete(vector);
  device.top = Math.max(device.top, vector + 1);
}

function rememberTableWrite(device: GuestDeviceMemory, operation: GuestTableWrite): void {
  const control = writtenVectorControl(operation);
  if (control === undefined) return;
  if (control % 2 === 0) rememberUnmask(device, operation.vector);
  else device.unmasked.delete(operation.vector);
}

function forget(device: GuestDeviceMemory): void {
  device.enabled = false;
  device.functionMask = false;
  device.busMaster = false;
  device.unmasked.clear();
  device.pending.clear();
  device.top = 0;
}
