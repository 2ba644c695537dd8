import type { DataElement, VfioSetIrqs } from '#vocabulary';

/**
 * The element at a place that validation has found readable. Source: ours, how a scenario writes the data of a call.
 */
export function elementAt(call: VfioSetIrqs, place: number): DataElement {
  const element = call.data[place];
  if (element === undefined) throw new Error(`element ${place} was read although validation found it unmapped`);
  return element;
}

/** The byte at a place, as truth. Source: u8 of struct vfio_irq_set data, include/uapi/linux/vfio.h. */
export function boolAt(call: VfioSetIrqs, place: number): boolean {
  const element = elementAt(call, place);
  return typeof element === 'number' ? (element & 0xff) !== 0 : true;
}
