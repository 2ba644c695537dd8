import { cite, declare } from '../cite.ts';
import { allAtEnable } from './all-at-enable.ts';
import { enableNoVector, enableVectors } from './enable-vectors.ts';
import { grow } from './growth.ts';
import { eventfd, kvmIrqfd, kvmSetGsiRouting } from './host-call.ts';
import { intxDisable } from './intx.ts';
import { hidePba, putToUse } from './vector-use.ts';
import { entryOf, unmaskedAscending, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  batch: {
    id: 'qemu.msix-enable.batch',
    title: 'Vectors that are unmasked when the guest enables MSI-X are set up together, without a tear-down.',
    source: 'vfio_msix_enable, QEMU 7.1 and later (dc580d51f7)',
  },
  hole: {
    id: 'qemu.msix-enable.hole',
    title: 'Entries that are masked below one that is not get no route, no irqfd and no eventfd.',
    source: 'vfio_commit_kvm_msi_virq_batch, QEMU 11.1; 7.1 to 10.0 crash here, or leave irqfds behind (dc580d51f7)',
  },
  vectorZero: {
    id: 'qemu.msix-enable.vector-0',
    title: 'With nothing unmasked vector 0 is set up, masked as it is, to have MSI-X on at the host too.',
    source: 'vfio_msix_enable, QEMU 1.4 to 8.1 (b0223e29af)',
  },
  none: {
    id: 'qemu.msix-enable.none',
    title: 'With nothing unmasked MSI-X is turned on and no vector set up.',
    source: 'vfio_msix_enable, QEMU 8.2 and later (5ebffa4e87)',
  },
  refused: {
    id: 'qemu.msix-enable.refused',
    title: 'A guest whose MSI-X the host refuses to turn on is not told.',
    source: 'vfio_msix_enable, QEMU 7.2 and 10.0',
  },
});

/** The guest has enabled MSI-X. Source: vfio_msix_enable, QEMU 7.2 and 10.0. */
export function msixEnable(vmm: Vmm, vf: VirtualFunction): void {
  intxDisable(vmm, vf);
  vf.interrupt = 'msix';
  vf.notifies = true;
  switch (vf.vmm.allocation) {
    case 'all-at-enable':
      if (!allAtEnable(vmm, vf)) cite(CLAUSE.refused);
      return;
    case 'vector-0-first':
    case 'as-irq-info-says':
      useUnmasked(vmm, vf);
      if (!setUp(vmm, vf)) cite(CLAUSE.refused);
      return;
  }
}

/** Returns whether the host has done it. Source: vfio_msix_enable, QEMU 7.2 and 10.0. */
function setUp(vmm: Vmm, vf: VirtualFunction): boolean {
  if (vf.vectorCount > 0) {
    cite(CLAUSE.batch);
    return enableVectors(vmm, vf);
  }
  if (vf.vmm.allocation === 'as-irq-info-says') {
    cite(CLAUSE.none);
    return enableNoVector(vmm, vf);
  }
  cite(CLAUSE.vectorZero);
  vf.vectors.set(0, { hasHandler: false, route: null });
  vf.vectorCount = 1;
  const done = grow(vmm, vf);
  hidePba(vf, 0);
  return done;
}

/**
 * Unmasked vectors come into use at once; KVM's routes are made for all together.
 * Source: msix_set_vector_notifiers, vfio_commit_kvm_msi_virq_batch, QEMU 7.1 and later.
 */
function useUnmasked(vmm: Vmm, vf: VirtualFunction): void {
  if (vf.functionMask) return;
  const unmasked = unmaskedAscending(vf);
  for (const vector of unmasked) {
    const used = putToUse(vf, vector);
    if (vf.vmm.delivery === 'irqfd') used.route = entryOf(vf, vector);
    vf.vectorCount = vector + 1;
    hidePba(vf, vector);
  }
  if (vf.vectorCount > unmasked.length) cite(CLAUSE.hole);
  if (vf.vmm.delivery !== 'irqfd' || unmasked.length === 0) return;
  kvmSetGsiRouting(vmm);
  for (const vector of unmasked) kvmIrqfd(vmm, eventfd(vf, 'irqfd', vector), true);
}
