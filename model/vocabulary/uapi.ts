/** The constants of include/uapi/linux/vfio.h that scenarios are written with. */

export const VFIO_IRQ_INFO_EVENTFD = 1;
export const VFIO_IRQ_INFO_MASKABLE = 2;
export const VFIO_IRQ_INFO_AUTOMASKED = 4;
export const VFIO_IRQ_INFO_NORESIZE = 8;

export const VFIO_IRQ_SET_DATA_NONE = 1;
export const VFIO_IRQ_SET_DATA_BOOL = 2;
export const VFIO_IRQ_SET_DATA_EVENTFD = 4;
export const VFIO_IRQ_SET_ACTION_MASK = 8;
export const VFIO_IRQ_SET_ACTION_UNMASK = 16;
export const VFIO_IRQ_SET_ACTION_TRIGGER = 32;
export const VFIO_IRQ_SET_DATA_TYPE_MASK = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD;
export const VFIO_IRQ_SET_ACTION_TYPE_MASK =
  VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER;

export const VFIO_PCI_INTX_IRQ_INDEX = 0;
export const VFIO_PCI_MSI_IRQ_INDEX = 1;
export const VFIO_PCI_MSIX_IRQ_INDEX = 2;
export const VFIO_PCI_ERR_IRQ_INDEX = 3;
export const VFIO_PCI_REQ_IRQ_INDEX = 4;

/** sizeof(struct vfio_irq_info) up to and including `count`. */
export const IRQ_INFO_BYTES = 16;
/** sizeof(struct vfio_irq_set), without its data. */
export const IRQ_SET_BYTES = 20;

/** Size in bytes of one element of VFIO_DEVICE_SET_IRQS data under these flags; 0 where the flags carry no data. */
export function dataElementBytes(flags: number): 0 | 1 | 4 {
  if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return 4;
  if ((flags & VFIO_IRQ_SET_DATA_BOOL) !== 0) return 1;
  return 0;
}
