import type { GuestPlatform, Operation, PciFunction, Scenario, Support, VmmTraits } from '#vocabulary';
import { GUEST_KINDS, isAskable, MSIX_VECTORS_MAX, printOperation } from '#vocabulary';
import { ANYTHING, DYNAMIC, STATIC } from './drawn.fixture.ts';

const VMMS: readonly VmmTraits[] = (['vector-0-first', 'as-irq-info-says', 'all-at-enable'] as const).flatMap(
  (allocation) => (['userspace', 'irqfd'] as const).map((delivery) => ({ allocation, delivery })),
);

/** Every VMM on both kinds of host. */
export const PLATFORMS: readonly GuestPlatform[] = [STATIC, DYNAMIC].flatMap(({ host }) =>
  VMMS.map((vmm) => ({ host, vmm })),
);

export const GUEST: GuestPlatform = {
  host: STATIC.host,
  vmm: { allocation: 'as-irq-info-says', delivery: 'userspace' },
};

/** As a real VMM might be: some devices, no control over the host, one window. */
export const BOX: Support = {
  ...ANYTHING,
  operations: new Set([...GUEST_KINDS, 'device.raise']),
  functions: [
    { msixVectors: 8, whileOff: 'latches', intx: true, reset: true },
    { msixVectors: 8, whileOff: 'latches' },
    { msixVectors: 64, whileOff: 'latches', silent: true },
  ],
  devicesMax: 2,
  host: 'own',
};

/** What no scenario with a guest may have, in words. */
export function misfits({ config, operations }: Scenario): string[] {
  return operations
    .filter((of) => !isAskable(config, of.kind) || !isInRange(of) || isSilenced(of, config.devices))
    .map(printOperation);
}

function isSilenced(of: Operation, devices: readonly PciFunction[]): boolean {
  return of.kind.startsWith('device.') && 'device' in of && devices[of.device]?.silent === true;
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

/** As records have it. */
function isInRange(of: Operation): boolean {
  if ('vector' in of && (!isUint32(of.vector) || of.vector > MSIX_VECTORS_MAX)) return false;
  switch (of.kind) {
    case 'guest.configWrite':
      return [1, 2, 4].includes(of.width) && of.offset >= 0 && of.offset <= 11 && isUint32(of.value);
    case 'guest.tableWrite':
      return (
        [1, 2, 4, 8].includes(of.width) &&
        of.offset >= 0 &&
        of.offset <= 15 &&
        isUint32(of.value) &&
        (of.high === undefined || (of.width === 8 && isUint32(of.high)))
      );
    case 'guest.tableRead':
      return [0, 4, 8, 12].includes(of.offset);
    case 'host.limitVectors':
      return isUint32(of.count);
    case 'host.failAllocation':
      return of.nth >= 1;
    case 'guest.msixControl':
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
    case 'guest.busMaster':
    case 'guest.reset':
    case 'device.raise':
    case 'device.arm':
      return true;
    case 'guest.msixPerm':
    case 'guest.requestHandle':
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.releaseHandle':
    case 'guest.submit':
    case 'device.start':
    case 'device.complete':
    case 'device.armDescriptor':
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
    case 'host.crash':
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.setIrqs':
    case 'vfio.reset':
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return false;
  }
}

/** One device as its guest sees it, before an operation. */
export interface Seen {
  readonly size: number;
  readonly enabled: boolean;
  readonly functionMask: boolean;
  readonly busMaster: boolean;
  readonly unmasked: ReadonlySet<number>;
  /** One past the highest vector that was unmasked, Function Mask clear, since MSI-X is on. */
  readonly top: number;
  /** Vectors used so since then, in order, each once. */
  readonly used: readonly number[];
  /** Vectors that had an event while they were masked and MSI-X on, and were not unmasked since. */
  readonly waiting: ReadonlySet<number>;
  /** Operations on the device, and on the host, so far. */
  readonly before: readonly Operation[];
}

export type Look = (of: Operation, seen: Seen) => boolean;

/** Whether it looks so at some operation of some device; those of the host are every device's. */
export function meetsGuest({ config, operations }: Scenario, look: Look): boolean {
  return config.devices.some(({ msixVectors }, device) => {
    let seen: Seen = { ...OFF, size: msixVectors, busMaster: true, unmasked: new Set(), before: [] };
    return operations.some((of) => {
      if ('device' in of && of.device !== device) return false;
      if (look(of, seen)) return true;
      seen = { ...after(of, seen), before: [...seen.before, of] };
      return false;
    });
  });
}

const OFF = { enabled: false, functionMask: false, top: 0, used: [], waiting: new Set<number>() };

function after(of: Operation, seen: Seen): Seen {
  if (of.kind === 'guest.busMaster') return { ...seen, busMaster: of.enable };
  if (of.kind === 'guest.reset') return { ...seen, ...OFF, busMaster: false, unmasked: new Set() };
  const control = controlOf(of);
  if (control !== undefined && !control.enable) return { ...seen, ...OFF };
  if (control !== undefined) return withUsed({ ...seen, enabled: true, functionMask: control.functionMask });
  const vector = 'vector' in of ? of.vector : 0;
  if (of.kind === 'device.raise' && seen.enabled && (seen.functionMask || !seen.unmasked.has(vector))) {
    return { ...seen, waiting: new Set([...seen.waiting, vector]) };
  }
  const bit = maskBitOf(of);
  if (bit === undefined || vector >= seen.size) return seen;
  const others = [...seen.unmasked].filter((other) => other !== vector);
  return withUsed({ ...seen, unmasked: new Set(bit === 0 ? [...others, vector] : others) });
}

function withUsed(seen: Seen): Seen {
  if (!seen.enabled || seen.functionMask) return seen;
  const fresh = [...seen.unmasked].filter((vector) => !seen.used.includes(vector));
  return {
    ...seen,
    top: Math.max(seen.top, ...fresh.map((vector) => vector + 1)),
    used: [...seen.used, ...fresh],
    waiting: new Set([...seen.waiting].filter((vector) => !seen.unmasked.has(vector))),
  };
}

/** Enable and Function Mask as they are written, in whichever way. */
export function controlOf(of: Operation): { readonly enable: boolean; readonly functionMask: boolean } | undefined {
  if (of.kind === 'guest.msixControl') return of;
  if (of.kind !== 'guest.configWrite' || of.offset > 3 || of.offset + of.width < 4) return undefined;
  const byte = Math.floor(of.value / 256 ** (3 - of.offset)) % 256;
  return { enable: byte >= 128, functionMask: byte % 128 >= 64 };
}

/** The mask bit of the operation's vector as it is written, in whichever way. */
export function maskBitOf(of: Operation): number | undefined {
  if (of.kind === 'guest.mask') return 1;
  if (of.kind === 'guest.unmask') return 0;
  if (of.kind !== 'guest.tableWrite') return undefined;
  if (of.offset === 12 && of.width > 2) return of.value % 2;
  return of.offset === 8 && of.width === 8 ? (of.high ?? 0) % 2 : undefined;
}

/** Has a vector unmasked that takes more of the host than was taken so far. */
export const setsMaximum: Look = (of, { enabled, functionMask, top, size }) =>
  enabled && !functionMask && maskBitOf(of) === 0 && 'vector' in of && of.vector >= top && of.vector < size;
