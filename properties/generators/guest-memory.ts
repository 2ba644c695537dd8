import type { Config, GuestTableWrite, PciFunction } from '#vocabulary';
import { writtenControl, writtenVectorControl } from './guest-access.ts';
import type { Asked } from './guest-mix.ts';
import { SMALL_TABLE } from './vector.ts';

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
  /** Each once, what was unmasked last at the end. */
  readonly unmasked: number[];
  /** Masked vectors that had an event, each once. */
  readonly pending: number[];
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
    unmasked: [],
    pending: [],
    top: 0,
  }));
}

function hotVectors(size: number, drawHot: (size: number) => readonly number[]): readonly number[] {
  if (size === 0) return [0];
  return size <= SMALL_TABLE ? drawHot(size) : [...new Set(drawHot(size))].sort((left, right) => left - right);
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
      remove(device.unmasked, operation.vector);
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
      if (!isHeard(device, operation.vector)) add(device.pending, operation.vector);
      return;
    case 'guest.tableRead':
    case 'guest.readPba':
      return;
  }
}

function isHeard({ enabled, functionMask, unmasked }: GuestDeviceMemory, vector: number): boolean {
  return enabled && !functionMask && unmasked.includes(vector);
}

function rememberControl(
  device: GuestDeviceMemory,
  { enable, functionMask }: { readonly enable: boolean; readonly functionMask: boolean },
): void {
  device.enabled = enable;
  device.functionMask = functionMask;
  if (!enable) {
    device.top = 0;
    device.pending.length = 0;
  } else if (!functionMask) {
    for (const vector of device.unmasked) device.top = Math.max(device.top, vector + 1);
  }
}

function rememberUnmask(device: GuestDeviceMemory, vector: number): void {
  if (vector >= device.size) return;
  add(device.unmasked, vector);
  if (!device.enabled || device.functionMask) return;
  remove(device.pending, vector);
  device.top = Math.max(device.top, vector + 1);
}

function rememberTableWrite(device: GuestDeviceMemory, operation: GuestTableWrite): void {
  const control = writtenVectorControl(operation);
  if (control === undefined) return;
  if (control % 2 === 0) rememberUnmask(device, operation.vector);
  else remove(device.unmasked, operation.vector);
}

function forget(device: GuestDeviceMemory): void {
  device.enabled = false;
  device.functionMask = false;
  device.busMaster = false;
  device.unmasked.length = 0;
  device.pending.length = 0;
  device.top = 0;
}

// The few vectors that a guest comes back to are found sooner in a list than in a Set, of which none can be picked.

function add(vectors: number[], vector: number): void {
  if (!vectors.includes(vector)) vectors.push(vector);
}

function remove(vectors: number[], vector: number): void {
  const place = vectors.indexOf(vector);
  if (place !== -1) vectors.splice(place, 1);
}
