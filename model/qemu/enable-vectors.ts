import type { DataElement } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { eventfd, setTriggers } from './host-call.ts';
import { addsVectors, isMasked, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  noVector: {
    id: 'qemu.enable-vectors.no-vector',
    title: 'MSI-X is turned on by vector 0 with eventfd -1, which leaves no vector armed.',
    source: 'vfio_enable_msix_no_vec, QEMU 8.2 and later (5ebffa4e87)',
  },
  block: {
    id: 'qemu.enable-vectors.block',
    title: 'All vectors up to the highest in use are set in one call, with -1 for those that are not in use.',
    source: 'vfio_enable_vectors, QEMU 7.2 and 10.0',
  },
  blockAfter: {
    id: 'qemu.enable-vectors.block-after-enable',
    title: 'Where vectors can be added MSI-X is turned on first, so that the host gets those alone that are in use.',
    source: 'vfio_enable_vectors, QEMU 8.2 and later (eaadba6f9b)',
  },
  byMask: {
    id: 'qemu.enable-vectors.by-mask',
    title: 'A vector that KVM delivers gets the eventfd that the VMM reads while the guest has it masked.',
    source: 'vfio_enable_vectors, QEMU 2.2 and later (c048be5cc9)',
  },
});

/** Vector 0 with eventfd -1. Returns whether the host has done it. */
export function enableNoVector(vmm: Vmm, vf: VirtualFunction): boolean {
  cite(CLAUSE.noVector);
  return setTriggers(vmm, vf, 0, [-1]);
}

/** Every vector up to the highest in use. Source: vfio_enable_vectors, QEMU 7.2 and 10.0. */
export function enableVectors(vmm: Vmm, vf: VirtualFunction): boolean {
  if (addsVectors(vf)) {
    cite(CLAUSE.blockAfter);
    if (!enableNoVector(vmm, vf)) return false;
  }
  cite(CLAUSE.block);
  const triggers: DataElement[] = [];
  for (let vector = 0; vector < vf.vectorCount; vector += 1) triggers.push(triggerOf(vf, vector));
  return setTriggers(vmm, vf, 0, triggers);
}

/** The eventfd that a vector is to signal now. Source: vfio_enable_vectors, QEMU 7.2 and 10.0. */
export function triggerOf(vf: VirtualFunction, vector: number): DataElement {
  const used = vf.vectors.get(vector);
  if (used === undefined) return -1;
  if (used.route === null) return eventfd(vf, 'interrupt', vector);
  if (!isMasked(vf, vector)) return eventfd(vf, 'irqfd', vector);
  cite(CLAUSE.byMask);
  return eventfd(vf, 'interrupt', vector);
}
