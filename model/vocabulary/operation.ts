import type { Platform } from './config.ts';
import type { GuestOperation } from './guest-operation.ts';
import type { GuestMdevOperation, MdevOperation } from './mdev-operation.ts';
import type { Window } from './window.ts';

/** An eventfd by its name in the scenario. It exists from its first use on, and again after `vfio.closeEventfd`. */
export type EventfdName = `e${number}`;

/**
 * One element of VFIO_DEVICE_SET_IRQS data.
 * As EVENTFD (a 32-bit descriptor): a name; `bad`, which is not an open descriptor; `notEventfd`, an open one of
 * another kind;
 * a number, which is written as it is (-1 removes a trigger; no number above -1 is ever an open descriptor).
 * As BOOL (one byte): a number is written as its low byte, anything else as 1.
 */
export type DataElement = EventfdName | 'bad' | 'notEventfd' | number;

/** Whether an element is an eventfd by its name, and so one that can be used. */
export function isEventfdName(element: DataElement | undefined): element is EventfdName {
  return typeof element === 'string' && element !== 'bad' && element !== 'notEventfd';
}

export interface VfioOpen {
  readonly kind: 'vfio.open';
  readonly device: number;
}

/** Closes the device descriptor opened last. */
export interface VfioClose {
  readonly kind: 'vfio.close';
  readonly device: number;
}

/** VFIO_DEVICE_GET_IRQ_INFO. */
export interface VfioGetIrqInfo {
  readonly kind: 'vfio.getIrqInfo';
  readonly device: number;
  /** Any 32-bit unsigned number. */
  readonly index: number;
  /** Bytes; 16 when left out. */
  readonly argsz?: number;
  /** The argument lies in memory that is not mapped. */
  readonly unreadable?: true;
}

/** VFIO_DEVICE_SET_IRQS. All numbers are 32-bit unsigned and may be nonsense: an answer exists for each. */
export interface VfioSetIrqs {
  readonly kind: 'vfio.setIrqs';
  readonly device: number;
  /** VFIO_IRQ_SET_DATA_* and VFIO_IRQ_SET_ACTION_*, any bits. */
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /** What lies behind the header; the memory behind the last element is not mapped. */
  readonly data: readonly DataElement[];
  /** Bytes; 20 plus the size of `data` when left out. */
  readonly argsz?: number;
  /** The argument, header and all, lies in memory that is not mapped. */
  readonly unreadable?: true;
}

/** VFIO_DEVICE_RESET. */
export interface VfioReset {
  readonly kind: 'vfio.reset';
  readonly device: number;
}

/**
 * A field of configuration space as vfio-pci shows it.
 * `intxDisable`, `memory`, `busMaster`: bits of Command; `power`: 0 for D0 and 3 for D3hot; `msiEnable`: MSI Enable;
 * `msixControl`: all of MSI-X Message Control.
 */
export const CONFIG_FIELDS = ['intxDisable', 'memory', 'busMaster', 'power', 'msiEnable', 'msixControl'] as const;

export type ConfigField = (typeof CONFIG_FIELDS)[number];

/** Writes one field of configuration space and leaves the bits around it as they read. */
export interface VfioConfigWrite {
  readonly kind: 'vfio.configWrite';
  readonly device: number;
  readonly field: ConfigField;
  /** 0 or 1; for `power` 0 or 3; for `msixControl` 16 bits. */
  readonly value: number;
}

/** Reads one field of configuration space. */
export interface VfioConfigRead {
  readonly kind: 'vfio.configRead';
  readonly device: number;
  readonly field: ConfigField;
}

/** Reads Vector Control of an MSI-X entry through the region of its BAR: 32 bits. */
export interface VfioTableRead {
  readonly kind: 'vfio.tableRead';
  readonly device: number;
  readonly vector: number;
}

/** Writes Vector Control of an MSI-X entry through the region of its BAR. */
export interface VfioTableWrite {
  readonly kind: 'vfio.tableWrite';
  readonly device: number;
  readonly vector: number;
  /** 32 bits. */
  readonly value: number;
}

/** Reads the 32 bits of the PBA in which the vector's is, through the region of its BAR. */
export interface VfioPbaRead {
  readonly kind: 'vfio.pbaRead';
  readonly device: number;
  readonly vector: number;
}

/** Maps BAR 0 through the device descriptor opened last. */
export interface VfioMapBar {
  readonly kind: 'vfio.mapBar';
  readonly device: number;
}

/** Unmaps the mapping made first, if there is one. */
export interface VfioUnmapBar {
  readonly kind: 'vfio.unmapBar';
  readonly device: number;
}

/** The user adds 1 to an eventfd. Where nobody else reads it, the user does, and sees a signal. */
export interface VfioWriteEventfd {
  readonly kind: 'vfio.writeEventfd';
  readonly eventfd: EventfdName;
}

/**
 * The user closes an eventfd. A trigger that holds it keeps signalling it, unseen. The name stands for a new eventfd
 * afterwards.
 */
export interface VfioCloseEventfd {
  readonly kind: 'vfio.closeEventfd';
  readonly eventfd: EventfdName;
}

/** The device has an event for a vector, once, and tells it by MSI-X or MSI. A vector it lacks does nothing. */
export interface DeviceRaise {
  readonly kind: 'device.raise';
  readonly device: number;
  readonly vector: number;
}

/**
 * The device will raise once during the next `vfio.` or `guest.` operation on it: in the window if that operation opens
 * it, else right after the operation.
 * Either way there is exactly one raise.
 */
export interface DeviceArm {
  readonly kind: 'device.arm';
  readonly device: number;
  readonly vector: number;
  readonly window: Window;
}

/** The device asserts its INTx pin; while MSI is on it does not. */
export interface DeviceAssertIntx {
  readonly kind: 'device.assertIntx';
  readonly device: number;
}

export interface DeviceDeassertIntx {
  readonly kind: 'device.deassertIntx';
  readonly device: number;
}

/** The device loses its MSI-X table, as in a reset of its own: every entry masked, every message 0. The PBA stays. */
export interface DeviceWipe {
  readonly kind: 'device.wipe';
  readonly device: number;
}

/** From now on only `count` more vectors can be put to use on this host; one that is given back can be used again. */
export interface HostLimitVectors {
  readonly kind: 'host.limitVectors';
  readonly count: number;
}

/** The nth allocation of Linux irqs from now on fails, once: one for each MSI-X vector, one for all MSI vectors. */
export interface HostFailAllocation {
  readonly kind: 'host.failAllocation';
  /** 1 or more. */
  readonly nth: number;
}

/** What is asked through an open device descriptor. */
export type VfioCall =
  | VfioGetIrqInfo
  | VfioSetIrqs
  | VfioReset
  | VfioConfigWrite
  | VfioConfigRead
  | VfioTableRead
  | VfioTableWrite
  | VfioPbaRead;

/** What is asked of a machine without a VMM. */
export type RawOperation =
  | VfioOpen
  | VfioClose
  | VfioCall
  | VfioMapBar
  | VfioUnmapBar
  | VfioWriteEventfd
  | VfioCloseEventfd
  | DeviceRaise
  | DeviceArm
  | DeviceAssertIntx
  | DeviceDeassertIntx
  | DeviceWipe
  | HostLimitVectors
  | HostFailAllocation;

/** One thing asked, by one actor, as plain data. */
export type Operation = RawOperation | GuestOperation | MdevOperation;

export type OperationKind = Operation['kind'];

/** Every kind, in the order of the unions. A kind left out does not compile. */
export const RAW_KINDS = Object.keys({
  'vfio.open': 0,
  'vfio.close': 0,
  'vfio.getIrqInfo': 0,
  'vfio.setIrqs': 0,
  'vfio.reset': 0,
  'vfio.configWrite': 0,
  'vfio.configRead': 0,
  'vfio.tableRead': 0,
  'vfio.tableWrite': 0,
  'vfio.pbaRead': 0,
  'vfio.mapBar': 0,
  'vfio.unmapBar': 0,
  'vfio.writeEventfd': 0,
  'vfio.closeEventfd': 0,
  'device.raise': 0,
  'device.arm': 0,
  'device.assertIntx': 0,
  'device.deassertIntx': 0,
  'device.wipe': 0,
  'host.limitVectors': 0,
  'host.failAllocation': 0,
} satisfies Record<RawOperation['kind'], 0>) as readonly RawOperation['kind'][];

export const GUEST_KINDS = Object.keys({
  'guest.msixControl': 0,
  'guest.configWrite': 0,
  'guest.mask': 0,
  'guest.unmask': 0,
  'guest.tableWrite': 0,
  'guest.tableRead': 0,
  'guest.readPba': 0,
  'guest.busMaster': 0,
  'guest.reset': 0,
} satisfies Record<GuestOperation['kind'], 0>) as readonly GuestOperation['kind'][];

export const MDEV_KINDS = Object.keys({
  'guest.msixPerm': 0,
  'guest.bindPasid': 0,
  'guest.freePasid': 0,
  'guest.requestHandle': 0,
  'guest.releaseHandle': 0,
  'guest.submit': 0,
  'device.start': 0,
  'device.complete': 0,
  'device.armDescriptor': 0,
  'host.createMdev': 0,
  'host.removeMdev': 0,
  'host.attach': 0,
  'host.detach': 0,
  'host.crash': 0,
} satisfies Record<MdevOperation['kind'], 0>) as readonly MdevOperation['kind'][];

export const OPERATION_KINDS: readonly OperationKind[] = [...RAW_KINDS, ...GUEST_KINDS, ...MDEV_KINDS];

const GUEST: ReadonlySet<string> = new Set(GUEST_KINDS);
const MDEV: ReadonlySet<string> = new Set(MDEV_KINDS);

/** Whether it is an access of a guest to a device that a VMM shows it. */
export function isGuestOperation(operation: Operation): operation is GuestOperation {
  return GUEST.has(operation.kind);
}

/** Whether it can be asked of mediated devices alone. */
export function isMdevOperation(operation: Operation): operation is MdevOperation {
  return MDEV.has(operation.kind);
}

/** Whether it goes to the mdev driver through registers that no VMM emulates. */
export function isGuestMdevOperation(operation: Operation): operation is GuestMdevOperation {
  return MDEV.has(operation.kind) && operation.kind.startsWith('guest.');
}

/** What can be asked of a machine with a VMM beside what its guest does: the VMM is the only user of vfio. */
const BESIDE_A_GUEST: ReadonlySet<OperationKind> = new Set([
  'device.raise',
  'device.arm',
  'host.limitVectors',
  'host.failAllocation',
]);

/** What can be asked of mediated devices that no VMM shows: their own, and these of the others. */
const ON_AN_MDEV: ReadonlySet<OperationKind> = new Set([
  'vfio.open',
  'vfio.close',
  'vfio.getIrqInfo',
  'vfio.setIrqs',
  'vfio.reset',
  'vfio.writeEventfd',
  'vfio.closeEventfd',
  'guest.mask',
  'guest.unmask',
  'device.raise',
  'host.failAllocation',
]);

/** What the VMM does itself, where there is one. */
const WITHOUT_VMM: ReadonlySet<OperationKind> = new Set([
  'host.createMdev',
  'host.removeMdev',
  'host.attach',
  'host.detach',
  'host.crash',
]);

/** What can be asked of each kind of machine: a device is driven by the user of vfio, or by a guest. */
const OF_VFIO = askable((kind) => !GUEST.has(kind) && !MDEV.has(kind));
const OF_A_GUEST = askable((kind) => GUEST.has(kind) || BESIDE_A_GUEST.has(kind));
const OF_AN_MDEV = askable((kind) => kind !== 'device.armDescriptor' && (MDEV.has(kind) || ON_AN_MDEV.has(kind)));
const OF_AN_MDEV_IN_A_GUEST = askable(
  (kind) =>
    kind !== 'device.arm' &&
    kind !== 'host.limitVectors' &&
    !WITHOUT_VMM.has(kind) &&
    (MDEV.has(kind) || GUEST.has(kind) || BESIDE_A_GUEST.has(kind)),
);

function askable(isIn: (kind: OperationKind) => boolean): ReadonlySet<OperationKind> {
  return new Set(OPERATION_KINDS.filter(isIn));
}

/** Whether a kind of operation can be asked of a machine. */
export function isAskable({ mdev, vmm }: Partial<Platform>, kind: OperationKind): boolean {
  if (mdev === undefined) return (vmm === undefined ? OF_VFIO : OF_A_GUEST).has(kind);
  return (vmm === undefined ? OF_AN_MDEV : OF_AN_MDEV_IN_A_GUEST).has(kind);
}

/**
 * The device an operation is about, or undefined for one that is about the host or the user's descriptors. It is read
 * from any operation alike: to ask first which kind has one takes as long again, and this is asked of every operation.
 */
export function deviceOf(operation: Operation): number | undefined {
  const { device }: { readonly kind: string; readonly device?: number } = operation;
  return device;
}
