import type {
  Config,
  DataElement,
  HostTraits,
  Operation,
  Outcome,
  Scenario,
  Trace,
  VfioClose,
  VfioGetIrqInfo,
  VfioOpen,
  VfioSetIrqs,
  Window,
} from '#vocabulary';
import {
  ALLOCATED,
  ARMED,
  dataElementBytes,
  HarnessError,
  IRQ_INFO_BYTES,
  IRQ_SET_BYTES,
  PENDING,
  UNMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} from '#vocabulary';
import { Device, NO_TRIGGER } from './device.ts';
import { Eventfds, NOT_EVENTFD, NOT_OPEN } from './eventfds.ts';
import { EBADF, EFAULT, EINVAL, ENOSPC, ENOTTY, ERANGE, INTX_INFO, MSI_INFO, OK, REQ_INFO } from './outcomes.ts';
import { TracePool } from './trace-pool.ts';

const DATA_TYPES = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD;
const ACTIONS = VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER;

/** What is asked of an open device. */
type DeviceCall = VfioOpen | VfioClose | VfioGetIrqInfo | VfioSetIrqs;

/**
 * vfio-pci's MSI-X and request-interrupt logic on hosts of any traits, fast: no operation allocates, and each costs
 * what the vectors cost that it touches, whatever the size of the table.
 * A step that a kernel function stands for is a method with its name, so that a mutant can replace just that step.
 * Methods that answer return one of the shared outcomes; OK is the only success but for `irqInfo`.
 */
export class OptimisedMachine {
  protected host: HostTraits = { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' };
  /** Those of the scenario. */
  protected readonly devices: Device[] = [];
  protected readonly eventfds = new Eventfds();
  /** Vectors of the host that can still be put to use; infinite until a scenario limits them. */
  protected freeVectors = Number.POSITIVE_INFINITY;
  /** The window that the running operation has opened. */
  protected opened: Window | null = null;
  readonly #traces = new TracePool();
  /** Every device there has been; those beyond the scenario's rest. */
  readonly #resting: Device[] = [];

  /**
   * The Trace is valid until the next run.
   * @throws HarnessError for an operation on a device that the Config does not have.
   */
  run(scenario: Scenario): Trace {
    this.#start(scenario.config);
    for (const operation of scenario.operations) {
      this.#traces.beginStep();
      this.opened = null;
      const outcome = this.answer(operation);
      this.eventfds.drain(this.#traces);
      this.#traces.endStep(outcome, this.devices);
    }
    return this.#traces.finish();
  }

  #start(config: Config): void {
    this.host = config.host;
    this.freeVectors = Number.POSITIVE_INFINITY;
    while (this.devices.length > config.devices.length) this.#resting.push(this.devices.pop() as Device);
    while (this.devices.length < config.devices.length)
      this.devices.push(this.#resting.pop() ?? new Device(this.devices.length));
    config.devices.forEach((pciFunction, place) => {
      this.device(place).reset(pciFunction, this.msixInfoFlags());
    });
    this.#traces.begin(this.devices);
  }

  protected device(place: number): Device {
    const device = this.devices[place];
    if (device === undefined) throw new HarnessError(`the scenario has no device ${place}`);
    return device;
  }

  protected answer(operation: Operation): Outcome {
    switch (operation.kind) {
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.setIrqs': {
        const device = this.device(operation.device);
        const outcome = this.answerVfio(device, operation);
        this.raiseArmed(device);
        return outcome;
      }
      case 'vfio.closeEventfd':
        this.eventfds.close(operation.eventfd);
        return OK;
      case 'device.raise':
        this.raise(this.device(operation.device), operation.vector, null);
        return OK;
      case 'device.arm':
        this.device(operation.device).arm(operation.vector, operation.window);
        return OK;
      case 'host.limitVectors':
        this.freeVectors = operation.count;
        return OK;
    }
  }

  protected answerVfio(device: Device, operation: DeviceCall): Outcome {
    switch (operation.kind) {
      case 'vfio.open':
        device.openCount += 1;
        return OK;
      case 'vfio.close':
        return device.openCount === 0 ? EBADF : this.close(device);
      case 'vfio.getIrqInfo':
        return device.openCount === 0 ? EBADF : this.irqInfo(device, operation);
      case 'vfio.setIrqs':
        return device.openCount === 0 ? EBADF : this.setIrqs(device, operation);
    }
  }

  /** vfio_pci_core_close_device and vfio_pci_core_disable, Linux 6.1 and 6.12: the last close gives everything back. */
  protected close(device: Device): Outcome {
    device.openCount -= 1;
    if (device.openCount > 0) return OK;
    this.msiDisable(device);
    device.requestSlot = NO_TRIGGER;
    return OK;
  }

  /** vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12. */
  protected irqInfo(device: Device, { index, argsz = IRQ_INFO_BYTES, unreadable }: VfioGetIrqInfo): Outcome {
    if (unreadable === true) return EFAULT;
    if (argsz < IRQ_INFO_BYTES) return EINVAL;
    if (index === VFIO_PCI_MSIX_IRQ_INDEX) return device.msixInfo;
    if (index === VFIO_PCI_INTX_IRQ_INDEX) return INTX_INFO;
    if (index === VFIO_PCI_MSI_IRQ_INDEX) return MSI_INFO;
    if (index === VFIO_PCI_REQ_IRQ_INDEX) return REQ_INFO;
    // No such index, or VFIO_PCI_ERR_IRQ_INDEX, which only PCI Express functions have.
    return EINVAL;
  }

  /** vfio_pci_ioctl_get_irq_info, Linux 6.1 (NORESIZE always) and 6.12 (NORESIZE unless has_dyn_msix). */
  protected msixInfoFlags(): number {
    return this.host.dynamicMsix ? VFIO_IRQ_INFO_EVENTFD : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
  }

  /** vfio_pci_get_irq_count, Linux 6.1 and 6.12, for a conventional PCI function that has MSI-X and nothing else. */
  protected irqCount(device: Device, index: number): number {
    if (index === VFIO_PCI_MSIX_IRQ_INDEX) return device.msixVectors;
    return index === VFIO_PCI_REQ_IRQ_INDEX ? 1 : 0;
  }

  /** vfio_pci_ioctl_set_irqs and vfio_pci_set_irqs_ioctl, Linux 6.1 and 6.12. */
  protected setIrqs(device: Device, operation: VfioSetIrqs): Outcome {
    if (operation.unreadable === true) return EFAULT;
    const valid = this.validate(device, operation);
    if (valid !== OK) return valid;
    if ((operation.flags & ACTIONS) !== VFIO_IRQ_SET_ACTION_TRIGGER) return ENOTTY;
    // Every other index has a count of 0, with which nothing is valid.
    return operation.index === VFIO_PCI_MSIX_IRQ_INDEX
      ? this.setMsiTrigger(device, operation)
      : this.setReqTrigger(device, operation);
  }

  /** vfio_set_irqs_validate_and_prepare and memdup_user of the data, Linux 6.1 and 6.12. */
  protected validate(device: Device, { flags, index, start, count, data, argsz }: VfioSetIrqs): Outcome {
    const elementBytes = dataElementBytes(flags);
    const size = argsz ?? IRQ_SET_BYTES + data.length * elementBytes;
    if (size < IRQ_SET_BYTES || (flags & ~(DATA_TYPES | ACTIONS)) !== 0) return EINVAL;
    // An index that does not exist has a count of 0, and no sum of two 32-bit numbers wraps around in a double: this
    // one check also refuses what the kernel's own checks of the index and of overflow refuse.
    const irqCount = this.irqCount(device, index);
    if (start >= irqCount || start + count > irqCount) return EINVAL;
    const dataType = flags & DATA_TYPES;
    if (dataType === VFIO_IRQ_SET_DATA_NONE) return OK;
    if (dataType !== VFIO_IRQ_SET_DATA_BOOL && dataType !== VFIO_IRQ_SET_DATA_EVENTFD) return EINVAL;
    if (size - IRQ_SET_BYTES < count * elementBytes) return EINVAL;
    return count > data.length ? EFAULT : OK;
  }

  /** vfio_pci_set_msi_trigger, Linux 6.1 and 6.12. */
  protected setMsiTrigger(device: Device, operation: VfioSetIrqs): Outcome {
    const { flags, start, count, data } = operation;
    if (device.enabled && count === 0 && (flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      this.msiDisable(device);
      this.opened = 'teardown-gap';
      return OK;
    }
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) {
      return device.enabled ? this.msiSetBlock(device, start, count, data) : this.turnOn(device, start, count, data);
    }
    return device.enabled ? this.loopback(device, operation) : EINVAL;
  }

  /** vfio_pci_set_msi_trigger, Linux 6.1 and 6.12: the part for eventfds while MSI-X is off. */
  protected turnOn(device: Device, start: number, count: number, data: readonly DataElement[]): Outcome {
    const enabled = this.msiEnable(device, start + count);
    if (enabled !== OK) return enabled;
    const set = this.msiSetBlock(device, start, count, data);
    if (set !== OK) this.msiDisable(device);
    return set;
  }

  /** vfio_msi_enable, Linux 6.1 and 6.12. Allocates all vectors below `vectorCount`, not only those with a trigger. */
  protected msiEnable(device: Device, vectorCount: number): Outcome {
    if (vectorCount === 0) return ERANGE;
    for (let vector = 0; vector < vectorCount; vector += 1) this.msiAllocIrq(device, vector);
    device.contextCount = vectorCount;
    device.enabled = true;
    return OK;
  }

  /** vfio_msi_disable, Linux 6.1 and 6.12. Does nothing while MSI-X is off. */
  protected msiDisable(device: Device): void {
    const { allocated } = device;
    for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1)) {
      if (device.isArmed(vector)) this.msiSetVectorSignal(device, vector, -1);
    }
    this.freeIrqVectors(device);
    device.enabled = false;
  }

  /** pci_free_irq_vectors, Linux 6.1 and 6.12: also those that were added later. */
  protected freeIrqVectors(device: Device): void {
    const { allocated } = device;
    for (let vector = allocated.next(0); vector !== -1; vector = allocated.next(vector + 1)) {
      device.clear(vector, ALLOCATED);
    }
    allocated.clear();
  }

  /** vfio_msi_alloc_irq, Linux 6.12: pci_msix_alloc_irq_at, which always succeeds here. */
  protected msiAllocIrq(device: Device, vector: number): void {
    device.allocated.add(vector);
    device.set(vector, ALLOCATED);
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
      if (!this.host.dynamicMsix) return EINVAL;
      this.msiAllocIrq(device, vector);
    }
    const found = this.eventfdLookup(descriptor);
    return found === OK ? this.requestIrq(device, vector, descriptor) : found;
  }

  /** eventfd_ctx_fdget, Linux 6.1 and 6.12. */
  protected eventfdLookup(descriptor: number): Outcome {
    if (descriptor === NOT_OPEN) return EBADF;
    return descriptor === NOT_EVENTFD ? EINVAL : OK;
  }

  /** request_irq, Linux 6.1 and 6.12: takes a vector of the host and unmasks the entry, which sends what is pending. */
  protected requestIrq(device: Device, vector: number, slot: number): Outcome {
    if (this.freeVectors === 0) return ENOSPC;
    this.freeVectors -= 1;
    device.setTrigger(vector, slot, this.eventfds.generation(slot));
    device.set(vector, ARMED | UNMASKED);
    if (device.isPending(vector)) {
      device.clear(vector, PENDING);
      this.msiHandler(device, vector);
    }
    return OK;
  }

  /** free_irq, Linux 6.1 and 6.12: masks the entry and gives the vector back to the host. */
  protected freeIrq(device: Device, vector: number): void {
    device.clear(vector, ARMED | UNMASKED);
    this.freeVectors += 1;
  }

  /** vfio_msihandler, Linux 6.1 and 6.12. The vector is armed. */
  protected msiHandler(device: Device, vector: number): void {
    this.eventfds.signal(device.slot(vector), device.generation(vector));
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

  /**
   * vfio_pci_set_req_trigger and vfio_pci_set_ctx_trigger_single, Linux 6.1 (and 6.12 before 6.12.63), where an eventfd
   * below -1 is ignored, and 6.12. Start is 0 and count at most 1.
   */
  protected setReqTrigger(device: Device, { flags, count, data }: VfioSetIrqs): Outcome {
    if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0) {
      if (device.requestSlot === NO_TRIGGER) return EINVAL;
      if (count === 0) device.requestSlot = NO_TRIGGER;
      else this.signalRequest(device);
      return OK;
    }
    if (count === 0) return EINVAL;
    if ((flags & VFIO_IRQ_SET_DATA_BOOL) !== 0) {
      if (device.requestSlot !== NO_TRIGGER && isTrue(data[0])) this.signalRequest(device);
      return OK;
    }
    return this.setReqEventfd(device, this.eventfds.descriptor(data[0] as DataElement));
  }

  /** vfio_pci_set_ctx_trigger_single, Linux 6.1 and 6.12: DATA_EVENTFD. A bad descriptor leaves the old trigger. */
  protected setReqEventfd(device: Device, descriptor: number): Outcome {
    if (descriptor < -1) return this.host.belowMinusOne === 'ignored' ? OK : EINVAL;
    if (descriptor === -1) {
      device.requestSlot = NO_TRIGGER;
      return OK;
    }
    const found = this.eventfdLookup(descriptor);
    if (found !== OK) return found;
    device.requestSlot = descriptor;
    device.requestGeneration = this.eventfds.generation(descriptor);
    return OK;
  }

  protected signalRequest(device: Device): void {
    this.eventfds.signal(device.requestSlot, device.requestGeneration);
  }

  /** The function has an event for a vector. PCIe 6.0, 6.1.4.5; while MSI-X is off, ours. */
  protected raise(device: Device, vector: number, window: Window | null): void {
    this.#traces.raised(device.place, vector, window);
    if (vector >= device.msixVectors) return;
    if (device.enabled && device.isUnmasked(vector)) this.msiHandler(device, vector);
    else if (device.enabled || device.latchesWhileOff) device.set(vector, PENDING);
  }

  /** All raises that were armed, in the order in which they were. */
  protected raiseArmed(device: Device): void {
    for (let place = 0; place < device.armedCount; place += 1) {
      const window = device.armedWindows[place];
      this.raise(device, device.armedVectors[place] as number, window === this.opened ? this.opened : null);
    }
    device.armedCount = 0;
  }
}

/** An element of DATA_BOOL: a byte that is not 0. */
function isTrue(element: DataElement | undefined): boolean {
  return typeof element !== 'number' || (element & 0xff) !== 0;
}
