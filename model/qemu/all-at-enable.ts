import type { EventfdName } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { injectWaiting } from './event-loop.ts';
import { eventfd, kvmIrqfd, kvmSetGsiRouting, setTriggers } from './host-call.ts';
import { entryOf, type UsedVector, unmaskedAscending, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  whole: {
    id: 'qemu.all-at-enable.whole',
    title: 'A VMM that allocates all at enable sets up the whole table in one call and changes nothing afterwards.',
    source: 'ours: as enable_msix in pci/src/vfio.rs, Cloud Hypervisor 2026; msix_enable, OpenVMM 2026',
  },
  connect: {
    id: 'qemu.all-at-enable.connect',
    title: 'Unmasking gives the eventfd of the vector to KVM, which delivers what waits in it.',
    source: 'ours: as vfio/pci.c, kvmtool; kvm_irqfd_assign, Linux 6.1 and 6.12',
  },
  disconnect: {
    id: 'qemu.all-at-enable.disconnect',
    title: 'Masking takes the eventfd of the vector from KVM; events wait in it, and no pending bit shows them.',
    source: 'ours: as pci/src/vfio.rs, Cloud Hypervisor 2026; vfio/pci.c, kvmtool',
  },
});

/** The guest has enabled MSI-X. Returns whether the host has done it. Source: ours, as Cloud Hypervisor. */
export function allAtEnable(vmm: Vmm, vf: VirtualFunction): boolean {
  cite(CLAUSE.whole);
  const size = vf.device.config.msixVectors;
  const byKvm = vf.vmm.delivery === 'irqfd';
  for (let vector = 0; vector < size; vector += 1) vf.vectors.set(vector, { hasHandler: !byKvm, route: null });
  vf.vectorCount = size;
  const open = byKvm && !vf.functionMask ? unmaskedAscending(vf) : [];
  if (open.length > 0) kvmSetGsiRouting(vmm);
  for (const vector of open) assign(vmm, vf, vector, vf.vectors.get(vector) as UsedVector);
  const triggers: EventfdName[] = [];
  for (let vector = 0; vector < size; vector += 1) triggers.push(eventfd(vf, 'interrupt', vector));
  return setTriggers(vmm, vf, 0, triggers);
}

/** KVM takes over a vector that the guest has unmasked. */
export function kvmConnect(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  const used = vf.vectors.get(vector);
  if (used === undefined) return;
  cite(CLAUSE.connect);
  kvmSetGsiRouting(vmm);
  assign(vmm, vf, vector, used);
  injectWaiting(vmm, vf, vector, used);
}

/** KVM gives back a vector that the guest has masked. */
export function kvmDisconnect(vmm: Vmm, vf: VirtualFunction, vector: number, used: UsedVector): void {
  cite(CLAUSE.disconnect);
  used.route = null;
  kvmIrqfd(vmm, eventfd(vf, 'interrupt', vector), false);
}

/** Source: KVM_IRQFD, KVM_SET_GSI_ROUTING, Linux 6.1 and 6.12. */
function assign(vmm: Vmm, vf: VirtualFunction, vector: number, used: UsedVector): void {
  used.route = entryOf(vf, vector);
  kvmIrqfd(vmm, eventfd(vf, 'interrupt', vector), true);
}
