import { cite, declare } from '../cite.ts';
import type { FunctionState } from './function.ts';

const CLAUSE = declare({
  noPin: {
    id: 'pci.intx-pin.none',
    title: 'A function without a pin, or one that nothing makes raise, asserts nothing.',
    source: 'PCIe 6.0, 7.5.1.1.13 (Interrupt Pin)',
    undrawn: 'nothing could come of it',
  },
  notWithMsi: {
    id: 'pci.intx-pin.not-with-msi',
    title: 'While MSI or MSI-X is on a function does not assert INTx.',
    source: 'PCIe 6.0, 7.7.1.2 and 7.7.2.2 (Enable); edu_raise_irq, QEMU 7.2',
  },
  deassertedByMsi: {
    id: 'pci.intx-pin.deasserted-by-msi',
    title: 'Turning MSI or MSI-X on deasserts the pin, for good: turning it off again does not assert it.',
    source: 'PCIe 6.0, 7.7.1.2 and 7.7.2.2 (Enable); msi_write_config, msix_write_config, QEMU 7.2',
  },
  assert: {
    id: 'pci.intx-pin.assert',
    title: 'An asserted pin stays asserted, and shows in Interrupt Status, until the device deasserts it.',
    source: 'PCIe 6.0, 6.1.2 and 7.5.1.1.4 (Interrupt Status)',
  },
  disabled: {
    id: 'pci.intx-pin.disabled',
    title: 'Interrupt Disable keeps the pin from the wire; Interrupt Status shows it all the same.',
    source: 'PCIe 6.0, 7.5.1.1.3 (Interrupt Disable)',
  },
});

/** The device wants its pin asserted. */
export function assertIntx(pci: FunctionState): void {
  if (pci.config.intx !== true || pci.config.silent === true) {
    cite(CLAUSE.noPin);
    return;
  }
  if (pci.msi.enable || pci.msix.enable) {
    cite(CLAUSE.notWithMsi);
    return;
  }
  cite(CLAUSE.assert);
  pci.intxStatus = true;
}

/** MSI or MSI-X has been turned on. */
export function giveIntxUp(pci: FunctionState): void {
  if (!pci.intxStatus) return;
  cite(CLAUSE.deassertedByMsi);
  pci.intxStatus = false;
}

/** Source: PCIe 6.0, 6.1.2. */
export function deassertIntx(pci: FunctionState): void {
  pci.intxStatus = false;
}

/** Whether an interrupt is on its way to the host. Source: PCIe 6.0, 6.1.2. */
export function isWireAsserted({ intxStatus, intxDisable }: FunctionState): boolean {
  if (intxStatus && intxDisable) cite(CLAUSE.disabled);
  return intxStatus && !intxDisable;
}
