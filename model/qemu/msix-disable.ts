import { cite, declare } from '../cite.ts';
import { kvmDisconnect } from './all-at-enable.ts';
import { closeVmmEventfd, disableMsix, eventfd, kvmIrqfd } from './host-call.ts';
import { intxEnable } from './intx.ts';
import { vectorRelease } from './vector-release.ts';
import { unmaskedAscending, usedAscending, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  disable: {
    id: 'qemu.msix-disable.all',
    title: 'Disabling releases every vector, turns MSI-X off at the host and brings INTx back.',
    source: 'vfio_msix_disable, QEMU 7.2 and 10.0',
  },
  releasedTwice: {
    id: 'qemu.msix-disable.released-twice',
    title: 'When the device is reset with MSI-X on, unmasked vectors are released twice.',
    source: 'msix_unset_vector_notifiers, vfio_msix_disable, QEMU 7.2 and 10.0',
  },
  forgotten: {
    id: 'qemu.msix-disable.forgotten',
    title: 'What is pending when the guest disables MSI-X, or waits in an eventfd, is forgotten (W7).',
    source: 'msix_vector_unuse, vfio_msi_disable_common, QEMU 7.2 and 10.0',
  },
});

/**
 * MSI-X ends: the guest has disabled it, or the device is being reset with it on.
 * Source: vfio_msix_disable, QEMU 7.2 and 10.0.
 */
export function msixDisable(vmm: Vmm, vf: VirtualFunction): void {
  cite(CLAUSE.disable);
  vf.notifies = false;
  switch (vf.vmm.allocation) {
    case 'all-at-enable':
      disableMsix(vmm, vf);
      for (const vector of usedAscending(vf)) disconnect(vmm, vf, vector);
      break;
    case 'vector-0-first':
    case 'as-irq-info-says':
      releaseAll(vmm, vf);
      disableMsix(vmm, vf);
      for (const vector of usedAscending(vf)) removeRoute(vmm, vf, vector);
      break;
  }
  forget(vf);
  vf.interrupt = 'none';
  intxEnable(vmm, vf);
  vf.pending.clear();
}

function releaseAll(vmm: Vmm, vf: VirtualFunction): void {
  if (vf.enable && !vf.functionMask) {
    const unmasked = unmaskedAscending(vf);
    if (vf.vmm.delivery === 'irqfd' && unmasked.length > 0) cite(CLAUSE.releasedTwice);
    for (const vector of unmasked) vectorRelease(vmm, vf, vector);
  }
  for (const vector of usedAscending(vf)) vectorRelease(vmm, vf, vector);
}

/** Source: vfio_remove_kvm_msi_virq, QEMU 7.2 and 10.0. */
function removeRoute(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  if (vf.vectors.get(vector)?.route !== null) kvmIrqfd(vmm, eventfd(vf, 'irqfd', vector), false);
}

/** Source: ours, as KVM_IRQFD at the end of MSI-X in kvmtool. */
function disconnect(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  const used = vf.vectors.get(vector);
  if (used !== undefined && used.route !== null) kvmDisconnect(vmm, vf, vector, used);
}

/** Source: vfio_msi_disable_common, msix_vector_unuse, QEMU 7.2 and 10.0. */
function forget(vf: VirtualFunction): void {
  if (vf.waiting.size > 0 || vf.pba.size > 0) cite(CLAUSE.forgotten);
  vf.waiting.clear();
  vf.pba.clear();
  for (const vector of usedAscending(vf)) {
    closeVmmEventfd(vf, 'interrupt', vector);
    if (vf.vectors.get(vector)?.route !== null) closeVmmEventfd(vf, 'irqfd', vector);
  }
  vf.vectors.clear();
  vf.vectorCount = 0;
}
