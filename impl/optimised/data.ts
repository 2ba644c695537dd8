import type { DataElement } from '#vocabulary';
import { VFIO_IRQ_SET_DATA_BOOL } from '#vocabulary';

/** An element of DATA_BOOL: a byte that is not 0. */
export function isTrue(element: DataElement | undefined): boolean {
  return typeof element !== 'number' || (element & 0xff) !== 0;
}

/** Whether DATA_NONE or the first element of DATA_BOOL asks for anything. */
export function isAsked(flags: number, data: readonly DataElement[]): boolean {
  return (flags & VFIO_IRQ_SET_DATA_BOOL) === 0 || isTrue(data[0]);
}
