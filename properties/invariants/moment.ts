import {
  ALLOCATED,
  ARMED,
  type Config,
  type DeviceObservation,
  deviceOf,
  type EventfdName,
  type Operation,
  type PciFunction,
  PENDING,
  type Step,
  type Trace,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
  type VfioSetIrqs,
} from '#vocabulary';

/** One operation with its step, and what the steps so far say of the devices before and after it. */
export interface Moment {
  readonly operation: Operation;
  readonly step: Step;
  /** Index of the operation. */
  readonly index: number;
  /** In the order of the Config. */
  readonly devices: readonly DeviceView[];
  /** The device the operation is about, if it is about one. */
  readonly device: DeviceView | undefined;
  /** Host vectors that were free before the operation; Infinity when nothing limits them. */
  readonly hostVectorsFree: number;
}

/** A vector's state before and after. */
export interface Transition {
  readonly vector: number;
  readonly before: number;
  readonly after: number;
}

/** A trigger's eventfd: its name, or `unseen` once the user has closed it. */
export type TriggerView = EventfdName | 'unseen';

/** What the steps say of one device. */
export interface DeviceView {
  readonly config: PciFunction;
  readonly before: Registers;
  readonly after: Registers;
  /** Vectors that changed in this step, ascending. */
  readonly transitions: readonly Transition[];
  /** Vectors that the device raised in this step, in order. */
  readonly raised: readonly number[];
  /** Who gets the signals of an armed vector, after the operation. */
  readonly triggers: ReadonlyMap<number, TriggerView>;
  /** The same for REQ, before the operation. */
  readonly reqTriggerBefore: TriggerView | null;
  stateBefore(vector: number): number;
  stateAfter(vector: number): number;
}

/** What is read of a device besides its vectors, and how many vectors there are of a kind. */
export interface Registers {
  readonly open: boolean;
  readonly enable: boolean;
  readonly functionMask: boolean;
  /** VFIO_IRQ_INFO_* of the MSI-X index; 0 while closed. */
  readonly infoFlags: number;
  readonly allocated: number;
  readonly armed: number;
}

/** Whether a call asks for MSI-X triggers to be set, by its header alone. */
export function setsMsixTriggers(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.flags === (VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD)
  );
}

/** Whether a call asks for MSI-X to be disabled, by its header alone. */
export function disablesMsix(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.flags === (VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE) &&
    operation.count === 0
  );
}

export function isEventfdName(element: unknown): element is EventfdName {
  return typeof element === 'string' && element.startsWith('e');
}

/**
 * The transitions that the operation itself made: a pending bit of a vector raised in the same step is the device's
 * doing.
 */
export function ownTransitions(device: DeviceView): readonly Transition[] {
  if (device.raised.length === 0) return device.transitions;
  return device.transitions
    .map(({ vector, before, after }) =>
      device.raised.includes(vector)
        ? { vector, before, after: (after & ~PENDING) | (before & PENDING) }
        : { vector, before, after },
    )
    .filter(({ before, after }) => before !== after);
}

/** The moments of a run, one after the other. A moment is valid until the next is asked for. */
export function* moments(
  config: Config,
  operations: readonly Operation[],
  trace: Trace,
): Generator<Moment, void, undefined> {
  const devices = config.devices.map((device, index) => new FollowedDevice(device, trace.initial[index]));
  let hostVectorsFree = Number.POSITIVE_INFINITY;
  for (const [index, step] of trace.steps.entries()) {
    const operation = operations[index];
    if (operation === undefined) throw new Error(`step ${index} answers no operation`);
    const armedBefore = armedVectors(devices);
    for (const [place, device] of devices.entries()) device.follow(place, operation, step);
    const at = deviceOf(operation);
    yield { operation, step, index, devices, device: at === undefined ? undefined : devices[at], hostVectorsFree };
    hostVectorsFree =
      operation.kind === 'host.limitVectors' ? operation.count : hostVectorsFree + armedBefore - armedVectors(devices);
  }
}

function armedVectors(devices: readonly FollowedDevice[]): number {
  return devices.reduce((sum, device) => sum + device.after.armed, 0);
}

/** The view of one device, moved on from step to step. */
class FollowedDevice implements DeviceView {
  readonly config: PciFunction;
  before: Registers = { open: false, enable: false, functionMask: false, infoFlags: 0, allocated: 0, armed: 0 };
  after: Registers = this.before;
  transitions: Transition[] = [];
  raised: number[] = [];
  readonly triggers = new Map<number, TriggerView>();
  reqTriggerBefore: TriggerView | null = null;
  #reqTrigger: TriggerView | null = null;
  /** By vector; state 0 is left out. */
  readonly #states = new Map<number, number>();
  /** Of the vectors that changed in this step. */
  readonly #statesBefore = new Map<number, number>();

  constructor(config: PciFunction, initial: DeviceObservation | undefined) {
    this.config = config;
    if (initial !== undefined) this.#observe(initial);
  }

  stateAfter(vector: number): number {
    return this.#states.get(vector) ?? 0;
  }

  stateBefore(vector: number): number {
    return this.#statesBefore.get(vector) ?? this.stateAfter(vector);
  }

  follow(place: number, operation: Operation, step: Step): void {
    this.before = this.after;
    this.transitions = [];
    this.#statesBefore.clear();
    // A system that died in this step has shown nothing.
    const observation = step.observation[place];
    if (observation !== undefined) this.#observe(observation);
    this.raised = [];
    for (const event of step.events) {
      if (event.kind === 'raised' && event.device === place) this.raised.push(event.vector);
    }
    this.#followTriggers(place, operation, step);
  }

  #observe({ enable, functionMask, msixInfoFlags, changes }: DeviceObservation): void {
    let { allocated, armed } = this.before;
    this.transitions = changes.map(({ vector, state }): Transition => {
      const before = this.stateAfter(vector);
      allocated += Number((state & ALLOCATED) !== 0) - Number((before & ALLOCATED) !== 0);
      armed += Number((state & ARMED) !== 0) - Number((before & ARMED) !== 0);
      if (state === 0) this.#states.delete(vector);
      else this.#states.set(vector, state);
      this.#statesBefore.set(vector, before);
      return { vector, before, after: state };
    });
    const open = msixInfoFlags !== 0;
    this.after = { open, enable, functionMask, infoFlags: msixInfoFlags, allocated, armed };
  }

  #followTriggers(place: number, operation: Operation, step: Step): void {
    this.reqTriggerBefore = this.#reqTrigger;
    if (operation.kind === 'vfio.closeEventfd') this.#forgetEventfd(operation.eventfd);
    if (operation.kind === 'vfio.setIrqs' && operation.device === place && step.outcome.kind === 'ok') {
      if (setsMsixTriggers(operation)) this.#setTriggers(operation);
      if (operation.index === VFIO_PCI_REQ_IRQ_INDEX) this.#setReqTrigger(operation);
    }
    for (const { vector, after } of this.transitions) if ((after & ARMED) === 0) this.triggers.delete(vector);
    if (!this.after.open) this.#reqTrigger = null;
  }

  #forgetEventfd(eventfd: EventfdName): void {
    for (const [vector, trigger] of this.triggers) if (trigger === eventfd) this.triggers.set(vector, 'unseen');
    if (this.#reqTrigger === eventfd) this.#reqTrigger = 'unseen';
  }

  #setTriggers({ start, count, data }: VfioSetIrqs): void {
    for (let place = 0; place < count; place += 1) {
      const element = data[place];
      if (isEventfdName(element)) this.triggers.set(start + place, element);
      else this.triggers.delete(start + place);
    }
  }

  #setReqTrigger({ flags, count, data }: VfioSetIrqs): void {
    const element = data[0];
    if ((flags & VFIO_IRQ_SET_DATA_NONE) !== 0 && count === 0) this.#reqTrigger = null;
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) === 0) return;
    if (isEventfdName(element)) this.#reqTrigger = element;
    else if (Number(element) >> 0 === -1) this.#reqTrigger = null;
  }
}
