import { cite, declare } from '../cite.ts';
import { kvmConnect } from './all-at-enable.ts';
import { triggerOf } from './enable-vectors.ts';
import { grow } from './growth.ts';
import { eventfd, kvmIrqfd, kvmSetGsiRouting, setTriggers } from './host-call.ts';
import { addsVectors, entryOf, showPba, type UsedVector, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  set: {
    id: 'qemu.vector-use.set',
    title: 'A vector within those that the host has is set by itself; the others are left alone.',
    source: 'vfio_msix_vector_do_use, QEMU 7.2 and 10.0',
  },
  add: {
    id: 'qemu.vector-use.add',
    title: 'Where NORESIZE is clear a vector beyond those that the host has is added by itself.',
    source: 'vfio_msix_vector_do_use, QEMU 8.2 and later (d9e6710d7d)',
  },
  addRefused: {
    id: 'qemu.vector-use.add-refused',
    title:
      'A vector that the host refuses to add is dead until it is unmasked again; the others are not touched (W13).',
    source: 'vfio_msix_vector_do_use, QEMU 8.2 and later',
  },
  pbaHidden: {
    id: 'qemu.vector-use.pba-hidden',
    title: "When nothing more is pending the PBA reads as the function's own again.",
    source: 'vfio_msix_vector_do_use, QEMU 2.6 and later (95239e1625)',
  },
});

/** The guest has unmasked a vector. Source: vfio_msix_vector_do_use, QEMU 7.2 and 10.0. */
export function vectorUse(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  if (vf.vmm.allocation === 'all-at-enable') {
    if (vf.vmm.delivery === 'irqfd') kvmConnect(vmm, vf, vector);
    return;
  }
  const used = putToUse(vf, vector);
  if (vf.vmm.delivery === 'irqfd') updateRoute(vmm, vf, vector, used);
  const beyond = vf.vectorCount < vector + 1;
  if (beyond) vf.vectorCount = vector + 1;
  if (beyond && !addsVectors(vf)) grow(vmm, vf);
  else setOne(vmm, vf, vector, beyond);
  hidePba(vf, vector);
}

/** A vector that is put to use holds nothing back. Source: vfio_msix_vector_do_use, QEMU 2.6 and later (95239e1625). */
export function hidePba(vf: VirtualFunction, vector: number): void {
  vf.pending.delete(vector);
  if (vf.pending.size > 0 || !vf.pbaShown) return;
  cite(CLAUSE.pbaHidden);
  showPba(vf, false);
}

/** A vector comes into use with a handler. Source: vfio_msix_vector_do_use, QEMU 7.2 and 10.0. */
export function putToUse({ vectors }: VirtualFunction, vector: number): UsedVector {
  const used = vectors.get(vector) ?? { hasHandler: true, route: null };
  used.hasHandler = true;
  vectors.set(vector, used);
  return used;
}

/** Source: vfio_update_kvm_msi_virq, vfio_add_kvm_msi_virq, vfio_connect_kvm_msi_virq, QEMU 7.2 and 10.0. */
function updateRoute(vmm: Vmm, vf: VirtualFunction, vector: number, used: UsedVector): void {
  const isNew = used.route === null;
  used.route = entryOf(vf, vector);
  kvmSetGsiRouting(vmm);
  if (isNew) kvmIrqfd(vmm, eventfd(vf, 'irqfd', vector), true);
}

function setOne(vmm: Vmm, vf: VirtualFunction, vector: number, beyond: boolean): void {
  cite(beyond ? CLAUSE.add : CLAUSE.set);
  const done = setTriggers(vmm, vf, vector, [triggerOf(vf, vector)]);
  if (!done && addsVectors(vf)) cite(CLAUSE.addRefused);
}
