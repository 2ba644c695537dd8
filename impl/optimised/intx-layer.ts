import type { DataElement, Outcome, VfioSetIrqs } from '#vocabulary';
import {
  INTX_DISABLE,
  INTX_HANDLER,
  INTX_STATUS,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
} from '#vocabulary';
import { isAsked } from './data.ts';
import { type Device, NUM_IRQS } from './device.ts';
import { MsiLayer } from './msi-layer.ts';
import { EINVAL, ENOSPC, ENOTTY, OK } from './outcomes.ts';

/** SET_IRQS on the INTx index, and INTx itself: of a function that Interrupt Disable turns off (PCI 2.3). */
export abstract class IntxLayer extends MsiLayer {
  /** vfio_pci_set_intx_trigger, Linux 6.1 and 6.12. */
  protected setIntxTrigger(device: Device, { flags, count, data }: VfioSetIrqs): Outcome {
    const enabled = device.irqType === VFIO_PCI_INTX_IRQ_INDEX;
    if (enabled && count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      this.intxDisable(device);
      return OK;
    }
    if ((!enabled && device.irqType !== NUM_IRQS) || count !== 1) return EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0)
      return this.setIntxEventfd(device, this.eventfds.descriptor(data[0] as DataElement));
    if (!enabled) return EINVAL;
    if (isAsked(flags, data)) this.sendIntxEventfd(device);
    return OK;
  }

  /** vfio_pci_set_intx_trigger, Linux 6.1.84 and 6.12: a descriptor that cannot be used changes nothing. */
  protected setIntxEventfd(device: Device, descriptor: number): Outcome {
    const found = this.eventfdLookup(descriptor);
    if (found !== OK) return found;
    if (device.irqType === NUM_IRQS) return this.intxEnable(device, descriptor);
    this.intxSetSignal(device, descriptor);
    return OK;
  }

  /** vfio_pci_set_intx_mask and vfio_pci_set_intx_unmask, Linux 6.1 and 6.12. */
  protected setIntxMask(device: Device, { flags, count, data }: VfioSetIrqs): Outcome {
    if (device.irqType !== VFIO_PCI_INTX_IRQ_INDEX || count !== 1) return EINVAL;
    const masks = (flags & VFIO_IRQ_SET_ACTION_MASK) !== 0;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0)
      return masks ? ENOTTY : this.setUnmaskEventfd(device, this.eventfds.descriptor(data[0] as DataElement));
    if (!isAsked(flags, data)) return OK;
    if (masks) this.intxMask(device);
    else this.intxUnmask(device);
    return OK;
  }

  /** vfio_pci_set_intx_unmask, Linux 6.1 and 6.12: DATA_EVENTFD. */
  protected setUnmaskEventfd(device: Device, descriptor: number): Outcome {
    if (descriptor >= 0) return this.virqfdEnable(device, descriptor);
    this.virqfdDisable(device);
    return OK;
  }

  /**
   * vfio_intx_enable, Linux 6.1.84 and 6.12. The handler is there whether there is a trigger or not, and takes a vector
   * of the host; where there is none, Interrupt Disable has been written already.
   */
  protected intxEnable(device: Device, descriptor: number): Outcome {
    device.intxMasked = device.virtualIntxDisable;
    if (device.intxMasked) device.registers |= INTX_DISABLE;
    else device.registers &= ~INTX_DISABLE;
    if (this.freeVectors === 0) return ENOSPC;
    this.freeVectors -= 1;
    device.irqType = VFIO_PCI_INTX_IRQ_INDEX;
    device.registers |= INTX_HANDLER;
    this.intxSetSignal(device, descriptor);
    if ((device.registers & (INTX_STATUS | INTX_DISABLE)) === INTX_STATUS) this.intxHandler(device);
    return OK;
  }

  /** vfio_intx_set_signal, Linux 6.1.84 and 6.12. */
  protected intxSetSignal(device: Device, descriptor: number): void {
    if (descriptor < 0) device.intxTrigger.clear();
    else this.setTrigger(device.intxTrigger, descriptor);
  }

  /** vfio_intx_disable, Linux 6.1 and 6.12. Interrupt Disable stays as it was. */
  protected intxDisable(device: Device): void {
    this.virqfdDisable(device);
    device.intxTrigger.clear();
    device.registers &= ~INTX_HANDLER;
    device.irqType = NUM_IRQS;
    this.freeVectors += 1;
  }

  /** vfio_intx_handler, Linux 6.1 and 6.12: the pin is asserted and reaches the host. */
  protected intxHandler(device: Device): void {
    if (device.irqType !== VFIO_PCI_INTX_IRQ_INDEX) return;
    device.registers |= INTX_DISABLE;
    device.intxMasked = true;
    this.sendIntxEventfd(device);
  }

  /** vfio_send_intx_eventfd, Linux 6.1 and 6.12. */
  protected sendIntxEventfd(device: Device): void {
    if (device.intxTrigger.isSet() && !device.virtualIntxDisable) this.signalTrigger(device.intxTrigger);
  }

  /** __vfio_pci_intx_mask, Linux 6.1 and 6.12. While INTx is not set up only the physical bit is set. */
  protected intxMask(device: Device): void {
    device.registers |= INTX_DISABLE;
    device.intxMasked = true;
  }

  /** vfio_pci_intx_unmask, Linux 6.1 and 6.12. A pin that is still asserted stays masked and is signalled again. */
  protected intxUnmask(device: Device): void {
    if (device.irqType === VFIO_PCI_INTX_IRQ_INDEX) {
      if (!device.intxMasked || device.virtualIntxDisable) return;
      if ((device.registers & INTX_STATUS) !== 0) {
        this.sendIntxEventfd(device);
        return;
      }
      device.intxMasked = false;
    }
    device.registers &= ~INTX_DISABLE;
  }
}
