import type { DataElement, Outcome, VfioSetIrqs } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { dataElementBytes } from '#vocabulary';
import { EFAULT, EINVAL, OK } from './outcomes.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  IRQ_SET_BYTES,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
} = vocabulary;

/**
 * vfio_set_irqs_validate_and_prepare and memdup_user of the data, Linux 6.1 and 6.12.
 * @param irqCount vectors of the index; 0 for one that does not exist
 */
export function validated(irqCount: number, { flags, start, count, data, argsz }: VfioSetIrqs): Outcome {
  const elementBytes = dataElementBytes(flags);
  const size = argsz ?? IRQ_SET_BYTES + data.length * elementBytes;
  if (size < IRQ_SET_BYTES || (flags & ~(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK)) !== 0)
    return EINVAL;
  // An index that does not exist has a count of 0, and no sum of two 32-bit numbers wraps around in a double: this
  // one check also refuses what the kernel's own checks of the index and of overflow refuse.
  if (start >= irqCount || start + count > irqCount) return EINVAL;
  const dataType = flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
  if (dataType === VFIO_IRQ_SET_DATA_NONE) return OK;
  if (dataType !== VFIO_IRQ_SET_DATA_BOOL && dataType !== VFIO_IRQ_SET_DATA_EVENTFD) return EINVAL;
  if (size - IRQ_SET_BYTES < count * elementBytes) return EINVAL;
  return count > data.length ? EFAULT : OK;
}

/** An element of DATA_BOOL: a byte that is not 0. */
export function isTrue(element: DataElement | undefined): boolean {
  return typeof element !== 'number' || (element & 0xff) !== 0;
}

/** Whether DATA_NONE or the first element of DATA_BOOL asks for anything. */
export function isAsked(flags: number, data: readonly DataElement[]): boolean {
  return (flags & VFIO_IRQ_SET_DATA_BOOL) === 0 || isTrue(data[0]);
}
