import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';
import { giveIntxUp } from './intx-pin.ts';

const CLAUSE = declare({
  enable: {
    id: 'pci.msix-capability.enable',
    title: 'Enabling MSI-X sets Enable and Function Mask, masks every entry, then clears Function Mask.',
    source: 'msix_capability_init, Linux 6.1 and 6.12',
  },
  shutdown: {
    id: 'pci.msix-capability.shutdown',
    title: 'Disabling MSI-X masks the entries and clears Enable; pending bits are left to the device.',
    source: 'pci_msix_shutdown, Linux 6.1 and 6.12',
  },
});

/** Source: msix_capability_init, Linux 6.1 and 6.12. */
export function msixCapabilityInit(pci: FunctionState): void {
  cite(CLAUSE.enable);
  const { msix } = pci;
  msix.enable = true;
  msix.functionMask = true;
  msix.unmasked.clear();
  msix.functionMask = false;
  giveIntxUp(pci);
}

/** Source: pci_msix_shutdown, Linux 6.1 and 6.12. */
export function msixShutdown({ msix }: FunctionState): void {
  cite(CLAUSE.shutdown);
  msix.unmasked.clear();
  msix.enable = false;
}
