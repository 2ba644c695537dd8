import type { Outcome } from '#vocabulary';
import {
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
} from '#vocabulary';

// Each outcome exists once, so that one can be told from another by identity and none is allocated.

export const OK: Outcome = { kind: 'ok' };
export const EBADF: Outcome = { kind: 'errno', errno: 'EBADF' };
export const EFAULT: Outcome = { kind: 'errno', errno: 'EFAULT' };
export const EINVAL: Outcome = { kind: 'errno', errno: 'EINVAL' };
export const ENOSPC: Outcome = { kind: 'errno', errno: 'ENOSPC' };
export const ENOTTY: Outcome = { kind: 'errno', errno: 'ENOTTY' };
export const ERANGE: Outcome = { kind: 'errno', errno: 'ERANGE' };

/** VFIO_DEVICE_GET_IRQ_INFO of a function without an INTx pin: the flags are those of INTx all the same. */
export const INTX_INFO: Outcome = {
  kind: 'irqInfo',
  flags: VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED,
  count: 0,
};
/** The same of a function without an MSI capability. */
export const MSI_INFO: Outcome = { kind: 'irqInfo', flags: VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, count: 0 };
export const REQ_INFO: Outcome = { kind: 'irqInfo', flags: VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, count: 1 };
