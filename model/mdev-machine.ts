import {
  type Config,
  type DeviceRaise,
  type GuestMask,
  type GuestMdevOperation,
  type GuestUnmask,
  isAskable,
  isGuestOperation,
  type Observation,
  type Operation,
  type Outcome,
  type ParentObservation,
  type PciFunction,
  type Step,
  type VfioClose,
  type VfioGetIrqInfo,
  type VfioReset,
  type VfioSetIrqs,
  type VmmTraits,
  type Window,
} from '#vocabulary';
import { added } from './added.ts';
import { citations, collectCitations } from './cite.ts';
import { complete, start, submit } from './ims/completion.ts';
import { bindPasid, freePasid } from './ims/guest-pasid.ts';
import { releaseHandle, requestHandle } from './ims/handle.ts';
import { emulatedEvent } from './ims/interrupt.ts';
import { mdevIrqInfo } from './ims/irq-info.ts';
import { attach, closeMdev, crash, createMdev, detach, isClosed, openMdev, removeMdev } from './ims/life.ts';
import { writePerm } from './ims/msix-perm.ts';
import { initialParent, type Mdev, mdevAt, type ParentState, vectorAt } from './ims/parent.ts';
import { isPending, nothingReported, observeMdev, observeParent, type Reported } from './ims/parent-observation.ts';
import { resetMdev } from './ims/reset.ts';
import { setMdevIrqs } from './ims/set-irqs.ts';
import { maskVector, unmaskVector } from './ims/table-mask.ts';
import { eventsOf, messageEvents, nothingReported as nothingReportedToGuest, observeGuest } from './observed.ts';
import { runEventLoop } from './qemu/event-loop.ts';
import { guestAccess } from './qemu/guest-access.ts';
import type { HostDevice } from './qemu/host-device.ts';
import { initialVirtualFunction, type Vmm } from './qemu/virtual-function.ts';
import { VectorSet } from './vector-set.ts';
import { closeEventfd, forgetSignals, signalledEvents, writeEventfd } from './vfio/eventfd.ts';
import { returned } from './vfio/returned.ts';

/** What waits for the next operation of a guest on its mdev, in the order in which it was armed. */
interface Armed {
  readonly device: number;
  readonly descriptor: number;
  readonly window: Window;
}

/** A parent with its mdevs, and the VMM of their guests where there is one. */
export interface MdevMachine {
  readonly config: Config;
  readonly parent: ParentState;
  readonly vmm: Vmm | null;
  armed: readonly Armed[];
  readonly reported: Reported;
  /** What the observations so far have said of what each guest reads. */
  readonly reportedToGuests: readonly number[][];
}

const OK: Outcome = { kind: 'ok' };

/** A machine as a scenario finds it: every mdev made, attached and opened once, MSI-X off. */
export function initialMdevMachine(config: Config): MdevMachine {
  // What is cited as a machine is made belongs to no step.
  collectCitations();
  if (config.mdev === undefined || config.parent === undefined)
    throw new Error('the Config has no parent of mediated devices');
  const parent = initialParent(config, config.parent, config.mdev);
  for (const mdev of parent.mdevs) {
    createMdev(mdev);
    attach(parent, mdev);
    openMdev(mdev);
  }
  const machine: MdevMachine = {
    config,
    parent,
    vmm:
      config.vmm === undefined
        ? null
        : vmmOf(config, config.vmm, parent, (index, window) => runIn(machine, index, window)),
    armed: [],
    reported: nothingReported(config.devices.length),
    reportedToGuests: config.devices.map(nothingReportedToGuest),
  };
  return machine;
}

function vmmOf(config: Config, traits: VmmTraits, parent: ParentState, raiseArmed: Vmm['raiseArmed']): Vmm {
  const functions = parent.mdevs.map((mdev) => {
    const device = mediated(parent, mdev, config.devices[mdev.index]);
    return initialVirtualFunction(mdev.index, traits, device);
  });
  return { functions, eventfds: parent.eventfds, delivered: null, calls: null, raiseArmed };
}

/** An mdev as its VMM has it: a function that can be reset, without INTx. The bus is the parent's to master. */
function mediated(parent: ParentState, mdev: Mdev, config: PciFunction | undefined): HostDevice {
  if (config === undefined) throw new Error(`the Config has no device ${mdev.index}`);
  const isPendingAt = (vector: number): boolean =>
    vector < mdev.vectors.length && isPending(parent, vectorAt(mdev, vector));
  return {
    config: { ...config, reset: true },
    eventfds: parent.eventfds,
    addsVectors: parent.dynamic,
    setIrqs: (call) => setMdevIrqs(parent, mdev, call),
    reset: () => {
      resetMdev(parent, mdev);
      return 0;
    },
    setBusMaster: () => undefined,
    isPending: isPendingAt,
    pendingVectors: () => {
      const pending = new VectorSet(null);
      for (const vector of mdev.vectors.keys()) if (isPendingAt(vector)) pending.add(vector);
      return pending;
    },
  };
}

/** Does one operation. Every operation has an outcome in every state. */
export function stepMdev(machine: MdevMachine, operation: Operation): Step {
  const { parent, vmm } = machine;
  parent.events = null;
  forgetSignals(parent.eventfds);
  if (vmm !== null) vmm.calls = null;
  collectCitations();
  const outcome = perform(machine, operation);
  if (vmm !== null) {
    runEventLoop(vmm);
    runArmed(machine, vmm, operation);
  }
  const events = eventsOf(parent.events, vmm === null ? signalledEvents(parent.eventfds) : messageEvents(vmm));
  const { observation, parent: seen } = observeMdevs(machine);
  if (vmm === null) return { outcome, events, observation, parent: seen, clauses: citations() };
  return { outcome, events, observation, parent: seen, calls: vmm.calls ?? [], clauses: citations() };
}

/** What can be read now, as the difference to what was read before. */
export function observeMdevs(machine: MdevMachine): { observation: Observation; parent: ParentObservation } {
  const { parent, vmm, reported, reportedToGuests } = machine;
  const observation = parent.mdevs.map((mdev, index) => {
    const vf = vmm?.functions[index];
    const said = reportedToGuests[index];
    const guest = vf === undefined || said === undefined ? null : observeGuest(vf, mdev.touched, said);
    return observeMdev(parent, mdev, reported, guest);
  });
  const seen = observeParent(parent, reported);
  for (const { touched } of parent.mdevs) touched.clear();
  return { observation, parent: seen };
}

function perform(machine: MdevMachine, operation: Operation): Outcome {
  const { config, vmm } = machine;
  if (!isAskable(config, operation.kind)) throw notAskable(operation);
  if (vmm !== null && isGuestOperation(operation)) {
    const vf = vmm.functions[operation.device];
    if (vf !== undefined) return guestAccess(vmm, vf, operation);
  }
  return performOnMdevs(machine, operation);
}

/** What the guest asks of the mdev driver. */
function performGuest(parent: ParentState, mdev: Mdev, operation: GuestMdevOperation): Outcome {
  if (isClosed(mdev)) return returned('EBADF');
  switch (operation.kind) {
    case 'guest.msixPerm':
      if (operation.vector >= mdev.vectors.length) return returned('EINVAL');
      writePerm(parent, mdev, operation);
      return OK;
    case 'guest.bindPasid':
      return returned(bindPasid(parent, mdev, operation.pasid));
    case 'guest.freePasid':
      freePasid(parent, mdev, operation.pasid);
      return OK;
    case 'guest.requestHandle':
      return requestHandle(parent, mdev, operation);
    case 'guest.releaseHandle':
      return releaseHandle(parent, mdev, operation);
    case 'guest.submit':
      return returned(submit(parent, mdev, operation));
  }
}

/** The guest writes a mask bit of a table that no VMM hides. */
function performMask(parent: ParentState, mdev: Mdev, { kind, vector }: GuestMask | GuestUnmask): Outcome {
  if (isClosed(mdev)) return returned('EBADF');
  if (vector >= mdev.vectors.length) return returned('EINVAL');
  if (kind === 'guest.mask') maskVector(parent, mdev, vector);
  else unmaskVector(parent, mdev, vector);
  return OK;
}

/** What the user of vfio, the guest that no VMM hides the table from, the hardware and the host do. */
function performOnMdevs(machine: MdevMachine, operation: Operation): Outcome {
  const { parent } = machine;
  switch (operation.kind) {
    case 'vfio.open':
      return returned(openMdev(mdevAt(parent, operation.device)));
    case 'vfio.close':
    case 'vfio.getIrqInfo':
    case 'vfio.setIrqs':
    case 'vfio.reset':
      return performCall(parent, mdevAt(parent, operation.device), operation);
    case 'guest.mask':
    case 'guest.unmask':
      return performMask(parent, mdevAt(parent, operation.device), operation);
    case 'guest.msixPerm':
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.requestHandle':
    case 'guest.releaseHandle':
    case 'guest.submit':
      return performGuest(parent, mdevAt(parent, operation.device), operation);
    case 'vfio.writeEventfd':
      writeEventfd(parent.eventfds, operation.eventfd);
      return OK;
    case 'vfio.closeEventfd':
      closeEventfd(parent.eventfds, operation.eventfd);
      return OK;
    case 'device.raise':
      raise(parent, operation);
      return OK;
    case 'device.start':
      return returned(start(parent, operation.descriptor));
    case 'device.complete':
      return returned(complete(parent, operation.descriptor));
    case 'device.armDescriptor':
      machine.armed = [...machine.armed, operation];
      return OK;
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
      return performLife(parent, mdevAt(parent, operation.device), operation.kind);
    case 'host.crash':
      crash(parent, operation.vm);
      return OK;
    case 'host.failAllocation':
      parent.failing = operation.nth;
      return OK;
    case 'vfio.configWrite':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.arm':
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
      throw notAskable(operation);
  }
}

/** What is asked through an open descriptor. */
function performCall(
  parent: ParentState,
  mdev: Mdev,
  operation: VfioClose | VfioGetIrqInfo | VfioSetIrqs | VfioReset,
): Outcome {
  if (isClosed(mdev)) return returned('EBADF');
  switch (operation.kind) {
    case 'vfio.close':
      closeMdev(parent, mdev);
      return OK;
    case 'vfio.getIrqInfo':
      return mdevIrqInfo(parent, mdev, operation);
    case 'vfio.setIrqs':
      return returned(setMdevIrqs(parent, mdev, operation));
    case 'vfio.reset':
      resetMdev(parent, mdev);
      return OK;
  }
}

type LifeKind = 'host.createMdev' | 'host.removeMdev' | 'host.attach' | 'host.detach';

function performLife(parent: ParentState, mdev: Mdev, kind: LifeKind): Outcome {
  switch (kind) {
    case 'host.createMdev':
      return returned(createMdev(mdev));
    case 'host.removeMdev':
      return returned(removeMdev(parent, mdev));
    case 'host.attach':
      return returned(attach(parent, mdev));
    case 'host.detach':
      return returned(detach(parent, mdev));
  }
}

/** An mdev has no events but those that its driver tells by vector 0. */
function raise(parent: ParentState, { device, vector }: DeviceRaise): void {
  parent.events = added(parent.events, { kind: 'raised', device, vector, window: null });
  if (vector === 0 && mdevAt(parent, device).descriptors > 0) emulatedEvent(parent, device);
}

/** What was armed for a window of the VMM's reaction happens. Returns how many descriptors that are. */
function runIn(machine: MdevMachine, index: number, window: Window): number {
  if (machine.armed.length === 0) return 0;
  const now = machine.armed.filter((armed) => armed.device === index && armed.window === window);
  machine.armed = machine.armed.filter((armed) => !now.includes(armed));
  for (const { descriptor } of now) run(machine.parent, descriptor);
  return now.length;
}

/** What was armed for a reaction that has not opened its window happens right after it; the VMM looks after each. */
function runArmed(machine: MdevMachine, vmm: Vmm, operation: Operation): void {
  if (machine.armed.length === 0) return;
  if (!operation.kind.startsWith('guest.') || !('device' in operation)) return;
  const left = machine.armed.filter(({ device }) => device === operation.device);
  machine.armed = machine.armed.filter(({ device }) => device !== operation.device);
  for (const { descriptor } of left) {
    run(machine.parent, descriptor);
    runEventLoop(vmm);
  }
}

/** The hardware begins with a descriptor and ends it, as far as it has not. */
function run(parent: ParentState, descriptor: number): void {
  start(parent, descriptor);
  complete(parent, descriptor);
}

function notAskable({ kind }: Operation): Error {
  return new Error(`${kind} was asked of mediated devices`);
}
