import { cite, declare } from '../cite.ts';
import { messagesFor } from '../pci/msi-capability.ts';
import type { MsiDomain } from './msi-domain.ts';

const CLAUSE = declare({
  msix: {
    id: 'irq.msi-restore.msix',
    title: "After a reset MSI-X is turned on again, with the messages and mask bits of the kernel's own copy.",
    source: '__pci_restore_msix_state, Linux 6.1 and 6.12',
  },
  msi: {
    id: 'irq.msi-restore.msi',
    title: "After a reset MSI is turned on again, with the message of the kernel's own copy.",
    source: '__pci_restore_msi_state, Linux 6.1 and 6.12',
  },
  intxDisabled: {
    id: 'irq.msi-restore.intx-disabled',
    title: 'Restoring MSI-X or MSI leaves Interrupt Disable set.',
    source: 'pci_intx_for_msi, Linux 6.1 and 6.12',
  },
});

/** Which of MSI-X and MSI the kernel holds to be on. */
export type MsiKind = 'msix' | 'msi';

/** Source: pci_restore_msi_state, Linux 6.1 and 6.12. */
export function pciRestoreMsiState(domain: MsiDomain, kind: MsiKind): void {
  cite(CLAUSE.intxDisabled);
  domain.pci.intxDisable = true;
  switch (kind) {
    case 'msix':
      restoreMsix(domain);
      return;
    case 'msi':
      restoreMsi(domain);
      return;
  }
}

function restoreMsix({ pci, messages, requested, allocated }: MsiDomain): void {
  cite(CLAUSE.msix);
  pci.msix.enable = true;
  for (const vector of messages) pci.msix.messages.add(vector);
  for (const vector of allocated) if (requested.has(vector)) pci.msix.unmasked.add(vector);
}

function restoreMsi({ pci, activated, allocated }: MsiDomain): void {
  cite(CLAUSE.msi);
  pci.msi.enable = true;
  pci.msi.enabledVectors = messagesFor(allocated.size);
  pci.msi.message = activated.has(0);
}
