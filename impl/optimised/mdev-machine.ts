import type {
  Config,
  DeviceRaise,
  GuestMask,
  GuestMdevOperation,
  GuestUnmask,
  Observation,
  Operation,
  Outcome,
  ParentObservation,
  PciFunction,
  Scenario,
  Trace,
  VfioClose,
  VfioGetIrqInfo,
  VfioReset,
  VfioSetIrqs,
  Window,
} from '#vocabulary';
import { HarnessError, isAskable, isGuestMdevOperation, isGuestOperation, PENDING } from '#vocabulary';
import type { Device } from './device.ts';
import type { Guest } from './guest.ts';
import { NONE } from './ims-table.ts';
import { MdevLifeLayer } from './mdev-life-layer.ts';
import { MdevObserver } from './mdev-observer.ts';
import { placeOf, vectorOf } from './mdev-vectors.ts';
import { EBADF, EINVAL, OK } from './outcomes.ts';
import { ParentPool } from './parent-pool.ts';

/** What is asked of an mdev that is open. */
type CallOfOpen = VfioClose | VfioGetIrqInfo | VfioSetIrqs | VfioReset | GuestMask | GuestUnmask | GuestMdevOperation;

const ALL_BITS = 0xff;

/**
 * A machine whose devices are mdevs of one parent, fast: no operation allocates, and what one costs does not depend on
 * the number of entries, PASIDs or mdevs, but on the vectors of the mdevs that it is about. What a step of the driver
 * does is a method, so that a mutant can replace just that step.
 */
export class MdevMachine extends MdevLifeLayer {
  readonly #observer = new MdevObserver(this.mdevs, this.vectors);
  readonly #parents = new ParentPool();
  readonly #tables = {
    ...{ ims: this.ims, pasids: this.pasids, mdevs: this.mdevs },
    ...{ vectors: this.vectors, descriptors: this.descriptors },
  };
  readonly #stateOf = (vector: number): number => this.vectorState(vector);

  /**
   * The Trace is valid until the next run.
   * @throws HarnessError for an operation on a device that the Config does not have, and for one that cannot be asked.
   */
  override run({ config, operations }: Scenario): Trace {
    this.start(config);
    this.#begin();
    for (const operation of operations) {
      if (!isAskable(config, operation.kind)) throw new HarnessError(`${operation.kind} cannot be asked of an mdev`);
      const outcome = this.isTableHidden ? this.answerShown(operation) : this.answer(operation);
      this.#end(outcome);
    }
    return this.traces.finish();
  }

  #begin(): void {
    this.#parents.begin();
    this.#observer.begin();
    const parent = this.#observeParent();
    if (!this.isTableHidden) this.traces.beginMdevs(this.#observe(), parent);
    else {
      this.#showDevices();
      this.traces.beginShownMdevs(this.guests, parent);
    }
  }

  #end(outcome: Outcome): void {
    const parent = this.#observeParent();
    this.eventfds.drain(this.traces);
    if (!this.isTableHidden) this.traces.endMdevStep(outcome, this.#observe(), parent);
    else {
      this.#showDevices();
      this.traces.endShownMdevStep(outcome, this.guests, parent);
    }
  }

  #observeParent(): ParentObservation {
    return this.#parents.observe(this.#tables);
  }

  #observe(): Observation {
    return this.#observer.observe(this.mdevInfoFlags(), this.#stateOf);
  }

  /** Where there is a VMM, what it sees of the mdevs is written to devices as it knows them. */
  #showDevices(): void {
    const { mdevs, vectors } = this;
    for (let mdev = mdevs.touched.next(0); mdev !== -1; mdev = mdevs.touched.next(mdev + 1)) {
      const device = this.device(mdev);
      device.msixEnable = mdevs.setUp[mdev] !== 0;
      device.openCount = mdevs.openCount[mdev] as number;
      for (let v = vectors.nextTouched(mdev, 0); v !== NONE; v = vectors.nextTouched(mdev, placeOf(v) + 1)) {
        device.clear(placeOf(v), ALL_BITS);
        device.set(placeOf(v), this.vectorState(v));
      }
    }
    mdevs.touched.clear();
    vectors.touched.clear();
  }

  /** Every mdev has been created, attached and opened, one after the other. */
  protected override start(config: Config): void {
    const { mdev, parent, vmm, devices } = config;
    if (mdev === undefined || parent === undefined) throw new HarnessError('the machine has no mediated devices');
    this.traits = mdev;
    this.parent = parent;
    this.isTableHidden = vmm !== undefined;
    super.start(config);
    this.mdevs.begin(devices);
    this.vectors.begin(this.mdevs.vectorsOfAll());
    this.ims.begin(parent.entries);
    this.pasids.begin(this.mdevs.vmCount);
    this.descriptors.begin();
    for (let place = 0; place < devices.length; place += 1) {
      this.createMdev(place);
      this.attach(place);
      this.openMdev(place);
    }
  }

  /** Only a VMM knows devices other than the columns. */
  protected override describeDevices(functions: readonly PciFunction[]): void {
    super.describeDevices(this.isTableHidden ? functions : []);
    for (const device of this.devices) device.hasReset = true;
  }

  protected override answer(operation: Operation): Outcome {
    switch (operation.kind) {
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.setIrqs':
      case 'vfio.reset':
      case 'guest.mask':
      case 'guest.unmask':
      case 'guest.msixPerm':
      case 'guest.bindPasid':
      case 'guest.freePasid':
      case 'guest.requestHandle':
      case 'guest.releaseHandle':
      case 'guest.submit': {
        const mdev = this.mdev(operation.device);
        return this.isOpen(mdev) ? this.answerOpen(mdev, operation) : EBADF;
      }
      case 'vfio.open':
        return this.openMdev(this.mdev(operation.device));
      case 'device.raise':
        return this.raiseMdev(operation);
      case 'device.start':
        return this.startDescriptor(operation.descriptor);
      case 'device.complete':
        return this.completeDescriptor(operation.descriptor);
      case 'host.createMdev':
        return this.createMdev(this.mdev(operation.device));
      case 'host.removeMdev':
        return this.removeMdev(this.mdev(operation.device));
      case 'host.attach':
        return this.attach(this.mdev(operation.device));
      case 'host.detach':
        return this.detach(this.mdev(operation.device));
      case 'host.crash':
        return this.crash(operation.vm);
      case 'vfio.writeEventfd':
      case 'vfio.closeEventfd':
      case 'host.failAllocation':
      case 'vfio.configWrite':
      case 'vfio.configRead':
      case 'vfio.tableRead':
      case 'vfio.tableWrite':
      case 'vfio.pbaRead':
      case 'vfio.mapBar':
      case 'vfio.unmapBar':
      case 'device.arm':
      case 'device.armDescriptor':
      case 'device.assertIntx':
      case 'device.deassertIntx':
      case 'device.wipe':
      case 'host.limitVectors':
      case 'guest.msixControl':
      case 'guest.configWrite':
      case 'guest.tableWrite':
      case 'guest.tableRead':
      case 'guest.readPba':
      case 'guest.busMaster':
      case 'guest.reset':
        // The first three are as without mdevs; the others have been found not to be askable.
        return super.answer(operation);
    }
  }

  protected answerOpen(mdev: number, operation: CallOfOpen): Outcome {
    switch (operation.kind) {
      case 'vfio.close':
        return this.closeOne(mdev);
      case 'vfio.getIrqInfo':
        return this.mdevIrqInfo(mdev, operation);
      case 'vfio.setIrqs':
        return this.setMdevIrqs(mdev, operation);
      case 'vfio.reset':
        return this.resetMdev(mdev);
      case 'guest.mask':
      case 'guest.unmask': {
        if (operation.vector >= this.vectorCount(mdev)) return EINVAL;
        const vector = vectorOf(mdev, operation.vector);
        return operation.kind === 'guest.mask' ? this.maskVector(vector) : this.unmaskVector(vector);
      }
      case 'guest.msixPerm':
      case 'guest.bindPasid':
      case 'guest.freePasid':
      case 'guest.requestHandle':
      case 'guest.releaseHandle':
      case 'guest.submit':
        return this.answerMdevGuest(mdev, operation);
    }
  }

  /** The driver has an event for a vector: it has any for vector 0 alone. */
  protected raiseMdev({ device, vector }: DeviceRaise): Outcome {
    const mdev = this.mdev(device);
    this.traces.raised(mdev, vector, null);
    if (vector === 0 && this.isOpen(mdev)) this.emulatedEvent(mdev);
    return OK;
  }

  /** What is asked where a VMM shows the mdevs. After everything its main loop comes round. */
  protected answerShown(operation: Operation): Outcome {
    if (isGuestOperation(operation)) return this.answerGuest(operation);
    if (operation.kind === 'device.armDescriptor') {
      this.device(operation.device).arm(operation.descriptor, operation.window);
      return OK;
    }
    if (!isGuestMdevOperation(operation)) {
      const outcome = this.answer(operation);
      this.runMainLoops();
      return outcome;
    }
    const outcome = this.answer(operation);
    this.endReaction(this.guest(operation.device));
    return outcome;
  }

  /** A descriptor was armed: it is begun and done, as far as it has not been. */
  protected override happen(_device: Device, descriptor: number, _window: Window | null): void {
    this.startDescriptor(descriptor);
    this.completeDescriptor(descriptor);
  }

  /** What happens to one mdev can make an eventfd of another one ready. */
  protected override runMainLoop(_guest: Guest): void {
    this.runMainLoops();
  }

  protected runMainLoops(): void {
    for (const guest of this.guests) super.runMainLoop(guest);
  }

  protected override setIrqs(device: Device, operation: VfioSetIrqs): Outcome {
    return this.setMdevIrqs(device.place, operation);
  }

  protected override reset(device: Device): Outcome {
    return this.resetMdev(device.place);
  }

  /** The bits that the driver shows: what it keeps, and what the entries keep. */
  protected override pbaRead({ place: mdev }: Device, vector: number): Outcome {
    const count = this.vectorCount(mdev);
    if (vector >= count) return EINVAL;
    const first = vector & ~31;
    let word = 0;
    for (let bit = 0; bit < 32 && first + bit < count; bit += 1)
      if ((this.vectorState(vectorOf(mdev, first + bit)) & PENDING) !== 0) word |= 1 << (bit & 31);
    return this.outcomes.value(word >>> 0);
  }
}
