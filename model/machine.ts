import {
  ALLOCATED,
  ARMED,
  type Config,
  type DeviceObservation,
  deviceOf,
  type Errno,
  type Event,
  type Observation,
  type Operation,
  type Outcome,
  PENDING,
  type Step,
  UNMASKED,
  type VectorChange,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type Window,
} from '#vocabulary';
import { collectCitations } from './cite.ts';
import type { HostVectors } from './irq/msi-domain.ts';
import { raise } from './pci/msix-message.ts';
import { close, isClosed, open, openedDevice, type VfioDevice } from './vfio/device.ts';
import { closeEventfd, type Eventfds, noEventfds } from './vfio/eventfd.ts';
import { getIrqInfo, msixInfoFlags } from './vfio/irq-info.ts';
import { msiHandler } from './vfio/msi-handler.ts';
import { setIrqs } from './vfio/set-irqs.ts';

/** One device with what the scenario does to it from outside vfio-pci. */
interface Place {
  readonly device: VfioDevice;
  /** Raises that wait for the next `vfio.` operation, in the order they were armed. */
  armed: { readonly vector: number; readonly window: Window }[];
  /** Vectors to look at for the next observation. */
  readonly touched: Set<number>;
  /** What the observations so far have said; vectors in state 0 are left out. */
  readonly reported: Map<number, number>;
}

/** All layers of one machine. */
export interface Machine {
  readonly places: readonly Place[];
  readonly hostVectors: HostVectors;
  readonly eventfds: Eventfds;
}

/** A machine as a scenario finds it: every device opened once, MSI-X off, nothing pending. */
export function initial(config: Config): Machine {
  const hostVectors: HostVectors = { free: Number.POSITIVE_INFINITY };
  const eventfds = noEventfds();
  const places = config.devices.map((device): Place => {
    const touched = new Set<number>();
    return {
      device: openedDevice(device, config.host, hostVectors, eventfds, touched),
      armed: [],
      touched,
      reported: new Map(),
    };
  });
  return { places, hostVectors, eventfds };
}

/** Does one operation. Every operation has an outcome in every state. */
export function step(machine: Machine, operation: Operation): Step {
  const raised: Event[] = [];
  let outcome: Outcome = OK;
  machine.eventfds.signalled.clear();
  const clauses = collectCitations(() => {
    outcome = perform(machine, operation, raised);
    raiseArmed(machine, operation, outcome, raised);
  });
  return { outcome, events: [...raised, ...signalledEvents(machine.eventfds)], observation: observe(machine), clauses };
}

const OK: Outcome = { kind: 'ok' };

function returned(result: 0 | Errno): Outcome {
  return result === 0 ? OK : { kind: 'errno', errno: result };
}

function perform(machine: Machine, operation: Operation, raised: Event[]): Outcome {
  switch (operation.kind) {
    case 'vfio.open':
      return returned(open(place(machine, operation.device).device));
    case 'vfio.close':
      return returned(close(place(machine, operation.device).device));
    case 'vfio.getIrqInfo': {
      const { device } = place(machine, operation.device);
      return isClosed(device) ? returned('EBADF') : getIrqInfo(device, operation);
    }
    case 'vfio.setIrqs': {
      const { device } = place(machine, operation.device);
      return returned(isClosed(device) ? 'EBADF' : setIrqs(device, operation));
    }
    case 'vfio.closeEventfd':
      closeEventfd(machine.eventfds, operation.eventfd);
      return OK;
    case 'device.raise':
      deviceRaises(machine, operation.device, operation.vector, null, raised);
      return OK;
    case 'device.arm':
      place(machine, operation.device).armed.push({ vector: operation.vector, window: operation.window });
      return OK;
    case 'host.limitVectors':
      machine.hostVectors.free = operation.count;
      return OK;
  }
}

/** The device has an event; a message it sends reaches the handler at once. */
function deviceRaises(machine: Machine, index: number, vector: number, window: Window | null, raised: Event[]): void {
  const { device } = place(machine, index);
  raised.push({ kind: 'raised', device: index, vector, window });
  if (raise(device.domain.msix, vector)) msiHandler(device, vector);
}

/** The raises armed for the reaction that has just ended: in its window if it opened that, else right after it. */
function raiseArmed(machine: Machine, operation: Operation, outcome: Outcome, raised: Event[]): void {
  const index = deviceOf(operation);
  if (index === undefined || !operation.kind.startsWith('vfio.')) return;
  const at = place(machine, index);
  if (at.armed.length === 0) return;
  const open = openedWindow(operation, outcome);
  const armed = at.armed;
  at.armed = [];
  for (const { vector, window } of armed) deviceRaises(machine, index, vector, window === open ? window : null, raised);
}

/** The window in which an operation has left the machine. */
function openedWindow(operation: Operation, outcome: Outcome): Window | null {
  const isTeardown =
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    (operation.flags & VFIO_IRQ_SET_DATA_NONE) !== 0 &&
    operation.count === 0 &&
    outcome.kind === 'ok';
  return isTeardown ? 'teardown-gap' : null;
}

function place(machine: Machine, index: number): Place {
  const found = machine.places[index];
  if (found === undefined) throw new Error(`the Config has no device ${index}`);
  return found;
}

function signalledEvents(eventfds: Eventfds): Event[] {
  return [...eventfds.signalled]
    .map(([eventfd, count]): Event & { kind: 'signalled' } => ({ kind: 'signalled', eventfd, count }))
    .sort((left, right) => Number(left.eventfd.slice(1)) - Number(right.eventfd.slice(1)));
}

/** What can be read now, as the difference to what was read before. */
export function observe(machine: Machine): Observation {
  return machine.places.map(observeDevice);
}

function observeDevice({ device, touched, reported }: Place): DeviceObservation {
  const changes: VectorChange[] = [];
  for (const vector of touched) {
    const state = vectorState(device, vector);
    if (state === (reported.get(vector) ?? 0)) continue;
    if (state === 0) reported.delete(vector);
    else reported.set(vector, state);
    changes.push({ vector, state });
  }
  touched.clear();
  changes.sort((left, right) => left.vector - right.vector);
  const { enable, functionMask } = device.domain.msix;
  return { enable, functionMask, msixInfoFlags: device.descriptors === 0 ? 0 : msixInfoFlags(device), changes };
}

function vectorState({ domain }: VfioDevice, vector: number): number {
  return (
    (domain.allocated.has(vector) ? ALLOCATED : 0) +
    (domain.requested.has(vector) ? ARMED : 0) +
    (domain.msix.unmasked.has(vector) ? UNMASKED : 0) +
    (domain.msix.pending.has(vector) ? PENDING : 0)
  );
}
