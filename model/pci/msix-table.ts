import { cite, declare } from '../cite.ts';
import type { MsixFunction } from './msix-function.ts';

const CLAUSE = declare({
  mask: {
    id: 'pci.msix-table.mask',
    title: 'Masking an entry keeps its events in the PBA from then on.',
    source: 'PCIe 6.0, 6.1.4.5; pci_msix_mask, Linux 6.1 and 6.12',
  },
  unmask: {
    id: 'pci.msix-table.unmask',
    title: 'Unmasking an entry without a pending bit sends nothing.',
    source: 'PCIe 6.0, 6.1.4.5; pci_msix_unmask, Linux 6.1 and 6.12',
  },
  unmaskPending: {
    id: 'pci.msix-table.unmask-pending',
    title: 'Unmasking an entry whose pending bit is set sends one message and clears the bit.',
    source: 'PCIe 6.0, 6.1.4.5',
  },
});

/** Source: PCIe 6.0, 6.1.4.5. */
export function maskEntry(msix: MsixFunction, vector: number): void {
  cite(CLAUSE.mask);
  msix.unmasked.delete(vector);
}

/**
 * Returns whether a message leaves the function. MSI-X is on and Function Mask clear wherever Linux unmasks an entry.
 */
export function unmaskEntry(msix: MsixFunction, vector: number): boolean {
  msix.unmasked.add(vector);
  if (!msix.pending.has(vector)) {
    cite(CLAUSE.unmask);
    return false;
  }
  cite(CLAUSE.unmaskPending);
  msix.pending.delete(vector);
  return true;
}
