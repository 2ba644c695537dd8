import type { Outcome } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { COMPOSED, type Device, MESSAGE, REPLAY } from './device.ts';
import { FunctionLayer } from './function-layer.ts';
import { EINVAL, ENOSPC, ERANGE, OK } from './outcomes.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  ALLOCATED,
  ARMED,
  INTX_DISABLE,
  MSI_ENABLE,
  MSI_MESSAGE,
  UNMASKED,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} = vocabulary;

/** The irqs of MSI-X and MSI: the PCI core, the MSI domain and the x86 vectors below it. */
export abstract class IrqLayer extends FunctionLayer {
  /** Vectors of the host that can still be put to use; infinite until a scenario limits them. */
  protected freeVectors = Number.POSITIVE_INFINITY;
  /** Which allocation from now on fails; 0 for none. */
  protected failing = 0;
  protected interruptRemapping = true;

  protected abstract msiHandler(device: Device, vector: number): void;

  /** The next `count` allocations, as far as the one that fails, if it is among them. Returns how many were made. */
  protected allocate(count: number): number {
    if (this.failing === 0) return count;
    if (this.failing > count) {
      this.failing -= count;
      return count;
    }
    const made = this.failing - 1;
    this.failing = 0;
    return made;
  }

  /**
   * __pci_enable_msix_range, Linux 6.1 and 6.12. Takes no vectors of the host: these are only reserved. MSI-X is on
   * before there are irqs (msix_capability_init), also when there are too few.
   */
  protected pciEnableMsixRange(device: Device, count: number): Outcome {
    if (count === 0) return ERANGE;
    if (device.inD3hot) return EINVAL;
    const made = this.allocate(count);
    this.setMsixEnable(device);
    for (let vector = 0; vector < made; vector += 1) this.allocateMsixIrq(device, vector);
    return made === count ? OK : this.fewer(device, made);
  }

  /** __pci_enable_msi_range, Linux 6.1 and 6.12. MSI cannot be masked: vectors of the host are taken at once. */
  protected pciEnableMsiRange(device: Device, count: number): Outcome {
    if (device.inD3hot) return EINVAL;
    if (count === 0) return ERANGE;
    const made = this.allocateMsi(count);
    if (made === 0 || this.freeVectors < made) return ENOSPC;
    this.freeVectors -= made;
    this.msiCapabilityInit(device, made);
    for (let vector = 0; vector < made; vector += 1) {
      device.allocated.add(vector);
      device.set(vector, ALLOCATED | COMPOSED);
    }
    return made === count ? OK : this.fewer(device, made);
  }

  /** One allocation is for all vectors. After one that fails, or that the host cannot do, comes one for one vector. */
  protected allocateMsi(count: number): number {
    const wanted = this.interruptRemapping ? count : 1;
    if (this.allocate(1) === 1) return wanted;
    return wanted === 1 ? 0 : this.allocate(1);
  }

  /** vfio_msi_enable, Linux 6.1 and 6.12: all are given back, and the caller is told how many there were. */
  protected fewer(device: Device, made: number): Outcome {
    this.pciFreeIrqVectors(device);
    return made === 0 ? ENOSPC : this.outcomes.positive(made);
  }

  /** msi_capability_init, Linux 6.1 and 6.12. */
  protected msiCapabilityInit(device: Device, count: number): void {
    this.setMsiEnable(device);
    device.registers |= MSI_MESSAGE;
    this.setMultipleMessages(device, count);
  }

  /** Multiple Message Enable for so many vectors: the next power of two. */
  protected setMultipleMessages(device: Device, count: number): void {
    device.msiMessages = 2 ** (32 - Math.clz32(count - 1));
  }

  /** pci_msix_alloc_irq_at, Linux 6.12. */
  protected pciMsixAllocIrqAt(device: Device, vector: number): Outcome {
    if (this.allocate(1) === 0) return ENOSPC;
    this.allocateMsixIrq(device, vector);
    return OK;
  }

  /** msi_domain_activate with a reserved vector, Linux 6.1 and 6.12: the message has an address already. */
  protected allocateMsixIrq(device: Device, vector: number): void {
    device.allocated.add(vector);
    device.set(vector, ALLOCATED);
    this.writeMsiMsg(device, vector);
  }

  /** __pci_write_msi_msg, Linux 6.1 and 6.12: the kernel's own copy always, the function's only in D0. */
  protected writeMsiMsg(device: Device, vector: number): void {
    const reaches = !device.inD3hot;
    device.set(vector, reaches && device.msixEnable ? COMPOSED | MESSAGE : COMPOSED);
    if (reaches && !device.msixEnable && vector === 0) device.registers |= MSI_MESSAGE;
  }

  /** msi_domain_deactivate, Linux 6.1 and 6.12: writes a message of zeroes. */
  protected clearMsiMsg(device: Device, vector: number): void {
    const reaches = !device.inD3hot;
    device.clear(vector, reaches && device.msixEnable ? COMPOSED | MESSAGE : COMPOSED);
    if (reaches && !device.msixEnable && vector === 0) device.registers &= ~MSI_MESSAGE;
  }

  /** request_irq, Linux 6.1 and 6.12: the handler is there before anything that waits for it is let go. */
  protected requestIrq(device: Device, vector: number, slot: number): Outcome {
    const activated = this.activateIrq(device, vector);
    if (activated !== OK) return activated;
    device.setTrigger(vector, slot, this.eventfds.generation(slot));
    device.set(vector, ARMED);
    if (device.msixEnable) this.unmaskEntry(device, vector);
    else this.checkIrqResend(device, vector);
    return OK;
  }

  /** x86_vector_activate and msi_domain_activate, Linux 6.1 and 6.12. MSI has its vectors since it was turned on. */
  protected activateIrq(device: Device, vector: number): Outcome {
    if (device.msixEnable) {
      if (this.freeVectors === 0) return ENOSPC;
      this.freeVectors -= 1;
    }
    this.writeMsiMsg(device, vector);
    return OK;
  }

  /** check_irq_resend, Linux 6.1 and 6.12: what came before the handler is delivered now, even if MSI is off again. */
  protected checkIrqResend(device: Device, vector: number): void {
    if (!device.has(vector, REPLAY)) return;
    device.clear(vector, REPLAY);
    this.msiHandler(device, vector);
  }

  /** handle_edge_irq, Linux 6.1 and 6.12: a message has arrived. Without a handler it waits for the first one. */
  protected handleEdgeIrq(device: Device, vector: number): void {
    if (device.isArmed(vector)) this.msiHandler(device, vector);
    else if (device.has(vector, COMPOSED)) device.set(vector, REPLAY);
  }

  /** free_irq, Linux 6.1 and 6.12: masks the entry and takes its message. MSI keeps the vector of the host. */
  protected freeIrq(device: Device, vector: number): void {
    device.clear(vector, ARMED | UNMASKED);
    if (device.msixEnable) this.freeVectors += 1;
    this.clearMsiMsg(device, vector);
  }

  /** pci_free_irq_vectors, Linux 6.1 and 6.12: also those that were added later. */
  protected pciFreeIrqVectors(device: Device): void {
    const { allocated, msixEnable } = device;
    for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1)) {
      device.clear(vector, ALLOCATED | REPLAY);
      if (!msixEnable) this.freeVectors += 1;
      // An irq that is not active any more is not deactivated again.
      if (device.has(vector, COMPOSED)) this.clearMsiMsg(device, vector);
    }
    allocated.clear();
    device.msixEnable = false;
    device.registers &= ~MSI_ENABLE;
  }

  /** pci_restore_msi_state, Linux 6.1 and 6.12, which leaves Interrupt Disable set (pci_intx_for_msi). */
  protected pciRestoreMsiState(device: Device): void {
    if (device.irqType === VFIO_PCI_MSIX_IRQ_INDEX) this.pciRestoreMsixState(device);
    else if (device.irqType === VFIO_PCI_MSI_IRQ_INDEX) this.pciRestoreOnlyMsiState(device);
    else return;
    device.registers |= INTX_DISABLE;
  }

  /** __pci_restore_msix_state, Linux 6.1 and 6.12. */
  protected pciRestoreMsixState(device: Device): void {
    this.setMsixEnable(device);
    const { allocated } = device;
    for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1)) {
      if (device.has(vector, COMPOSED)) device.set(vector, MESSAGE);
      if (device.isArmed(vector)) device.set(vector, UNMASKED);
    }
  }

  /** __pci_restore_msi_state, Linux 6.1 and 6.12. */
  protected pciRestoreOnlyMsiState(device: Device): void {
    this.setMsiEnable(device);
    this.setMultipleMessages(device, device.contextCount);
    if (device.has(0, COMPOSED)) device.registers |= MSI_MESSAGE;
  }
}
