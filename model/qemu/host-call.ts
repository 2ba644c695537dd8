import {
  type DataElement,
  type EventfdName,
  type EventfdRole,
  type Outcome,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioReset,
  type VfioSetIrqs,
  vmmEventfd,
  type Window,
} from '#vocabulary';
import { added } from '../added.ts';
import { cite, declare } from '../cite.ts';
import { closeEventfd } from '../vfio/eventfd.ts';
import { returned } from '../vfio/returned.ts';
import { takeSignals } from './event-loop.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  refused: {
    id: 'qemu.host-call.refused',
    title: 'What the host refuses is reported on the console, and the VMM goes on as if it had been done.',
    source: 'vfio_msix_vector_do_use, vfio_msix_enable, QEMU 7.2 and 10.0',
  },
});

const TRIGGER_NONE = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
const TRIGGER_EVENTFD = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;

/** One call of vfio in a reaction, with the windows around it. Source: ioctl(2), between which anything may happen. */
function hostCall(vmm: Vmm, vf: VirtualFunction, operation: VfioSetIrqs | VfioReset): Outcome {
  open(vmm, vf, 'before-call');
  const { device } = vf;
  const outcome = returned(operation.kind === 'vfio.reset' ? device.reset() : device.setIrqs(operation));
  vmm.calls = added(vmm.calls, { kind: 'vfio', operation, outcome });
  takeSignals(vmm);
  if (outcome.kind !== 'ok') cite(CLAUSE.refused);
  return outcome;
}

/** Opens a window, if this reaction has not had it yet. Returns the number of events in it. Source: ours. */
function open(vmm: Vmm, vf: VirtualFunction, window: Window): number {
  if (vf.opened?.includes(window) === true) return 0;
  vf.opened = added(vf.opened, window);
  return vmm.raiseArmed(vf.index, window);
}

/** Source: struct vfio_irq_set, include/uapi/linux/vfio.h. */
function setIrqsCall(
  { index: device }: VirtualFunction,
  index: number,
  flags: number,
  start: number,
  data: readonly DataElement[],
  count = data.length,
): VfioSetIrqs {
  return { kind: 'vfio.setIrqs', device, flags, index, start, count, data };
}

/**
 * Turns MSI-X off on the host. Returns how many events came before the VMM went on.
 * Source: vfio_disable_irqindex, QEMU 7.2 and 10.0.
 */
export function disableMsix(vmm: Vmm, vf: VirtualFunction): number {
  const outcome = hostCall(vmm, vf, setIrqsCall(vf, VFIO_PCI_MSIX_IRQ_INDEX, TRIGGER_NONE, 0, []));
  return outcome.kind === 'ok' ? open(vmm, vf, 'teardown-gap') : 0;
}

/**
 * Gives eventfds to a range of vectors. Returns whether the host has done so.
 * Source: vfio_set_irq_signaling, vfio_enable_vectors, QEMU 7.2 and 10.0.
 */
export function setTriggers(vmm: Vmm, vf: VirtualFunction, start: number, data: readonly DataElement[]): boolean {
  const outcome = hostCall(vmm, vf, setIrqsCall(vf, VFIO_PCI_MSIX_IRQ_INDEX, TRIGGER_EVENTFD, start, data));
  open(vmm, vf, 'after-set');
  return outcome.kind === 'ok';
}

/** What a VMM asks of INTx. */
export type IntxRequest = 'trigger' | 'disable' | 'mask' | 'unmask' | 'unmaskByResample';

/** Source: vfio_set_irq_signaling, vfio_disable_irqindex, vfio_mask_single_irqindex, QEMU 7.2 and 10.0. */
export function setIntx(vmm: Vmm, vf: VirtualFunction, request: IntxRequest): boolean {
  return hostCall(vmm, vf, intxCall(vf, request)).kind === 'ok';
}

/** Source: vfio_intx_enable_kvm, vfio_intx_disable_kvm, QEMU 7.2 and 10.0. */
function intxCall(vf: VirtualFunction, request: IntxRequest): VfioSetIrqs {
  const index = VFIO_PCI_INTX_IRQ_INDEX;
  switch (request) {
    case 'trigger':
      return setIrqsCall(vf, index, TRIGGER_EVENTFD, 0, [eventfd(vf, 'intx')]);
    case 'disable':
      return setIrqsCall(vf, index, TRIGGER_NONE, 0, []);
    case 'mask':
      return setIrqsCall(vf, index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, [], 1);
    case 'unmask':
      return setIrqsCall(vf, index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, 0, [], 1);
    case 'unmaskByResample':
      return setIrqsCall(vf, index, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, 0, [
        eventfd(vf, 'resample'),
      ]);
  }
}

/** VFIO_DEVICE_RESET. Source: vfio_pci_reset, QEMU 7.2 and 10.0. */
export function resetDevice(vmm: Vmm, vf: VirtualFunction): void {
  hostCall(vmm, vf, { kind: 'vfio.reset', device: vf.index });
}

/** The eventfd of a vector, or of INTx. Source: event_notifier_get_fd, QEMU 7.2 and 10.0. */
export function eventfd({ index }: VirtualFunction, role: EventfdRole, vector?: number): EventfdName {
  return vmmEventfd(index, role, vector);
}

/** KVM takes the signals of an eventfd, or no longer does. Source: kvm_irqchip_assign_irqfd, QEMU 7.2 and 10.0. */
export function kvmIrqfd(vmm: Vmm, name: EventfdName, assign: boolean): void {
  vmm.calls = added(vmm.calls, { kind: 'kvm.irqfd', eventfd: name, assign });
}

/** Source: kvm_irqchip_commit_routes, QEMU 7.2 and 10.0. */
export function kvmSetGsiRouting(vmm: Vmm): void {
  vmm.calls = added(vmm.calls, { kind: 'kvm.setGsiRouting' });
}

/** What waits in the eventfd is gone with it. Source: event_notifier_cleanup, QEMU 7.2 and 10.0. */
export function closeVmmEventfd(vf: VirtualFunction, role: EventfdRole, vector?: number): void {
  closeEventfd(vf.device.eventfds, eventfd(vf, role, vector));
}
