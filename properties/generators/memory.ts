import type { Config, Operation, VfioSetIrqs } from '#vocabulary';
import {
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';

export const TRIGGER_EVENTFD = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;
export const TRIGGER_NONE = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE;

/** How many recently armed vectors are kept. */
const RECENT_MAX = 4;

/**
 * What this scenario has asked of one device so far. A guess at the device's state, never knowledge of it:
 * whether a request was granted is the model's to say.
 */
export interface DeviceMemory {
  readonly msixVectors: number;
  /** Whether a larger range than the first is likely to be granted; where it is not, `top` stays. */
  readonly grows: boolean;
  /** Vectors that operations come back to. Not empty. */
  readonly hot: readonly number[];
  /** One past the highest vector asked for, with hope, since MSI-X was last turned off; 0 when none was. */
  top: number;
  /** The range of vectors last armed. */
  lastStart: number;
  lastCount: number;
  /** The first and last vectors of ranges lately armed. */
  readonly recent: number[];
  recentNext: number;
  /** Open descriptors. */
  descriptors: number;
}

/** What this scenario has asked so far. */
export interface Memory {
  /** One per device, in the order of the Config. */
  readonly devices: readonly DeviceMemory[];
  last: Operation | undefined;
}

export function emptyMemory({ host, devices }: Config, hot: readonly (readonly number[])[]): Memory {
  return {
    devices: devices.map(({ msixVectors }, device) => ({
      msixVectors,
      grows: host.dynamicMsix,
      hot: hot[device] ?? [0],
      top: 0,
      lastStart: 0,
      lastCount: 1,
      recent: [],
      recentNext: 0,
      descriptors: 1,
    })),
    last: undefined,
  };
}

export function deviceMemory(memory: Memory, device: number): DeviceMemory {
  return memory.devices[device] as DeviceMemory;
}

/** Takes note of an operation just drawn. */
export function remember(memory: Memory, operation: Operation): void {
  memory.last = operation;
  switch (operation.kind) {
    case 'vfio.open':
      deviceMemory(memory, operation.device).descriptors++;
      return;
    case 'vfio.close': {
      const device = deviceMemory(memory, operation.device);
      if (device.descriptors > 0) device.descriptors--;
      if (device.descriptors === 0) device.top = 0;
      return;
    }
    case 'vfio.setIrqs':
      rememberSetIrqs(deviceMemory(memory, operation.device), operation);
      return;
    case 'device.raise':
    case 'device.arm':
    case 'vfio.getIrqInfo':
    case 'vfio.closeEventfd':
    case 'host.limitVectors':
      return;
  }
}

function rememberSetIrqs(device: DeviceMemory, operation: VfioSetIrqs): void {
  if (isDisable(operation)) device.top = 0;
  if (!isArming(operation, device)) return;
  const end = operation.start + operation.count;
  if (device.top > 0 && end > device.top && !device.grows) return;
  // An enable with a bad descriptor leaves nothing behind that a later range could cross.
  if (device.top > 0 || !operation.data.some(isBad)) device.top = Math.max(device.top, end);
  device.lastStart = operation.start;
  device.lastCount = operation.count;
  noteRecent(device, operation.start);
  noteRecent(device, end - 1);
}

function isBad(element: VfioSetIrqs['data'][number]): boolean {
  return element === 'bad' || element === 'notEventfd';
}

function noteRecent(device: DeviceMemory, vector: number): void {
  device.recent[device.recentNext] = vector;
  device.recentNext = (device.recentNext + 1) % RECENT_MAX;
}

/** Written as VFIO_DEVICE_SET_IRQS that turns MSI-X off. */
export function isDisable(operation: VfioSetIrqs): boolean {
  return operation.count === 0 && operation.flags === TRIGGER_NONE && operation.index === VFIO_PCI_MSIX_IRQ_INDEX;
}

/** Written as a well-formed VFIO_DEVICE_SET_IRQS that gives at least one vector something. */
function isArming(operation: VfioSetIrqs, device: DeviceMemory): boolean {
  return (
    operation.flags === TRIGGER_EVENTFD &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.count > 0 &&
    operation.start + operation.count <= device.msixVectors &&
    operation.argsz === undefined &&
    operation.unreadable === undefined
  );
}
