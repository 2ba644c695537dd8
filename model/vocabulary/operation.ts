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

/**
 * The user closes an eventfd. A trigger that holds it keeps signalling it, unseen. The name stands for a new eventfd
 * afterwards.
 */
export interface VfioCloseEventfd {
  readonly kind: 'vfio.closeEventfd';
  readonly eventfd: EventfdName;
}

/** The device has an event for a vector, once. A vector beyond the table does nothing. */
export interface DeviceRaise {
  readonly kind: 'device.raise';
  readonly device: number;
  readonly vector: number;
}

/**
 * The device will raise once during the next `vfio.` operation on it: in the window if that operation opens it, else
 * right after the operation.
 * Either way there is exactly one raise.
 */
export interface DeviceArm {
  readonly kind: 'device.arm';
  readonly device: number;
  readonly vector: number;
  readonly window: Window;
}

/** From now on only `count` more vectors can be put to use on this host; one that is given back can be used again. */
export interface HostLimitVectors {
  readonly kind: 'host.limitVectors';
  readonly count: number;
}

/** One thing asked, by one actor, as plain data. */
export type Operation =
  | VfioOpen
  | VfioClose
  | VfioGetIrqInfo
  | VfioSetIrqs
  | VfioCloseEventfd
  | DeviceRaise
  | DeviceArm
  | HostLimitVectors;

export type OperationKind = Operation['kind'];

/** Every kind, in the order of the union. A kind left out does not compile. */
export const OPERATION_KINDS = Object.keys({
  'vfio.open': 0,
  'vfio.close': 0,
  'vfio.getIrqInfo': 0,
  'vfio.setIrqs': 0,
  'vfio.closeEventfd': 0,
  'device.raise': 0,
  'device.arm': 0,
  'host.limitVectors': 0,
} satisfies Record<OperationKind, 0>) as readonly OperationKind[];

/** The device an operation is about, or undefined for one that is about the host or the user's descriptors. */
export function deviceOf(operation: Operation): number | undefined {
  return 'device' in operation ? operation.device : undefined;
}
