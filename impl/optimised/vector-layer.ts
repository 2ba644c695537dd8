import type { DataElement, Outcome } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { CallLayer, NO_EVENTFD } from './call-layer.ts';
import type { Guest } from './guest.ts';
import { OK } from './outcomes.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_DATA_EVENTFD, VFIO_PCI_MSIX_IRQ_INDEX } = vocabulary;

const BLOCK = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;

/**
 * How the vectors of a guest come to have interrupts on the host: the reactions to MSI-X on and off, and to an entry
 * unmasked and masked. What vfio answers changes nothing of what the VMM does.
 */
export abstract class VectorLayer extends CallLayer {
  /** vfio_msix_enable, QEMU 7.2 and 10.0. */
  protected vfioMsixEnable(guest: Guest): void {
    this.vfioIntxDisable(guest);
    guest.hasNotifiers = true;
    switch (guest.strategy) {
      case 'legacy-0':
        this.setVectorNotifiers(guest);
        if (guest.vectorCount > 0) this.vfioEnableVectors(guest);
        else this.vfioMsixVectorDoUse(guest, 0, false);
        return;
      case 'legacy-1':
        this.setVectorNotifiers(guest);
        if (guest.vectorCount > 0) this.vfioEnableVectors(guest);
        else this.vfioMsixEnableNoVec(guest);
        return;
      case 'dynamic':
        this.setVectorNotifiers(guest);
        // vfio_enable_vectors gives up where MSI-X cannot even be turned on.
        if (this.vfioMsixEnableNoVec(guest) === OK && guest.vectorCount > 0) this.vfioEnableVectors(guest);
        return;
      case 'all-at-enable':
        this.enableAll(guest);
        return;
    }
  }

  /**
   * msix_set_vector_notifiers between vfio_prepare_kvm_msi_virq_batch and vfio_commit_kvm_msi_virq_batch, QEMU 7.2 and
   * 10.0: vectors that are unmasked already are put to use together. Unused ones between them get no irqfd (11.1).
   */
  protected setVectorNotifiers(guest: Guest): void {
    if (guest.functionMasked) return;
    const { unmasked } = guest.table;
    for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1)) {
      this.useEventfd(guest, vector);
      if (guest.hasIrqfds) this.updateRoute(guest, vector);
      guest.vectorCount = vector + 1;
      this.disablePbaEmulation(guest, vector);
    }
    if (!guest.hasIrqfds || guest.vectorCount === 0) return;
    this.kvmIrqchipCommitRouteChanges();
    for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1))
      this.vfioConnectKvmMsiVirq(guest, vector);
  }

  /** The vector has an eventfd from now on, and the main loop reads it. */
  protected useEventfd(guest: Guest, vector: number): void {
    guest.used.add(vector);
    guest.handled.add(vector);
  }

  /** vfio_connect_kvm_msi_virq, QEMU 7.2 and 10.0. */
  protected vfioConnectKvmMsiVirq(guest: Guest, vector: number): void {
    this.kvmIrqfd(guest.irqfdEventfd(vector), true);
    guest.connected.add(vector);
  }

  /** vfio_msix_enable_no_vec, QEMU 10.0: turns MSI-X on with vector 0 allocated and nothing armed. */
  protected vfioMsixEnableNoVec(guest: Guest): Outcome {
    return this.vfioSetIrqSignaling(guest, VFIO_PCI_MSIX_IRQ_INDEX, 0, VFIO_IRQ_SET_ACTION_TRIGGER, NO_EVENTFD);
  }

  /** vfio_enable_vectors, QEMU 7.2 and 10.0: all vectors so far in one call. */
  protected vfioEnableVectors(guest: Guest): void {
    const { vectorCount } = guest;
    const call = this.traces.setIrqs(guest.device.place, BLOCK, VFIO_PCI_MSIX_IRQ_INDEX, 0, vectorCount);
    for (let vector = 0; vector < vectorCount; vector += 1) call.push(this.eventfdToEnable(guest, vector));
    this.askSetIrqs(guest, call);
  }

  /** vfio_enable_vectors, QEMU 7.2 and 10.0: KVM must not see the events of what is masked. */
  protected eventfdToEnable(guest: Guest, vector: number): DataElement {
    if (!guest.used.has(vector)) return NO_EVENTFD;
    const toIrqfd = guest.connected.has(vector) && !guest.isMasked(vector);
    return toIrqfd ? guest.irqfdEventfd(vector) : guest.interruptEventfd(vector);
  }

  /** vfio_msix_vector_use, QEMU 7.2 and 10.0: the vector is not masked any more. */
  protected vfioMsixVectorUse(guest: Guest, vector: number): void {
    if (guest.strategy !== 'all-at-enable') this.vfioMsixVectorDoUse(guest, vector, true);
    else if (guest.hasIrqfds) this.connectInterrupt(guest, vector);
  }

  /**
   * vfio_msix_vector_do_use, QEMU 7.2 and 10.0. Before 8.2 vector 0 is used without a message and a handler when the
   * guest turns MSI-X on with nothing unmasked: its events wait in the eventfd for the first real use.
   */
  protected vfioMsixVectorDoUse(guest: Guest, vector: number, hasMessage: boolean): void {
    guest.used.add(vector);
    if (hasMessage) {
      guest.handled.add(vector);
      if (guest.hasIrqfds) this.routeVector(guest, vector);
    }
    const grows = guest.vectorCount <= vector;
    if (grows) guest.vectorCount = vector + 1;
    if (grows && guest.strategy !== 'dynamic') {
      this.vfioDisableIrqindex(guest, VFIO_PCI_MSIX_IRQ_INDEX);
      this.vfioEnableVectors(guest);
    } else this.setTriggerOf(guest, vector, guest.connected.has(vector));
    this.disablePbaEmulation(guest, vector);
  }

  /** vfio_update_kvm_msi_virq, or vfio_add_kvm_msi_virq and vfio_connect_kvm_msi_virq, QEMU 7.2 and 10.0. */
  protected routeVector(guest: Guest, vector: number): void {
    this.updateRoute(guest, vector);
    this.kvmIrqchipCommitRouteChanges();
    if (!guest.connected.has(vector)) this.vfioConnectKvmMsiVirq(guest, vector);
  }

  /** kvm_irqchip_update_msi_route, QEMU 7.2 and 10.0. It is in force once routes are committed. */
  protected updateRoute(guest: Guest, vector: number): void {
    guest.updateRoute(vector);
  }

  /** vfio_set_irq_signaling for one vector, QEMU 7.2 and 10.0. */
  protected setTriggerOf(guest: Guest, vector: number, toIrqfd: boolean): void {
    const eventfd = toIrqfd ? guest.irqfdEventfd(vector) : guest.interruptEventfd(vector);
    this.vfioSetIrqSignaling(guest, VFIO_PCI_MSIX_IRQ_INDEX, vector, VFIO_IRQ_SET_ACTION_TRIGGER, eventfd);
  }

  /** vfio_msix_vector_do_use, QEMU 7.2 and 10.0, its end: with nothing pending the guest reads the function's PBA. */
  protected disablePbaEmulation(guest: Guest, vector: number): void {
    guest.pending.delete(vector);
    if (guest.pending.next(0) === -1) guest.showPba(false);
  }

  /** vfio_msix_vector_release, QEMU 7.2 and 10.0: the vector is masked. Only KVM must not see its events. */
  protected vfioMsixVectorRelease(guest: Guest, vector: number): void {
    if (!guest.connected.has(vector)) return;
    if (guest.strategy === 'all-at-enable') this.disconnectInterrupt(guest, vector);
    else this.setTriggerOf(guest, vector, false);
  }

  /** vfio_msix_disable, QEMU 7.2 and 10.0. What waits in the eventfds is gone. */
  protected vfioMsixDisable(guest: Guest): void {
    const isAll = guest.strategy === 'all-at-enable';
    if (!isAll) this.unsetVectorNotifiers(guest);
    guest.hasNotifiers = false;
    // Also before 8.2, where it asks for a vector: the trick has seen to it that there is one.
    this.vfioDisableIrqindex(guest, VFIO_PCI_MSIX_IRQ_INDEX);
    const { connected } = guest;
    for (let vector = connected.next(0); vector !== -1; vector = connected.next(vector + 1))
      this.kvmIrqfd(isAll ? guest.interruptEventfd(vector) : guest.irqfdEventfd(vector), false);
    guest.closeVectors();
    guest.clearAllPending();
    this.vfioIntxEnable(guest);
  }

  /** msix_unset_vector_notifiers, which sees Enable only in a reset, and vfio_msix_disable, QEMU 7.2 and 10.0. */
  protected unsetVectorNotifiers(guest: Guest): void {
    const { table, used } = guest;
    if (guest.enable && !guest.functionMask) {
      for (let vector = table.unmasked.next(0); vector !== -1; vector = table.unmasked.next(vector + 1))
        this.vfioMsixVectorRelease(guest, vector);
    }
    for (let vector = used.next(0); vector !== -1; vector = used.next(vector + 1))
      this.vfioMsixVectorRelease(guest, vector);
  }

  /** enable_msix, Cloud Hypervisor: the whole table has interrupts on the host from now on. */
  protected enableAll(guest: Guest): void {
    const { device } = guest;
    guest.vectorCount = device.msixVectors;
    for (let vector = 0; vector < device.msixVectors; vector += 1) {
      guest.used.add(vector);
      if (!guest.hasIrqfds) guest.handled.add(vector);
    }
    if (guest.hasIrqfds && !guest.functionMasked) this.connectUnmasked(guest);
    const call = this.traces.setIrqs(device.place, BLOCK, VFIO_PCI_MSIX_IRQ_INDEX, 0, device.msixVectors);
    for (let vector = 0; vector < device.msixVectors; vector += 1) call.push(guest.interruptEventfd(vector));
    this.askSetIrqs(guest, call);
  }

  /** Ours, after Cloud Hypervisor: all routes in one call. */
  protected connectUnmasked(guest: Guest): void {
    const { unmasked } = guest.table;
    if (unmasked.next(0) === -1) return;
    this.kvmIrqchipCommitRouteChanges();
    for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1)) {
      this.updateRoute(guest, vector);
      this.kvmIrqfd(guest.interruptEventfd(vector), true);
      guest.connected.add(vector);
    }
  }

  /** Ours, after Cloud Hypervisor: KVM finds the events that have come while the vector was masked, as one. */
  protected connectInterrupt(guest: Guest, vector: number): void {
    this.updateRoute(guest, vector);
    this.kvmIrqchipCommitRouteChanges();
    this.kvmIrqfd(guest.interruptEventfd(vector), true);
    guest.connected.add(vector);
    if (!guest.waiting.has(vector)) return;
    guest.waiting.delete(vector);
    this.irqfdInject(guest, vector);
  }

  /** Ours, after Cloud Hypervisor: events wait in the eventfd from now on. */
  protected disconnectInterrupt(guest: Guest, vector: number): void {
    this.kvmIrqfd(guest.interruptEventfd(vector), false);
    guest.connected.delete(vector);
  }
}
