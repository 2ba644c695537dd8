import type { Operation, VfioSetIrqs } from '#vocabulary';
import * as vocabulary from '#vocabulary';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  MSIX_VECTORS_MAX,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} = vocabulary;

// What a call asks, by its header alone.

const TRIGGER_EVENTFD = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;
const TRIGGER_NONE = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE;
const UNMASK_EVENTFD = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_EVENTFD;

/** The interrupts that are set up, by the index of the ioctl. */
export type IrqType = 'none' | 'intx' | 'msi' | 'msix';

/** A call of VFIO_DEVICE_SET_IRQS as it is judged. */
export interface Call extends Omit<VfioSetIrqs, 'argsz' | 'unreadable'> {
  /** Without data behind its range, which nobody reads. */
  readonly data: VfioSetIrqs['data'];
  /** The type of interrupts that its index stands for. */
  readonly type: IrqType;
  /** Whether the argument has its natural size and lies in memory that is mapped. */
  readonly readable: boolean;
}

/**
 * The operation as such a call, null where it is none. Every promise reads it, and is quick where all have one shape,
 * whatever was left out of the operation.
 */
export function callOf(operation: Operation): Call | null {
  if (operation.kind !== 'vfio.setIrqs') return null;
  const { kind, device, flags, index, start, count, argsz, unreadable } = operation;
  const data = operation.data.length > count ? operation.data.slice(0, count) : operation.data;
  const readable = argsz === undefined && unreadable === undefined;
  return { kind, device, flags, index, start, count, data, type: typeOf(index), readable };
}

/** The type an index stands for; ERR and REQ stand for none. */
export function typeOf(index: number): IrqType {
  if (index === VFIO_PCI_INTX_IRQ_INDEX) return 'intx';
  if (index === VFIO_PCI_MSI_IRQ_INDEX) return 'msi';
  return index === VFIO_PCI_MSIX_IRQ_INDEX ? 'msix' : 'none';
}

/** Whether a call sets triggers of MSI or MSI-X vectors. */
export function setsVectors(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    (operation.index === VFIO_PCI_MSI_IRQ_INDEX || operation.index === VFIO_PCI_MSIX_IRQ_INDEX) &&
    operation.flags === TRIGGER_EVENTFD
  );
}

/** How many places of its range there are to look at: a system may grant a call about more than there can be. */
export function placesOf({ count }: VfioSetIrqs): number {
  return Math.min(count, MSIX_VECTORS_MAX);
}

/** Whether a call sets the trigger of INTx. */
export function setsIntx(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_INTX_IRQ_INDEX &&
    operation.flags === TRIGGER_EVENTFD &&
    operation.count === 1
  );
}

/** Whether a call disables INTx, MSI or MSI-X. */
export function disables(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    typeOf(operation.index) !== 'none' &&
    operation.flags === TRIGGER_NONE &&
    operation.count === 0
  );
}

/** Whether a call loops back: signals triggers without the device. */
export function loopsBack(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.count > 0 &&
    (operation.flags === TRIGGER_NONE || operation.flags === (VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL))
  );
}

/** Whether a call attaches or detaches the eventfd that unmasks INTx. */
export function setsUnmaskEventfd(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_INTX_IRQ_INDEX &&
    operation.flags === UNMASK_EVENTFD
  );
}

/** Whether a call unmasks INTx at once. */
export function unmasksIntx(operation: Operation): boolean {
  if (operation.kind !== 'vfio.setIrqs' || operation.index !== VFIO_PCI_INTX_IRQ_INDEX) return false;
  const { flags } = operation;
  const unmasks = (flags & (VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_MASK)) === VFIO_IRQ_SET_ACTION_UNMASK;
  const asks = operation.count === 1 && isChosen(operation, 0);
  return unmasks && (flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0 && asks;
}

/** Whether a place in the range is meant: with DATA_BOOL where the byte is not 0. */
export function isChosen({ flags, data }: VfioSetIrqs, place: number): boolean {
  const element = data[place];
  return (flags & VFIO_IRQ_SET_DATA_BOOL) === 0 || typeof element === 'string' || ((element ?? 0) & 0xff) !== 0;
}
