import { cite, declare } from '../cite.ts';
import { kvmDisconnect } from './all-at-enable.ts';
import { eventfd, setTriggers } from './host-call.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  swap: {
    id: 'qemu.vector-release.swap',
    title: 'A vector that KVM delivers gets back the eventfd that the VMM reads; one that the VMM delivers has it.',
    source: 'vfio_msix_vector_release, QEMU 2.1 and later (f4d45d4782)',
  },
});

/** Source: vfio_msix_vector_release, QEMU 7.2 and 10.0. */
export function vectorRelease(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  const used = vf.vectors.get(vector);
  if (used === undefined || used.route === null) return;
  if (vf.vmm.allocation === 'all-at-enable') {
    kvmDisconnect(vmm, vf, vector, used);
    return;
  }
  cite(CLAUSE.swap);
  setTriggers(vmm, vf, vector, [eventfd(vf, 'interrupt', vector)]);
}
