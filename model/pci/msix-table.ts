import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';
import { sendMessage } from './message.ts';

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
  message: {
    id: 'pci.msix-table.message-in-d0',
    title: 'The kernel writes a message to the table only while the function is in D0; its own copy it changes always.',
    source: '__pci_write_msi_msg, Linux 6.1 and 6.12',
  },
  wiped: {
    id: 'pci.msix-table.wiped',
    title: 'A table that the device lost is masked and without messages, and nobody tells the kernel.',
    source: 'PCIe 6.0, 7.7.2.5 to 7.7.2.8 (state after reset); msix_reset, QEMU 7.2',
  },
});

/** Source: PCIe 6.0, 6.1.4.5. */
export function maskEntry({ msix }: FunctionState, vector: number): void {
  cite(CLAUSE.mask);
  msix.unmasked.delete(vector);
}

/** Returns whether a message arrives. MSI-X is on and Function Mask clear wherever Linux unmasks an entry. */
export function unmaskEntry(pci: FunctionState, vector: number): boolean {
  const { msix } = pci;
  msix.unmasked.add(vector);
  if (!msix.pending.has(vector)) {
    cite(CLAUSE.unmask);
    return false;
  }
  cite(CLAUSE.unmaskPending);
  msix.pending.delete(vector);
  return sendMessage(pci, msix.messages.has(vector));
}

/** The kernel writes an entry's message, or takes it away. Source: __pci_write_msi_msg, Linux 6.1 and 6.12. */
export function writeEntryMessage({ inD3hot, msix }: FunctionState, vector: number, present: boolean): void {
  if (inD3hot) {
    cite(CLAUSE.message);
    return;
  }
  if (present) msix.messages.add(vector);
  else msix.messages.delete(vector);
}

/** Every entry is masked and loses its message; pending bits stay. */
export function wipeTable({ config, msix }: FunctionState): void {
  if (config.msixVectors === 0) return;
  cite(CLAUSE.wiped);
  msix.unmasked.clear();
  msix.messages.clear();
}
