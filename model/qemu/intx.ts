import { cite, declare } from '../cite.ts';
import { closeVmmEventfd, eventfd, kvmIrqfd, setIntx } from './host-call.ts';
import type { VirtualFunction, Vmm } from './virtual-function.ts';

const CLAUSE = declare({
  noPin: {
    id: 'qemu.intx.no-pin',
    title: 'For a function without an INTx pin INTx is never asked for.',
    source: 'vfio_intx_enable, QEMU 7.2 and 10.0',
  },
  up: {
    id: 'qemu.intx.up',
    title: 'INTx is set up whenever MSI-X is not.',
    source: 'vfio_intx_enable, QEMU 7.2 and 10.0',
  },
  refused: {
    id: 'qemu.intx.refused',
    title: 'Where the host refuses INTx the device has no interrupts until MSI-X is enabled.',
    source: 'vfio_intx_enable, QEMU 7.2 and 10.0',
  },
  upByKvm: {
    id: 'qemu.intx.up-by-kvm',
    title: 'KVM takes INTx over while it is masked, and unmasks it by an eventfd of its own when the guest is done.',
    source: 'vfio_intx_enable_kvm, QEMU 7.2 and 10.0',
  },
  down: {
    id: 'qemu.intx.down',
    title: 'INTx is disabled before MSI-X is enabled and before the device is reset.',
    source: 'vfio_disable_interrupts, vfio_intx_disable, QEMU 7.2 and 10.0',
  },
});

/** Source: vfio_intx_enable, QEMU 7.2 and 10.0. */
export function intxEnable(vmm: Vmm, vf: VirtualFunction): void {
  if (vf.device.config.intx !== true) {
    cite(CLAUSE.noPin);
    return;
  }
  cite(CLAUSE.up);
  if (!setIntx(vmm, vf, 'trigger')) {
    cite(CLAUSE.refused);
    closeVmmEventfd(vf, 'intx');
    return;
  }
  if (vf.vmm.delivery === 'irqfd') {
    cite(CLAUSE.upByKvm);
    setIntx(vmm, vf, 'mask');
    kvmIrqfd(vmm, eventfd(vf, 'intx'), true);
    setIntx(vmm, vf, 'unmaskByResample');
    setIntx(vmm, vf, 'unmask');
  }
  vf.interrupt = 'intx';
}

/** Source: vfio_intx_disable, vfio_intx_disable_kvm, QEMU 7.2 and 10.0. */
export function intxDisable(vmm: Vmm, vf: VirtualFunction): void {
  if (vf.interrupt !== 'intx') return;
  cite(CLAUSE.down);
  if (vf.vmm.delivery === 'irqfd') {
    setIntx(vmm, vf, 'mask');
    kvmIrqfd(vmm, eventfd(vf, 'intx'), false);
    closeVmmEventfd(vf, 'resample');
    setIntx(vmm, vf, 'unmask');
  }
  setIntx(vmm, vf, 'disable');
  closeVmmEventfd(vf, 'intx');
  vf.interrupt = 'none';
}
