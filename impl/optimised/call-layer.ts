import type { DataElement, EventfdName, Outcome, VfioSetIrqs, Window } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import type { SetIrqsCall } from './call-pool.ts';
import type { Device } from './device.ts';
import type { Guest } from './guest.ts';
import { ADDRESS, DATA, HIGH } from './guest-table.ts';
import { OK } from './outcomes.ts';
import { RegionLayer } from './region-layer.ts';
import { TracePool } from './trace-pool.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} = vocabulary;

/** Removes a trigger, or leaves one out. */
export const NO_EVENTFD = -1;

/** What a VMM asks of vfio and KVM, the windows between, and INTx. A step of QEMU's has the name it has there. */
export abstract class CallLayer extends RegionLayer {
  protected readonly traces = new TracePool();
  /** One for each device where there is a VMM, else none. */
  protected readonly guests: Guest[] = [];

  protected abstract setIrqs(device: Device, operation: VfioSetIrqs): Outcome;
  protected abstract reset(device: Device): Outcome;

  /** The function has an event for a vector. */
  protected raise(device: Device, vector: number, window: Window | null): void {
    this.traces.raised(device.place, vector, window);
    this.event(device, vector);
  }

  /**
   * What was armed for the window happens, in the order in which it was armed; the rest waits. A window that opens a
   * second time in one reaction finds nothing: only between reactions is anything armed.
   */
  protected openWindow(device: Device, window: Window): void {
    const { armedVectors, armedWindows, armedCount } = device;
    device.armedCount = 0;
    for (let place = 0; place < armedCount; place += 1) {
      const vector = armedVectors[place] as number;
      const awaited = armedWindows[place] as Window;
      if (awaited === window) this.happen(device, vector, window);
      else device.arm(vector, awaited);
    }
  }

  /** What was armed happens. `armed` is a vector that the function raises. */
  protected happen(device: Device, armed: number, window: Window | null): void {
    this.raise(device, armed, window);
  }

  /** vfio_msihandler, Linux 6.1 and 6.12. The eventfds of a VMM are no user's. */
  protected override msiHandler(device: Device, vector: number): void {
    // Without a VMM there is nothing to read behind the end of the list, which would be slow.
    if (this.guests.length === 0) super.msiHandler(device, vector);
    else this.eventfdWakeup(this.guests[device.place] as Guest, vector);
  }

  /** eventfd_signal, Linux, as far as those know of it who wait: KVM (irqfd_wakeup), or the VMM's main loop. */
  protected eventfdWakeup(guest: Guest, vector: number): void {
    if (this.hasIrqfd(guest, vector)) this.irqfdInject(guest, vector);
    else guest.waiting.add(vector);
  }

  /** Whether KVM takes the signals of the eventfd that is the vector's trigger. */
  protected hasIrqfd(guest: Guest, vector: number): boolean {
    if (!guest.connected.has(vector)) return false;
    if (guest.strategy === 'all-at-enable') return true;
    return this.eventfds.name(guest.device.slot(vector)) === guest.irqfdEventfd(vector);
  }

  /** irqfd_inject, Linux: KVM sends what the route says, whatever Bus Master Enable says. */
  protected irqfdInject(guest: Guest, vector: number): void {
    const address = guest.route(vector, ADDRESS);
    this.traces.message(guest.device.place, address, guest.route(vector, HIGH), guest.route(vector, DATA));
  }

  /** ioctl(VFIO_DEVICE_SET_IRQS), and the windows around it. */
  protected askSetIrqs({ device }: Guest, call: SetIrqsCall): Outcome {
    this.openWindow(device, 'before-call');
    const operation = call.finish();
    const outcome = this.setIrqs(device, operation);
    call.answered(outcome);
    if (operation.index !== VFIO_PCI_MSIX_IRQ_INDEX) return outcome;
    if ((operation.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) this.openWindow(device, 'after-set');
    else if (outcome === OK) this.openWindow(device, 'teardown-gap');
    return outcome;
  }

  /** ioctl(VFIO_DEVICE_RESET). */
  protected askReset({ device }: Guest): void {
    this.openWindow(device, 'before-call');
    this.traces.vfioReset(device.place, this.reset(device));
  }

  /** vfio_disable_irqindex, QEMU 7.2 and 10.0. */
  protected vfioDisableIrqindex(guest: Guest, index: number): Outcome {
    return this.askWithoutData(guest, index, VFIO_IRQ_SET_ACTION_TRIGGER, 0);
  }

  /** vfio_mask_single_irqindex, QEMU 7.2 and 10.0. */
  protected vfioMaskSingleIrqindex(guest: Guest, index: number): Outcome {
    return this.askWithoutData(guest, index, VFIO_IRQ_SET_ACTION_MASK, 1);
  }

  /** vfio_unmask_single_irqindex, QEMU 7.2 and 10.0. */
  protected vfioUnmaskSingleIrqindex(guest: Guest, index: number): Outcome {
    return this.askWithoutData(guest, index, VFIO_IRQ_SET_ACTION_UNMASK, 1);
  }

  protected askWithoutData(guest: Guest, index: number, action: number, count: number): Outcome {
    const flags = VFIO_IRQ_SET_DATA_NONE | action;
    return this.askSetIrqs(guest, this.traces.setIrqs(guest.device.place, flags, index, 0, count));
  }

  /** vfio_set_irq_signaling, QEMU 7.2 and 10.0. */
  protected vfioSetIrqSignaling(
    guest: Guest,
    index: number,
    vector: number,
    action: number,
    element: DataElement,
  ): Outcome {
    const call = this.traces.setIrqs(guest.device.place, VFIO_IRQ_SET_DATA_EVENTFD | action, index, vector, 1);
    call.push(element);
    return this.askSetIrqs(guest, call);
  }

  /** kvm_irqchip_commit_route_changes, QEMU 7.2 and 10.0. */
  protected kvmIrqchipCommitRouteChanges(): void {
    this.traces.setGsiRouting();
  }

  /** kvm_irqchip_add_irqfd_notifier_gsi and kvm_irqchip_remove_irqfd_notifier_gsi, QEMU 7.2 and 10.0. */
  protected kvmIrqfd(eventfd: EventfdName, assign: boolean): void {
    this.traces.irqfd(eventfd, assign);
  }

  /** vfio_intx_enable, QEMU 7.2 and 10.0. Where there is no host vector left, there is no INTx until the next time. */
  protected vfioIntxEnable(guest: Guest): void {
    if (!guest.device.hasIntx) return;
    const action = VFIO_IRQ_SET_ACTION_TRIGGER;
    if (this.vfioSetIrqSignaling(guest, VFIO_PCI_INTX_IRQ_INDEX, 0, action, guest.intxEventfd) !== OK) return;
    guest.intxUp = true;
    if (guest.hasIrqfds) this.vfioIntxEnableKvm(guest);
  }

  /** vfio_intx_enable_kvm, QEMU 7.2 and 10.0: vfio itself unmasks INTx when KVM says that the guest is done. */
  protected vfioIntxEnableKvm(guest: Guest): void {
    this.vfioMaskSingleIrqindex(guest, VFIO_PCI_INTX_IRQ_INDEX);
    this.kvmIrqfd(guest.intxEventfd, true);
    const action = VFIO_IRQ_SET_ACTION_UNMASK;
    this.vfioSetIrqSignaling(guest, VFIO_PCI_INTX_IRQ_INDEX, 0, action, guest.resampleEventfd);
    this.vfioUnmaskSingleIrqindex(guest, VFIO_PCI_INTX_IRQ_INDEX);
  }

  /** vfio_intx_disable, QEMU 7.2 and 10.0. */
  protected vfioIntxDisable(guest: Guest): void {
    if (!guest.intxUp) return;
    guest.intxUp = false;
    if (guest.hasIrqfds) this.vfioIntxDisableKvm(guest);
    this.vfioDisableIrqindex(guest, VFIO_PCI_INTX_IRQ_INDEX);
  }

  /** vfio_intx_disable_kvm, QEMU 7.2 and 10.0. */
  protected vfioIntxDisableKvm(guest: Guest): void {
    this.vfioMaskSingleIrqindex(guest, VFIO_PCI_INTX_IRQ_INDEX);
    this.kvmIrqfd(guest.intxEventfd, false);
    this.vfioUnmaskSingleIrqindex(guest, VFIO_PCI_INTX_IRQ_INDEX);
  }
}
