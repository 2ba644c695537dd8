import { cite, declare } from '../cite.ts';
import { isWireAsserted } from '../pci/intx-pin.ts';
import type { VfioDevice } from './device.ts';
import { type Eventfd, signal } from './eventfd.ts';
import { virqfdDisable } from './virqfd.ts';

const CLAUSE = declare({
  enable: {
    id: 'vfio.intx.enable',
    title: 'Enabling INTx registers a handler that stays until INTx is disabled, also without a trigger.',
    source: 'vfio_intx_enable, Linux 6.1.84 and later, 6.9 and later',
  },
  noVectorLeft: {
    id: 'vfio.intx.no-vector-left',
    title:
      'INTx takes a CPU vector for its handler; where none is left: ENOSPC, with Interrupt Disable as for success.',
    source: 'vfio_intx_enable, mp_irqdomain_activate, x86_vector_activate, Linux 6.1 and 6.12',
  },
  enableMasked: {
    id: 'vfio.intx.enable-masked',
    title: 'INTx begins masked when the user has set Interrupt Disable before.',
    source: 'vfio_intx_enable, Linux 6.1.84 and later, 6.9 and later',
  },
  disable: {
    id: 'vfio.intx.disable',
    title: 'Disabling INTx frees the handler and detaches the unmask eventfd; Interrupt Disable stays as it was.',
    source: 'vfio_intx_disable, Linux 6.1 and 6.12',
  },
  handler: {
    id: 'vfio.intx.handler',
    title: 'An asserted pin is masked through Interrupt Disable and signalled once.',
    source: 'vfio_intx_handler, pci_check_and_mask_intx, Linux 6.1 and 6.12',
  },
  notSent: {
    id: 'vfio.intx.not-sent',
    title: 'Nothing is signalled without a trigger, or while the user has Interrupt Disable set.',
    source: 'vfio_send_intx_eventfd, Linux 6.1 and 6.12',
  },
  mask: {
    id: 'vfio.intx.mask',
    title: 'Masking sets the physical Interrupt Disable; once masked it changes nothing.',
    source: '__vfio_pci_intx_mask, Linux 6.1 and 6.12',
  },
  unmask: {
    id: 'vfio.intx.unmask',
    title: 'Unmasking clears the physical Interrupt Disable, once the device has deasserted the pin.',
    source: 'vfio_pci_intx_unmask_handler, pci_check_and_unmask_intx, Linux 6.1 and 6.12',
  },
  resignal: {
    id: 'vfio.intx.resignal',
    title: 'Unmasking while the pin is still asserted leaves it masked and signals the trigger again.',
    source: 'vfio_pci_intx_unmask_handler, pci_check_and_unmask_intx, Linux 6.1 and 6.12',
  },
  unmaskWithoutEffect: {
    id: 'vfio.intx.unmask-without-effect',
    title: 'Unmasking what is not masked, or while the user has Interrupt Disable set, does nothing.',
    source: 'vfio_pci_intx_unmask_handler, Linux 6.1 and 6.12',
  },
  bitFollows: {
    id: 'vfio.intx.bit-follows',
    title: 'While INTx is not set up the physical Interrupt Disable follows the virtual one.',
    source: '__vfio_pci_intx_mask, vfio_pci_intx_unmask_handler, Linux 6.1 and 6.12',
  },
});

/** INTx with a trigger or without one, while nothing is set up. */
export function intxEnable(device: VfioDevice, trigger: Eventfd | null): 0 | 'ENOSPC' {
  const { intx, pci, virtual, domain } = device;
  if (domain.hostVectors.free === 0) {
    cite(CLAUSE.noVectorLeft);
    pci.intxDisable = virtual.intxDisable;
    return 'ENOSPC';
  }
  domain.hostVectors.free -= 1;
  cite(virtual.intxDisable ? CLAUSE.enableMasked : CLAUSE.enable);
  intx.masked = virtual.intxDisable;
  intx.trigger = trigger;
  intx.unmask = null;
  pci.intxDisable = intx.masked;
  device.irqType = 'intx';
  intxHandler(device);
  return 0;
}

/** Source: vfio_intx_disable, Linux 6.1 and 6.12. */
export function intxDisable(device: VfioDevice): void {
  cite(CLAUSE.disable);
  virqfdDisable(device);
  device.intx.trigger = null;
  device.domain.hostVectors.free += 1;
  device.irqType = 'none';
}

/** The wire may have become asserted. Without a handler nobody hears it. */
export function intxHandler(device: VfioDevice): void {
  if (device.irqType !== 'intx' || !isWireAsserted(device.pci)) return;
  cite(CLAUSE.handler);
  device.pci.intxDisable = true;
  device.intx.masked = true;
  sendIntx(device);
}

/** Source: vfio_send_intx_eventfd, Linux 6.1 and 6.12. */
export function sendIntx({ intx, virtual, eventfds }: VfioDevice): void {
  if (intx.trigger === null || virtual.intxDisable) {
    cite(CLAUSE.notSent);
    return;
  }
  signal(eventfds, intx.trigger);
}

/** Source: __vfio_pci_intx_mask, Linux 6.1 and 6.12. */
export function intxMask({ irqType, intx, pci }: VfioDevice): void {
  pci.intxDisable = true;
  if (irqType !== 'intx') {
    cite(CLAUSE.bitFollows);
    return;
  }
  cite(CLAUSE.mask);
  intx.masked = true;
}

/** Source: vfio_pci_intx_unmask, Linux 6.1 and 6.12. */
export function intxUnmask(device: VfioDevice): void {
  const { irqType, intx, pci, virtual } = device;
  if (irqType !== 'intx') {
    cite(CLAUSE.bitFollows);
    pci.intxDisable = false;
    return;
  }
  if (!intx.masked || virtual.intxDisable) {
    cite(CLAUSE.unmaskWithoutEffect);
    return;
  }
  if (pci.intxStatus) {
    cite(CLAUSE.resignal);
    sendIntx(device);
    return;
  }
  cite(CLAUSE.unmask);
  pci.intxDisable = false;
  intx.masked = false;
}
