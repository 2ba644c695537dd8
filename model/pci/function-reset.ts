import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';

const CLAUSE = declare({
  reset: {
    id: 'pci.function-reset.forgets',
    title: 'A reset clears pending bits, the table, Enable bits and Interrupt Status.',
    source: 'PCIe 6.0, 6.6.2; msix_reset, msi_reset, QEMU 7.2',
  },
});

/** The function is reset alone; Command is restored by who does it. */
export function resetFunction(pci: FunctionState): void {
  cite(CLAUSE.reset);
  pci.intxStatus = false;
  pci.inD3hot = false;
  pci.msi.enable = false;
  pci.msi.message = false;
  pci.msix.enable = false;
  pci.msix.functionMask = false;
  pci.msix.unmasked.clear();
  pci.msix.messages.clear();
  pci.msix.pending.clear();
}
