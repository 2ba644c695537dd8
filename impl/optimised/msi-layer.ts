import type { DataElement, Outcome, VfioSetIrqs, Window } from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { isTrue } from './data.ts';
import { type Device, NUM_IRQS } from './device.ts';
import { IrqLayer } from './irq-layer.ts';
import { EINVAL, OK } from './outcomes.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const { VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_NONE, VFIO_PCI_MSIX_IRQ_INDEX } = vocabulary;

/** SET_IRQS on the MSI and MSI-X indices, and what vfio-pci does when a message comes. */
export abstract class MsiLayer extends IrqLayer {
  /** The window that the running operation has opened. */
  protected opened: Window | null = null;

  /** vfio_pci_set_msi_trigger, Linux 6.1 and 6.12. */
  protected setMsiTrigger(device: Device, operation: VfioSetIrqs): Outcome {
    const { flags, index, start, count, data } = operation;
    const enabled = device.irqType === index;
    if (enabled && count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      this.msiDisable(device);
      this.opened = 'teardown-gap';
      return OK;
    }
    if (!enabled && device.irqType !== NUM_IRQS) return EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) {
      return enabled ? this.msiSetBlock(device, start, count, data) : this.turnOn(device, operation);
    }
    return enabled ? this.loopback(device, operation) : EINVAL;
  }

  /** vfio_pci_set_msi_trigger, Linux 6.1 and 6.12: the part for eventfds while nothing is set up. */
  protected turnOn(device: Device, { index, start, count, data }: VfioSetIrqs): Outcome {
    const enabled = this.msiEnable(device, index, start + count);
    if (enabled !== OK) return enabled;
    const set = this.msiSetBlock(device, start, count, data);
    if (set !== OK) this.msiDisable(device);
    return set;
  }

  /** vfio_msi_enable, Linux 6.1 and 6.12. Allocates all vectors below `vectorCount`, not only those with a trigger. */
  protected msiEnable(device: Device, index: number, vectorCount: number): Outcome {
    const enabled =
      index === VFIO_PCI_MSIX_IRQ_INDEX
        ? this.pciEnableMsixRange(device, vectorCount)
        : this.pciEnableMsiRange(device, vectorCount);
    if (enabled !== OK) return enabled;
    device.contextCount = vectorCount;
    device.irqType = index;
    return OK;
  }

  /** vfio_msi_disable, Linux 6.1 and 6.12. */
  protected msiDisable(device: Device): void {
    const { allocated } = device;
    for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1)) {
      if (device.isArmed(vector)) this.msiSetVectorSignal(device, vector, -1);
    }
    this.pciFreeIrqVectors(device);
    device.irqType = NUM_IRQS;
  }

  /** vfio_msi_set_block, Linux 6.1 (which looks at the whole range first) and 6.12 (which does not). */
  protected msiSetBlock(device: Device, start: number, count: number, data: readonly DataElement[]): Outcome {
    const { contextCount } = device;
    const wholeRangeFirst = this.host.rangeCheck === 'whole-range-first';
    if (wholeRangeFirst && (start >= contextCount || start + count > contextCount)) return EINVAL;
    for (let place = 0; place < count; place += 1) {
      const descriptor = this.eventfds.descriptor(data[place] as DataElement);
      const outcome = this.msiSetVectorSignal(device, start + place, descriptor);
      if (outcome !== OK) {
        this.unwindBlock(device, start, start + place);
        return outcome;
      }
    }
    return OK;
  }

  /** vfio_msi_set_block, Linux 6.1 and 6.12, its error path: `failed` is unwound too, what lies behind it is not. */
  protected unwindBlock(device: Device, start: number, failed: number): void {
    for (let vector = start; vector <= failed; vector += 1) this.msiSetVectorSignal(device, vector, -1);
  }

  /**
   * vfio_msi_set_vector_signal, Linux 6.1 and 6.12. The old trigger goes before the new descriptor is looked at, and
   * an allocation stays whatever fails after it.
   */
  protected msiSetVectorSignal(device: Device, vector: number, descriptor: number): Outcome {
    if (device.isArmed(vector)) this.freeIrq(device, vector);
    if (descriptor < 0) return OK;
    if (!device.isAllocated(vector)) {
      const allocated = this.msiAllocIrq(device, vector);
      if (allocated !== OK) return allocated;
    }
    const found = this.eventfdLookup(descriptor);
    return found === OK ? this.requestIrq(device, vector, descriptor) : found;
  }

  /** vfio_msi_alloc_irq, Linux 6.12. */
  protected msiAllocIrq(device: Device, vector: number): Outcome {
    if (!this.host.dynamicMsix || device.irqType !== VFIO_PCI_MSIX_IRQ_INDEX) return EINVAL;
    return this.pciMsixAllocIrqAt(device, vector);
  }

  /** vfio_msihandler, Linux 6.1 and 6.12. The vector is armed. */
  protected msiHandler(device: Device, vector: number): void {
    this.eventfdSignal(device.slot(vector), device.generation(vector));
  }

  /** vfio_pci_set_msi_trigger, Linux 6.1 (with a range check) and 6.12 (without): DATA_NONE and DATA_BOOL. */
  protected loopback(device: Device, { flags, start, count, data }: VfioSetIrqs): Outcome {
    if (this.host.rangeCheck === 'whole-range-first' && start + count > device.contextCount) return EINVAL;
    const always = (flags & VFIO_IRQ_SET_DATA_NONE) !== 0;
    for (let place = 0; place < count; place += 1) {
      if (device.isArmed(start + place) && (always || isTrue(data[place]))) this.msiHandler(device, start + place);
    }
    return OK;
  }
}
