import { cite, declare } from '../cite.ts';
import { type MsiKind, pciRestoreMsiState } from '../irq/msi-restore.ts';
import { resetFunction } from '../pci/function-reset.ts';
import type { VfioDevice } from './device.ts';

const CLAUSE = declare({
  noMethod: {
    id: 'vfio.reset.no-method',
    title: 'VFIO_DEVICE_RESET of a function that cannot be reset alone is EINVAL.',
    source: 'vfio_pci_ioctl_reset, Linux 6.1 and 6.12',
  },
  reset: {
    id: 'vfio.reset.survives',
    title: 'VFIO_DEVICE_RESET leaves the interrupt type, the irqs and the triggers; the function is in D0 afterwards.',
    source: 'vfio_pci_ioctl_reset, pci_try_reset_function, Linux 6.1 and 6.12',
  },
});

/** VFIO_DEVICE_RESET. */
export function reset(device: VfioDevice): 0 | 'EINVAL' {
  const { config, pci, irqType, domain } = device;
  if (config.reset !== true) {
    cite(CLAUSE.noMethod);
    return 'EINVAL';
  }
  cite(CLAUSE.reset);
  resetFunction(pci);
  const kind: MsiKind | null = irqType === 'msix' || irqType === 'msi' ? irqType : null;
  if (kind !== null) pciRestoreMsiState(domain, kind);
  return 0;
}
