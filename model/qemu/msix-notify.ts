import type { Message } from '#vocabulary';
import { added } from '../added.ts';
import { cite, declare } from '../cite.ts';
import { entryOf, isMasked, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  unused: {
    id: 'qemu.msix-notify.unused',
    title: 'A vector that is not in use has nothing to replay: its pending bit goes, and nothing is sent.',
    source: 'msix_notify, QEMU 7.2 and 10.0',
    undrawn: 'disabling clears the pending bits of the vectors it takes out of use',
  },
  pending: {
    id: 'qemu.msix-notify.pending',
    title: 'A masked vector keeps one pending bit, however many events there were.',
    source: 'msix_notify, msix_set_pending, QEMU 7.2 and 10.0; PCIe 6.0, 6.1.4.5',
  },
  busMasterOff: {
    id: 'qemu.msix-notify.bus-master-off',
    title: 'With the bus master off a message goes nowhere and its event is gone (W8).',
    source: 'msi_send_message, QEMU 7.2 and 10.0',
  },
  sent: {
    id: 'qemu.msix-notify.sent',
    title: 'An event of an unmasked vector is the message that its entry has now.',
    source: 'msix_notify, msi_send_message, QEMU 7.2 and 10.0',
  },
});

/** An event of a vector reaches the table that the guest sees. */
export function msixNotify(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  if (!vf.vectors.has(vector)) {
    cite(CLAUSE.unused);
    return;
  }
  if (isMasked(vf, vector)) {
    cite(CLAUSE.pending);
    vf.pba.add(vector);
    return;
  }
  if (!vf.busMaster) {
    cite(CLAUSE.busMasterOff);
    return;
  }
  cite(CLAUSE.sent);
  deliver(vmm, vf.index, entryOf(vf, vector), 1);
}

/** The guest receives a message. Source: PCIe 6.0, 6.1.4.3. */
export function deliver(vmm: Vmm, device: number, { address, high, data }: Message, count: number): void {
  vmm.delivered = added(vmm.delivered, { device, address, high, data, count });
}
