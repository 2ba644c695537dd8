import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  type Config,
  type DeviceObservation,
  type Event,
  type GuestObservation,
  type GuestOperation,
  INTX_DISABLE,
  INTX_HANDLER,
  INTX_STATUS,
  isAskable,
  isGuestOperation,
  MSI_ENABLE,
  MSI_MESSAGE,
  type Observation,
  type Operation,
  type Outcome,
  PENDING,
  type Platform,
  type Step,
  UNMASKED,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSI_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioCall,
  type VfioClose,
  type VfioMapBar,
  type VfioOpen,
  type VfioUnmapBar,
  type Window,
} from '#vocabulary';
import { added } from './added.ts';
import { citations, collectCitations } from './cite.ts';
import type { HostVectors } from './irq/msi-domain.ts';
import { changesOf, eventsOf, messageEvents, nothingReported, observeGuest } from './observed.ts';
import { raise } from './pci/event.ts';
import { assertIntx, deassertIntx } from './pci/intx-pin.ts';
import { wipeTable } from './pci/msix-table.ts';
import { runEventLoop } from './qemu/event-loop.ts';
import { guestAccess } from './qemu/guest-access.ts';
import { passedThrough } from './qemu/host-device.ts';
import { intxEnable } from './qemu/intx.ts';
import { initialVirtualFunction, type Vmm } from './qemu/virtual-function.ts';
import { VectorSet } from './vector-set.ts';
import { pbaRead, tableRead, tableWrite } from './vfio/bar-region.ts';
import { configRead, configWrite } from './vfio/config-space.ts';
import { close, isClosed, mapBar, open, openedDevice, unmapBar, type VfioDevice } from './vfio/device.ts';
import {
  closeEventfd,
  type Eventfds,
  forgetSignals,
  noEventfds,
  signalledEvents,
  writeEventfd,
} from './vfio/eventfd.ts';
import { intxHandler } from './vfio/intx.ts';
import { getIrqInfo, msixInfoFlags } from './vfio/irq-info.ts';
import { msiHandler } from './vfio/msi-handler.ts';
import { reset } from './vfio/reset.ts';
import { returned } from './vfio/returned.ts';
import { setIrqs } from './vfio/set-irqs.ts';

/** One device with what the scenario does to it from outside vfio-pci. */
export interface Place {
  readonly device: VfioDevice;
  /** Raises that wait for the next `vfio.` or `guest.` operation, in the order they were armed. */
  armed: { readonly vector: number; readonly window: Window }[];
  /** Vectors to look at for the next observation. */
  readonly touched: VectorSet;
  /** The states that the observations so far have said, by vector. */
  readonly reported: number[];
  /** The same of what the guest sees. */
  readonly reportedToGuest: number[];
}

/** All layers of one machine. */
export interface Machine {
  readonly platform: Platform;
  readonly places: readonly Place[];
  readonly hostVectors: HostVectors;
  readonly eventfds: Eventfds;
  /** Who uses vfio on behalf of a guest; null where the scenario itself does. */
  readonly vmm: Vmm | null;
  /** The raises of the current step; null where there are none. */
  raised: Event[] | null;
}

/** A machine as a scenario finds it: every device opened once, MSI-X off, nothing pending. */
export function initial(config: Config): Machine {
  // What is cited as a machine is made belongs to no step.
  collectCitations();
  const hostVectors: HostVectors = {
    free: Number.POSITIVE_INFINITY,
    failing: 0,
    multiMsi: config.interruptRemapping !== false,
  };
  const eventfds = noEventfds();
  const places = config.devices.map((device): Place => {
    const touched = new VectorSet(null);
    return {
      device: openedDevice(device, config.host, hostVectors, eventfds, touched),
      armed: [],
      touched,
      reported: nothingReported(device),
      reportedToGuest: config.vmm === undefined ? [] : nothingReported(device),
    };
  });
  if (config.vmm === undefined) return { platform: config, places, hostVectors, eventfds, vmm: null, raised: null };
  const traits = config.vmm;
  const functions = places.map(({ device }, index) =>
    initialVirtualFunction(index, traits, passedThrough(device, index)),
  );
  const raiseArmed = (index: number, window: Window): number => raiseInWindow(machine, index, window);
  const vmm: Vmm = { functions, eventfds, delivered: null, calls: null, raiseArmed };
  const machine: Machine = { platform: config, places, hostVectors, eventfds, vmm, raised: null };
  for (const vf of functions) intxEnable(vmm, vf);
  return machine;
}

/** Does one operation. Every operation has an outcome in every state. */
export function step(machine: Machine, operation: Operation): Step {
  const { vmm, eventfds } = machine;
  const outcome = act(machine, operation);
  const events = eventsOf(machine.raised, vmm === null ? signalledEvents(eventfds) : messageEvents(vmm));
  const observation = observe(machine);
  if (vmm === null) return { outcome, events, observation, clauses: citations() };
  return { outcome, events, observation, calls: vmm.calls ?? [], clauses: citations() };
}

/** The same where nobody reads what happened and what can be seen now. */
export function act(machine: Machine, operation: Operation): Outcome {
  const { vmm, eventfds } = machine;
  machine.raised = null;
  forgetSignals(eventfds);
  if (vmm !== null) {
    vmm.calls = null;
    vmm.delivered = null;
  }
  collectCitations();
  return perform(machine, operation);
}

const OK: Outcome = { kind: 'ok' };

function perform(machine: Machine, operation: Operation): Outcome {
  const { vmm } = machine;
  if (vmm === null) return performRaw(machine, operation);
  if (!isGuestOperation(operation)) {
    if (!isAskable(machine.platform, operation.kind)) throw notAskable(machine, operation);
    return performRaw(machine, operation);
  }
  const vf = vmm.functions[operation.device];
  if (vf === undefined) throw new Error(`the Config has no device ${operation.device}`);
  return reacted(machine, place(machine, operation.device), operation, guestAccess(vmm, vf, operation));
}

function notAskable({ vmm }: Machine, { kind }: Operation): Error {
  return new Error(`${kind} was asked of a machine ${vmm === null ? 'without' : 'with'} a VMM`);
}

function performRaw(machine: Machine, operation: Operation): Outcome {
  switch (operation.kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.mapBar':
    case 'vfio.unmapBar': {
      const at = place(machine, operation.device);
      return reacted(machine, at, operation, performHold(at.device, operation));
    }
    case 'vfio.getIrqInfo':
    case 'vfio.setIrqs':
    case 'vfio.reset':
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead': {
      const at = place(machine, operation.device);
      return reacted(machine, at, operation, performCall(at.device, operation));
    }
    case 'vfio.writeEventfd':
      writeEventfd(machine.eventfds, operation.eventfd);
      return OK;
    case 'vfio.closeEventfd':
      closeEventfd(machine.eventfds, operation.eventfd);
      return OK;
    case 'device.raise':
      deviceRaises(machine, operation.device, operation.vector, null);
      if (machine.vmm !== null) runEventLoop(machine.vmm);
      return OK;
    case 'device.arm':
      place(machine, operation.device).armed.push({ vector: operation.vector, window: operation.window });
      return OK;
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      performDevice(place(machine, operation.device).device, operation.kind);
      return OK;
    case 'host.limitVectors':
      machine.hostVectors.free = operation.count;
      return OK;
    case 'host.failAllocation':
      machine.hostVectors.failing = operation.nth;
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
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.requestHandle':
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
      throw notAskable(machine, operation);
  }
}

type Hold = VfioOpen | VfioClose | VfioMapBar | VfioUnmapBar;

/** What makes or ends the user's hold on a device. */
function performHold(device: VfioDevice, operation: Hold): Outcome {
  switch (operation.kind) {
    case 'vfio.open':
      open(device);
      return OK;
    case 'vfio.close':
      return returned(close(device));
    case 'vfio.mapBar':
      return returned(mapBar(device));
    case 'vfio.unmapBar':
      unmapBar(device);
      return OK;
  }
}

/** What is asked through an open descriptor. */
function performCall(device: VfioDevice, operation: VfioCall): Outcome {
  if (isClosed(device)) return returned('EBADF');
  switch (operation.kind) {
    case 'vfio.getIrqInfo':
      return getIrqInfo(device, operation);
    case 'vfio.setIrqs':
      return returned(setIrqs(device, operation));
    case 'vfio.reset':
      return returned(reset(device));
    case 'vfio.configWrite':
      return returned(configWrite(device, operation));
    case 'vfio.configRead':
      return configRead(device, operation);
    case 'vfio.tableRead':
      return tableRead(device, operation);
    case 'vfio.tableWrite':
      return returned(tableWrite(device, operation));
    case 'vfio.pbaRead':
      return pbaRead(device, operation);
  }
}

/** What the device does by itself, beside raising. */
function performDevice(device: VfioDevice, kind: 'device.assertIntx' | 'device.deassertIntx' | 'device.wipe'): void {
  switch (kind) {
    case 'device.assertIntx':
      assertIntx(device.pci);
      intxHandler(device);
      return;
    case 'device.deassertIntx':
      deassertIntx(device.pci);
      return;
    case 'device.wipe':
      wipeTable(device.pci);
      return;
  }
}

/** The device has an event; a message it sends reaches the handler at once. */
function deviceRaises(machine: Machine, index: number, vector: number, window: Window | null): void {
  const { device } = place(machine, index);
  machine.raised = added(machine.raised, { kind: 'raised', device: index, vector, window });
  if (raise(device.pci, vector)) msiHandler(device, vector);
}

/** A window of a VMM's reaction is open: what was armed for it is raised. Returns how many events that are. */
function raiseInWindow(machine: Machine, index: number, window: Window): number {
  const at = place(machine, index);
  if (isUnarmed(at)) return 0;
  const now = at.armed.filter((armed) => armed.window === window);
  if (now.length === 0) return 0;
  at.armed = at.armed.filter((armed) => armed.window !== window);
  for (const { vector } of now) deviceRaises(machine, index, vector, window);
  return now.length;
}

/**
 * The reaction to an operation on a device has ended. The raises armed for it happen: in its window if it opened that,
 * else right after it. A VMM's event loop runs after each.
 */
function reacted(machine: Machine, at: Place, operation: Hold | VfioCall | GuestOperation, outcome: Outcome): Outcome {
  if (isUnarmed(at)) return outcome;
  const open = openedWindow(operation, outcome);
  const armed = at.armed;
  at.armed = [];
  for (const { vector, window } of armed) {
    deviceRaises(machine, operation.device, vector, window === open ? window : null);
    if (machine.vmm !== null) runEventLoop(machine.vmm);
  }
  return outcome;
}

function isUnarmed({ armed }: Place): boolean {
  return armed.length === 0;
}

/** The window in which an operation has left the machine. */
function openedWindow(operation: Operation, outcome: Outcome): Window | null {
  const isTeardown =
    operation.kind === 'vfio.setIrqs' &&
    (operation.index === VFIO_PCI_MSIX_IRQ_INDEX || operation.index === VFIO_PCI_MSI_IRQ_INDEX) &&
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

/** What can be read now, as the difference to what was read before. */
export function observe({ places, vmm }: Machine): Observation {
  const first = places[0];
  // Nearly every machine has one device, and a list that is written down as one costs less than one that is filled.
  if (vmm === null && first !== undefined && places.length === 1) return [observeDevice(first, null)];
  return places.map((at, index) => {
    if (vmm === null) return observeDevice(at, null);
    const vf = vmm.functions[index];
    if (vf === undefined) throw new Error(`no guest has device ${index}`);
    // What the guest sees is looked at first: it may show what is the function's.
    return observeDevice(at, observeGuest(vf, at.touched, at.reportedToGuest));
  });
}

function observeDevice({ device, touched, reported }: Place, guest: GuestObservation | null): DeviceObservation {
  const changes = changesOf(device, touched, reported, vectorState);
  touched.clear();
  const { enable, functionMask } = device.pci.msix;
  const flags = device.descriptors === 0 ? 0 : msixInfoFlags(device);
  if (guest === null) return { enable, functionMask, msixInfoFlags: flags, registers: registers(device), changes };
  return { enable, functionMask, msixInfoFlags: flags, registers: registers(device), changes, guest };
}

/** Of a function without INTx and MSI nothing but MSI-X is looked at. */
function registers({ config, pci, irqType }: VfioDevice): number {
  if (config.intx !== true && config.msiVectors === undefined) return 0;
  return (
    (pci.msi.enable ? MSI_ENABLE : 0) +
    (pci.msi.message ? MSI_MESSAGE : 0) +
    (pci.intxDisable ? INTX_DISABLE : 0) +
    (pci.intxStatus ? INTX_STATUS : 0) +
    (irqType === 'intx' ? INTX_HANDLER : 0)
  );
}

function vectorState({ domain, pci: { msix } }: VfioDevice, vector: number): number {
  const unmasked = msix.unmasked.has(vector);
  return (
    (domain.allocated.has(vector) ? ALLOCATED : 0) +
    (domain.requested.has(vector) ? ARMED : 0) +
    (unmasked ? UNMASKED : 0) +
    (msix.pending.has(vector) ? PENDING : 0) +
    (unmasked && !msix.messages.has(vector) ? ADDRESS_0 : 0)
  );
}
