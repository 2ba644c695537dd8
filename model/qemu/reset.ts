import { cite, declare } from '../cite.ts';
import { setBusMaster } from './config-write.ts';
import { resetDevice } from './host-call.ts';
import { intxDisable, intxEnable } from './intx.ts';
import { msixDisable } from './msix-disable.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  reset: {
    id: 'qemu.reset.around',
    title: 'A reset disables the interrupts, turns the bus master off, resets the device if it can, and sets up INTx.',
    source: 'vfio_pci_reset, vfio_pci_pre_reset, vfio_pci_post_reset, QEMU 7.2 and 10.0',
  },
  table: {
    id: 'qemu.reset.table',
    title: 'After a reset MSI-X is off, every entry is masked and 0, and nothing is pending.',
    source: 'msix_reset, QEMU 7.2 and 10.0; PCIe 6.0, 7.7.2',
  },
});

/** The device is reset with the machine. */
export function resetFromOutside(vmm: Vmm, vf: VirtualFunction): void {
  cite(CLAUSE.reset);
  if (vf.interrupt === 'msix') msixDisable(vmm, vf);
  intxDisable(vmm, vf);
  setBusMaster(vf, false);
  if (vf.device.config.reset === true) resetDevice(vmm, vf);
  intxEnable(vmm, vf);
  msixReset(vf);
}

/** What the guest sees. The cached function mask is not worked out anew. Source: msix_reset, QEMU 7.2 and 10.0. */
function msixReset(vf: VirtualFunction): void {
  cite(CLAUSE.table);
  vf.enable = false;
  vf.functionMask = false;
  vf.entries.clear();
  vf.blank = 'reset';
  vf.unmasked.clear();
  vf.pba.clear();
}
