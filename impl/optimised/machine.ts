import type {
  Config,
  Operation,
  Outcome,
  PciFunction,
  Scenario,
  Trace,
  VfioCall,
  VfioClose,
  VfioGetIrqInfo,
  VfioMapBar,
  VfioSetIrqs,
  VmmTraits,
} from '#vocabulary';
import * as vocabulary from '#vocabulary';
import { HarnessError, isAskable, isGuestOperation } from '#vocabulary';
import { validated } from './data.ts';
import { Device, NUM_IRQS } from './device.ts';
import { Guest, type Strategy } from './guest.ts';
import { GuestLayer } from './guest-layer.ts';
import { EBADF, EFAULT, EINVAL, ENOTTY, OK } from './outcomes.ts';

// V8 folds the constants of a module into its code, and not those that it imports.
const {
  INTX_DISABLE,
  IRQ_INFO_BYTES,
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_PCI_ERR_IRQ_INDEX,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
} = vocabulary;

/** What else is asked of a device through its descriptor. */
type DescriptorCall = VfioClose | VfioMapBar | Exclude<VfioCall, VfioSetIrqs>;

/**
 * vfio-pci's interrupts on hosts of any traits, with or without a VMM, fast: no operation allocates, and each costs
 * what the vectors cost that it touches, whatever the size of the table.
 * A step that a kernel function stands for is a method with its name, so that a mutant can replace just that step.
 * Methods that answer return OK, an errno that exists once, or a numbered outcome.
 */
export class OptimisedMachine extends GuestLayer {
  /** Every device there has been; those beyond the scenario's rest. */
  readonly #resting: Device[] = [];
  /** Every guest there has been, by the place of its device. */
  readonly #everyGuest: Guest[] = [];

  /**
   * The Trace is valid until the next run.
   * @throws HarnessError for an operation on a device that the Config does not have, and for one that cannot be asked.
   */
  run(scenario: Scenario): Trace {
    this.start(scenario.config);
    this.traces.begin(this.devices, this.guests);
    if (scenario.config.vmm === undefined) this.#runRaw(scenario.operations);
    else this.#runShown(scenario);
    return this.traces.finish();
  }

  #runRaw(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.opened = null;
      const outcome = this.answer(operation);
      this.eventfds.drain(this.traces);
      this.traces.endStep(outcome, this.devices);
    }
  }

  /** Every device is shown to a guest, and no eventfd is the user's. */
  #runShown({ config, operations }: Scenario): void {
    for (const operation of operations) {
      if (!isAskable(config, operation.kind)) throw notAskable(operation);
      this.traces.endShownStep(this.answerBesideVfio(operation), this.guests);
    }
  }

  /** The machine is as the Config says, and nothing has been asked of it. */
  protected start(config: Config): void {
    this.host = config.host;
    this.interruptRemapping = config.interruptRemapping !== false;
    this.freeVectors = Number.POSITIVE_INFINITY;
    this.failing = 0;
    this.outcomes.reset();
    this.describeDevices(config.devices);
    // To set the length of a list leaves compiled code, also where it is 0 already.
    while (this.guests.length > 0) this.guests.pop();
    if (config.vmm !== undefined) for (const device of this.devices) this.#showToGuest(device, config.vmm);
  }

  protected describeDevices(functions: readonly PciFunction[]): void {
    for (const device of this.devices) this.virqfdDisable(device);
    while (this.devices.length > functions.length) this.#resting.push(this.devices.pop() as Device);
    while (this.devices.length < functions.length)
      this.devices.push(this.#resting.pop() ?? new Device(this.devices.length));
    functions.forEach((pciFunction, place) => {
      const device = this.device(place);
      device.reset(pciFunction);
      device.msixInfoFlags = this.msixInfoFlags(device);
    });
  }

  /** The VMM has started, and its machine has been reset once: INTx is up. Those calls are not told. */
  #showToGuest(device: Device, vmm: VmmTraits): void {
    let guest = this.#everyGuest[device.place];
    if (guest === undefined) {
      guest = new Guest(device);
      this.#everyGuest[device.place] = guest;
    }
    guest.restart(this.strategyFor(device, vmm), vmm.delivery === 'irqfd');
    this.guests.push(guest);
    this.vfioIntxEnable(guest);
  }

  /** vfio_msix_early_setup, QEMU 10.0, asks once whether a vector can be added; before 8.2 nobody asks. */
  protected strategyFor(device: Device, { allocation }: VmmTraits): Strategy {
    switch (allocation) {
      case 'vector-0-first':
        return 'legacy-0';
      case 'as-irq-info-says':
        return (device.msixInfoFlags & VFIO_IRQ_INFO_NORESIZE) === 0 ? 'dynamic' : 'legacy-1';
      case 'all-at-enable':
        return 'all-at-enable';
    }
  }

  protected device(place: number): Device {
    const device = this.devices[place];
    if (device === undefined) throw new HarnessError(`the scenario has no device ${place}`);
    return device;
  }

  /** What can be asked of a machine with a VMM. */
  protected answerBesideVfio(operation: Operation): Outcome {
    if (isGuestOperation(operation)) return this.answerGuest(operation);
    if (operation.kind !== 'device.raise') return this.answer(operation);
    this.raiseAlone(this.guest(operation.device), operation.vector);
    return OK;
  }

  protected answer(operation: Operation): Outcome {
    switch (operation.kind) {
      case 'vfio.open':
        return this.answered(this.device(operation.device), this.open(this.device(operation.device)));
      case 'vfio.unmapBar':
        return this.answered(this.device(operation.device), this.unmapBar(this.device(operation.device)));
      // By far the most are this, and have it to themselves: what is read of operations of every kind is read slowly.
      case 'vfio.setIrqs': {
        const device = this.device(operation.device);
        return this.answered(device, device.openCount === 0 ? EBADF : this.setIrqs(device, operation));
      }
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.reset':
      case 'vfio.configWrite':
      case 'vfio.configRead':
      case 'vfio.tableRead':
      case 'vfio.tableWrite':
      case 'vfio.pbaRead':
      case 'vfio.mapBar': {
        const device = this.device(operation.device);
        return this.answered(device, device.openCount === 0 ? EBADF : this.answerVfio(device, operation));
      }
      case 'vfio.writeEventfd': {
        const slot = this.eventfds.slot(operation.eventfd);
        this.eventfdSignal(slot, this.eventfds.generation(slot));
        return OK;
      }
      case 'vfio.closeEventfd':
        this.eventfdRelease(this.eventfds.slot(operation.eventfd));
        return OK;
      case 'device.raise':
        this.raise(this.device(operation.device), operation.vector, null);
        return OK;
      case 'device.arm':
        this.device(operation.device).arm(operation.vector, operation.window);
        return OK;
      case 'device.assertIntx':
        this.assertIntx(this.device(operation.device));
        return OK;
      case 'device.deassertIntx':
        this.deassertIntx(this.device(operation.device));
        return OK;
      case 'device.wipe':
        this.wipe(this.device(operation.device));
        return OK;
      case 'host.limitVectors':
        this.freeVectors = operation.count;
        return OK;
      case 'host.failAllocation':
        this.failing = operation.nth;
        return OK;
      case 'guest.msixControl':
      case 'guest.configWrite':
      case 'guest.mask':
      case 'guest.unmask':
      case 'guest.tableWrite':
      case 'guest.tableRead':
      case 'guest.readPba':
      case 'guest.busMaster':
      case 'guest.reset':
      case 'guest.msixPerm':
      case 'guest.requestHandle':
      case 'guest.bindPasid':
      case 'guest.freePasid':
      case 'guest.releaseHandle':
      case 'guest.submit':
      case 'device.start':
      case 'device.complete':
      case 'device.armDescriptor':
      case 'host.createMdev':
      case 'host.removeMdev':
      case 'host.attach':
      case 'host.detach':
      case 'host.crash':
        throw notAskable(operation);
    }
  }

  /** The `vfio.` operation on the device is over: what was armed for it happens. */
  protected answered(device: Device, outcome: Outcome): Outcome {
    this.raiseArmed(device);
    return outcome;
  }

  protected answerVfio(device: Device, operation: DescriptorCall): Outcome {
    switch (operation.kind) {
      case 'vfio.close':
        return this.close(device);
      case 'vfio.mapBar':
        device.mappings += 1;
        return OK;
      case 'vfio.getIrqInfo':
        return this.irqInfo(device, operation);
      case 'vfio.reset':
        return this.reset(device);
      case 'vfio.configWrite':
        return this.configWrite(device, operation.field, operation.value);
      case 'vfio.configRead':
        return this.configRead(device, operation.field);
      case 'vfio.tableRead':
        return this.tableRead(device, operation.vector);
      case 'vfio.tableWrite':
        return this.tableWrite(device, operation.vector);
      case 'vfio.pbaRead':
        return this.pbaRead(device, operation.vector);
    }
  }

  /** vfio_pci_core_enable, Linux 6.1 and 6.12, at the first open; its user turns bus mastering on. */
  protected open(device: Device): Outcome {
    const isHeld = device.openCount > 0 || device.mappings > 0;
    device.openCount += 1;
    if (isHeld) return OK;
    this.resetIfPossible(device);
    device.busMaster = true;
    return OK;
  }

  protected close(device: Device): Outcome {
    device.openCount -= 1;
    this.released(device);
    return OK;
  }

  protected unmapBar(device: Device): Outcome {
    if (device.mappings === 0) return OK;
    device.mappings -= 1;
    this.released(device);
    return OK;
  }

  /** vfio_device_fops_release, Linux 6.1 and 6.12: a mapping holds the file as a descriptor does. */
  protected released(device: Device): void {
    if (device.openCount === 0 && device.mappings === 0) this.closeDevice(device);
  }

  /** vfio_pci_core_close_device and vfio_pci_core_disable, Linux 6.1 and 6.12: the last close gives everything back. */
  protected closeDevice(device: Device): void {
    device.inD3hot = false;
    this.disableIrqs(device);
    device.errTrigger.clear();
    device.reqTrigger.clear();
    device.virtualIntxDisable = false;
    device.virtualMemory = true;
    device.virtualMsiEnable = false;
    this.resetIfPossible(device);
    device.busMaster = false;
    device.registers &= ~INTX_DISABLE;
  }

  /** vfio_pci_core_disable, Linux 6.1 and 6.12: vfio_pci_set_irqs_ioctl with DATA_NONE on the index that is set up. */
  protected disableIrqs(device: Device): void {
    if (device.irqType === VFIO_PCI_INTX_IRQ_INDEX) this.intxDisable(device);
    else if (device.irqType !== NUM_IRQS) this.msiDisable(device);
  }

  protected resetIfPossible(device: Device): void {
    if (device.hasReset) this.resetFunction(device);
  }

  /** vfio_pci_ioctl_reset, Linux 6.1 and 6.12. */
  protected reset(device: Device): Outcome {
    if (!device.hasReset) return EINVAL;
    this.resetFunction(device);
    this.pciRestoreMsiState(device);
    return OK;
  }

  /** vfio_pci_ioctl_get_irq_info, Linux 6.1 and 6.12. */
  protected irqInfo(device: Device, { index, argsz = IRQ_INFO_BYTES, unreadable }: VfioGetIrqInfo): Outcome {
    if (unreadable === true) return EFAULT;
    if (argsz < IRQ_INFO_BYTES || index >= NUM_IRQS) return EINVAL;
    const count = this.irqCount(device, index);
    // Only PCI Express functions have the index at all.
    if (index === VFIO_PCI_ERR_IRQ_INDEX && count === 0) return EINVAL;
    return this.outcomes.irqInfo(this.irqInfoFlags(device, index), count);
  }

  protected irqInfoFlags(device: Device, index: number): number {
    if (index === VFIO_PCI_MSIX_IRQ_INDEX) return device.msixInfoFlags;
    return index === VFIO_PCI_INTX_IRQ_INDEX
      ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED
      : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
  }

  /** vfio_pci_ioctl_get_irq_info, Linux 6.1 (NORESIZE always) and 6.12 (NORESIZE unless has_dyn_msix). */
  protected msixInfoFlags(device: Device): number {
    const hasDynMsix = this.host.dynamicMsix && device.msixVectors > 0;
    return hasDynMsix ? VFIO_IRQ_INFO_EVENTFD : VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
  }

  /** vfio_pci_get_irq_count, Linux 6.1 and 6.12; 0 for an index that does not exist. */
  protected irqCount(device: Device, index: number): number {
    return index < NUM_IRQS ? (device.irqCounts[index] as number) : 0;
  }

  /** vfio_pci_ioctl_set_irqs and vfio_pci_set_irqs_ioctl, Linux 6.1 and 6.12. */
  protected setIrqs(device: Device, operation: VfioSetIrqs): Outcome {
    if (operation.unreadable === true) return EFAULT;
    const valid = this.validate(device, operation);
    if (valid !== OK) return valid;
    const { index } = operation;
    const action = operation.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (action === VFIO_IRQ_SET_ACTION_TRIGGER) {
      if (index === VFIO_PCI_MSIX_IRQ_INDEX || index === VFIO_PCI_MSI_IRQ_INDEX)
        return this.setMsiTrigger(device, operation);
      if (index === VFIO_PCI_INTX_IRQ_INDEX) return this.setIntxTrigger(device, operation);
      const trigger = index === VFIO_PCI_ERR_IRQ_INDEX ? device.errTrigger : device.reqTrigger;
      return this.setCtxTriggerSingle(trigger, operation);
    }
    const masksOrUnmasks = action === VFIO_IRQ_SET_ACTION_MASK || action === VFIO_IRQ_SET_ACTION_UNMASK;
    return index === VFIO_PCI_INTX_IRQ_INDEX && masksOrUnmasks ? this.setIntxMask(device, operation) : ENOTTY;
  }

  protected validate(device: Device, operation: VfioSetIrqs): Outcome {
    return validated(this.irqCount(device, operation.index), operation);
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

function notAskable({ kind }: Operation): HarnessError {
  return new HarnessError(`${kind} cannot be asked of this machine`);
}
