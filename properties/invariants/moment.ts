import {
  type Config,
  deviceOf,
  type EventfdName,
  type Observation,
  type Operation,
  type OperationKind,
  type PciFunction,
  PENDING,
  type Step,
  VFIO_IRQ_INFO_NORESIZE,
} from '#vocabulary';
import type { VectorSet } from './by-vector.ts';
import { type Call, callOf, type IrqType, setsVectors } from './calls.ts';
import { type Delivery, deliveries, NOBODY } from './deliveries.ts';
import { FollowedDevice } from './followed-device.ts';

/** One operation with its step, and what it asks. */
export interface Asked {
  readonly operation: Operation;
  readonly step: Step;
  readonly kind: OperationKind;
  /** Whether it succeeded. */
  readonly granted: boolean;
  /** The place of the device that it is about, -1 if it is about none. */
  readonly place: number;
  /** The operation where it is VFIO_DEVICE_SET_IRQS, and where that sets triggers of MSI or MSI-X vectors. */
  readonly call: Call | null;
  readonly arming: Call | null;
}

/** The same, and what the steps so far say of the devices before and after it. */
export interface Moment extends Asked {
  /** Index of the operation. */
  readonly index: number;
  /** In the order of the Config. */
  readonly devices: readonly DeviceView[];
  /** The device the operation is about, if it is about one. */
  readonly device: DeviceView | undefined;
  /** What every eventfd was owed, and what it counted. */
  readonly deliveries: readonly Delivery[];
  /** Host vectors that were free before the operation; Infinity when nothing limits them. */
  readonly hostVectorsFree: number;
  /** Whether somebody has asked for an allocation to fail, and none has been seen to yet. */
  readonly allocationMayFail: boolean;
}

/** A vector's state before and after. */
export interface Transition {
  readonly vector: number;
  readonly before: number;
  readonly after: number;
}

/** A trigger's eventfd: its name, or `unseen` once the user has closed it. */
export type TriggerView = EventfdName | 'unseen';

/** What the user has chosen that decides whether an event can be told. */
export interface Choices {
  readonly busMaster: boolean;
  readonly inD3hot: boolean;
  /** Whether the user has turned MSI off by hand. */
  readonly msiOff: boolean;
  /** Whether the user has written MSI Message Control, and with it that the function has one message. */
  readonly oneMessage: boolean;
  /** Interrupt Disable as the user sees it. */
  readonly intxDisable: boolean;
}

/** The triggers that are not of a vector, and the eventfd that unmasks INTx. */
export interface SingleTriggers {
  readonly intx: TriggerView | null;
  readonly unmask: EventfdName | null;
  readonly err: TriggerView | null;
  readonly req: TriggerView | null;
}

/** What the steps say of one device. */
export interface DeviceView {
  readonly config: PciFunction;
  readonly before: Registers;
  readonly after: Registers;
  readonly choicesBefore: Choices;
  readonly choices: Choices;
  /** Vectors that changed in this step, ascending. */
  readonly transitions: readonly Transition[];
  /** Vectors that the device raised in this step, in order. */
  readonly raised: readonly number[];
  readonly singlesBefore: SingleTriggers;
  readonly singles: SingleTriggers;
  /** Vectors whose table entries the device has lost, and that were not armed since. */
  readonly wiped: Vectors;
  /** Vectors whose pending bit was set before the operation. */
  readonly pendingBefore: Vectors;
  /** MSI vectors whose message came, before the operation, when they had had no handler yet. */
  readonly waiting: Vectors;
  /** MSI vectors that a failed call may have armed for a moment: what waited for them may have been delivered. */
  readonly unsure: Vectors;
  /** The state of each vector after the operation; those that are left out have state 0. */
  states(): Iterable<readonly [vector: number, state: number]>;
  stateAfter(vector: number): number;
  /** Who gets the signals of a vector after the operation, where it is armed. */
  trigger(vector: number): TriggerView | null;
}

/** Some vectors of a device. */
export type Vectors = Pick<VectorSet, 'has' | 'next'>;

/** What is read of a device besides its vectors, and how many vectors there are of a kind. */
export interface Registers {
  readonly open: boolean;
  /** Open, or kept by a mapping of a BAR. */
  readonly held: boolean;
  /** What is set up, as far as it can be seen. */
  readonly type: IrqType;
  readonly enable: boolean;
  readonly functionMask: boolean;
  /** VFIO_IRQ_INFO_* of the MSI-X index; 0 while closed. */
  readonly infoFlags: number;
  /** MSI_ENABLE and the other bits of DeviceObservation.registers. */
  readonly registers: number;
  readonly allocated: number;
  readonly armed: number;
}

/** Whether vectors can be added to what is set up: only MSI-X may be without NORESIZE. */
export function canGrow({ type, infoFlags }: Registers): boolean {
  return type === 'msix' && (infoFlags & VFIO_IRQ_INFO_NORESIZE) === 0;
}

/**
 * The transitions that the operation itself made: a pending bit of a vector raised in the same step is the device's
 * doing.
 */
export function ownTransitions(device: DeviceView): readonly Transition[] {
  if (device.raised.length === 0 || device.transitions.length === 0) return device.transitions;
  return device.transitions
    .map(({ vector, before, after }) =>
      device.raised.includes(vector)
        ? { vector, before, after: (after & ~PENDING) | (before & PENDING) }
        : { vector, before, after },
    )
    .filter(({ before, after }) => before !== after);
}

/** Whether nothing of a device has changed, it has raised nothing, and nobody has asked for triggers of its vectors. */
export function isUntouched(view: DeviceView, { device, arming }: Moment): boolean {
  return view.before === view.after && view.raised.length === 0 && (arming === null || device !== view);
}

/** What is followed of a run from step to step. */
export interface Run {
  readonly config: Config;
  readonly devices: readonly FollowedDevice[];
  hostVectorsFree: number;
  allocationMayFail: boolean;
}

export function startRun(config: Config, initial: Observation): Run {
  const devices = config.devices.map((device, index) => new FollowedDevice(device, initial[index]));
  return { config, devices, hostVectorsFree: Number.POSITIVE_INFINITY, allocationMayFail: false };
}

/** Moves a run on by a step. The moment is valid until the next is asked for. */
export function nextMoment(run: Run, operation: Operation, step: Step, index: number): Moment {
  const { config, devices, hostVectorsFree, allocationMayFail } = run;
  const place = deviceOf(operation) ?? -1;
  const { kind } = operation;
  const call = callOf(operation);
  const moment: Making = {
    operation,
    step,
    kind,
    index,
    granted: step.outcome.kind === 'ok',
    place,
    call,
    arming: call !== null && setsVectors(call) ? call : null,
    devices,
    device: place === -1 ? undefined : devices[place],
    hostVectorsFree,
    allocationMayFail,
    deliveries: NOBODY,
  };
  for (let at = 0; at < devices.length; at += 1) {
    const device = devices[at] as FollowedDevice;
    device.follow(at, moment);
    if (device.before !== device.after) run.hostVectorsFree += hostVectors(device.before) - hostVectors(device.after);
  }
  const isOfHost = place === -1;
  if (isOfHost && operation.kind === 'host.limitVectors') run.hostVectorsFree = operation.count;
  if (isOfHost && operation.kind === 'host.failAllocation') run.allocationMayFail = true;
  else if (allocationMayFail && hasFailed(step, config, run.hostVectorsFree)) run.allocationMayFail = false;
  moment.deliveries = deliveries(moment);
  return moment;
}

/** A moment of which the devices have not been followed yet. */
type Making = { -readonly [Key in keyof Moment]: Moment[Key] };

/** Whether the fault that somebody has asked for has been met: nothing else explains the shortage. */
function hasFailed({ outcome }: Step, { interruptRemapping }: Config, hostVectorsFree: number): boolean {
  if (outcome.kind === 'positive') return interruptRemapping !== false;
  return outcome.kind === 'errno' && outcome.errno === 'ENOSPC' && hostVectorsFree === Number.POSITIVE_INFINITY;
}

/** Host vectors in use: INTx has one, MSI one for each vector it allocated, MSI-X one for each that is armed. */
function hostVectors({ type, allocated, armed }: Registers): number {
  switch (type) {
    case 'none':
      return 0;
    case 'intx':
      return 1;
    case 'msi':
      return allocated;
    case 'msix':
      return armed;
  }
}
