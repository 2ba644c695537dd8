import { eventfdUse, type Message } from '#vocabulary';
import { cite, declare } from '../cite.ts';
import { forgetSignals } from '../vfio/eventfd.ts';
import { deliver, msixNotify } from './msix-notify.ts';
import { entryOf, isMasked, showPba, type UsedVector, type VirtualFunction, type Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  injected: {
    id: 'qemu.event-loop.injected',
    title: 'A signal that KVM takes becomes a message at once, whether or not the function may master the bus.',
    source: 'irqfd_wakeup, Linux 6.1 and 6.12; W8 of QEMU 7.2 and 10.0',
  },
  afterMask: {
    id: 'qemu.event-loop.after-mask',
    title: 'A signal that KVM has taken before the mask reached the host is delivered after it, as one in flight.',
    source: 'vfio_msix_vector_release, QEMU 7.2 and 10.0; PCIe 6.0, 6.1.4.5',
  },
  staleMessage: {
    id: 'qemu.event-loop.stale-message',
    title: 'KVM sends the message of the last unmask; one that was rewritten since is not known to it.',
    source: 'msix_table_mmio_write, vfio_msix_vector_do_use, QEMU 7.2 and 10.0',
  },
  masked: {
    id: 'qemu.event-loop.masked',
    title: 'An event of a vector that the guest has masked becomes a pending bit, and from then on these are shown.',
    source: 'vfio_msi_interrupt, QEMU 7.2 and 10.0',
  },
  coalesced: {
    id: 'qemu.event-loop.coalesced',
    title: 'Events that came before the event loop ran are one.',
    source: 'event_notifier_test_and_clear, QEMU 7.2 and 10.0',
  },
  noHandler: {
    id: 'qemu.event-loop.no-handler',
    title: 'An event of a vector that is in use without a handler waits in its eventfd, and no pending bit shows it.',
    source: 'vfio_msix_enable, QEMU before 8.2; irqfd_shutdown, Linux 6.1 and 6.12',
  },
});

/** Signals that have come since: KVM's are delivered, the others wait for the event loop. Source: eventfd(2). */
export function takeSignals(vmm: Vmm): void {
  const { signalled } = vmm.eventfds;
  if (signalled === null) return;
  for (const { name, count } of signalled) {
    const { device, role, vector } = eventfdUse(name);
    const vf = vmm.functions[device];
    const used = vf?.vectors.get(vector);
    if (vf === undefined || used === undefined || role === 'intx' || role === 'resample') continue;
    const isKvms = role === 'irqfd' || (vf.vmm.allocation === 'all-at-enable' && used.route !== null);
    if (isKvms) inject(vmm, vf, vector, used, count);
    else vf.waiting.set(vector, (vf.waiting.get(vector) ?? 0) + count);
  }
  forgetSignals(vmm.eventfds);
}

function inject(vmm: Vmm, vf: VirtualFunction, vector: number, { route }: UsedVector, count: number): void {
  if (route === null) throw new Error(`KVM took a signal of vector ${vector}, which it has no route for`);
  cite(CLAUSE.injected);
  if (isMasked(vf, vector)) cite(CLAUSE.afterMask);
  if (!isSame(route, entryOf(vf, vector))) cite(CLAUSE.staleMessage);
  deliver(vmm, vf.index, route, count);
}

/**
 * KVM looks whether an eventfd that it is given has been signalled before.
 * Source: kvm_irqfd_assign, Linux 6.1 and 6.12.
 */
export function injectWaiting(vmm: Vmm, vf: VirtualFunction, vector: number, used: UsedVector): void {
  if (!vf.waiting.delete(vector)) return;
  inject(vmm, vf, vector, used, 1);
}

function isSame(one: Message, other: Message): boolean {
  return one.address === other.address && one.high === other.high && one.data === other.data;
}

/**
 * The event loop runs: each eventfd that it reads and that was signalled is one event.
 * Source: os_host_main_loop_wait, QEMU 7.2 and 10.0.
 */
export function runEventLoop(vmm: Vmm): void {
  takeSignals(vmm);
  for (const vf of vmm.functions) {
    if (vf.waiting.size > 0) readEventfds(vmm, vf);
  }
}

function readEventfds(vmm: Vmm, vf: VirtualFunction): void {
  for (const vector of vf.waiting.ascending()) {
    const count = vf.waiting.get(vector) ?? 0;
    if (vf.vectors.get(vector)?.hasHandler !== true) {
      cite(CLAUSE.noHandler);
      continue;
    }
    if (count > 1) cite(CLAUSE.coalesced);
    vf.waiting.delete(vector);
    msiInterrupt(vmm, vf, vector);
  }
}

/** Source: vfio_msi_interrupt, QEMU 7.2 and 10.0. */
function msiInterrupt(vmm: Vmm, vf: VirtualFunction, vector: number): void {
  if (isMasked(vf, vector)) {
    cite(CLAUSE.masked);
    vf.pending.add(vector);
    showPba(vf, true);
  }
  msixNotify(vmm, vf, vector);
}
