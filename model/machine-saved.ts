import type { MsiDomain } from './irq/msi-domain.ts';
import type { Machine, Place } from './machine.ts';
import type { FunctionState } from './pci/function.ts';
import { putBackNumbers, putBackOpen } from './put-back.ts';
import type { UsedVector, VirtualFunction } from './qemu/virtual-function.ts';
import { VectorMap } from './vector-map.ts';
import type { IntxContext, VfioDevice, VirtualConfig } from './vfio/device.ts';
import { type Eventfd, unwatch } from './vfio/eventfd.ts';
import { intxUnmask } from './vfio/intx.ts';
import { attachVirqfd } from './vfio/virqfd.ts';

// For those who try several operations in one state: what a machine is between two steps, to be put back later.

/** What a machine was between two steps. It stays so while the machine goes on, and only fits that machine. */
export interface SavedMachine {
  readonly free: number;
  readonly failing: number;
  readonly open: readonly Eventfd[];
  readonly places: readonly SavedPlace[];
  readonly functions: readonly SavedFunction[];
}

interface SavedPlace {
  readonly device: SavedDevice;
  readonly armed: Place['armed'];
  readonly reported: Place['reported'];
  readonly reportedToGuest: Place['reportedToGuest'];
}

/** What a device holds by value or by reference to an eventfd: what its parts hold is beside it. */
type DeviceFields = 'descriptors' | 'mappings' | 'irqType' | 'triggers' | 'errTrigger' | 'reqTrigger';

interface SavedDevice extends Readonly<Pick<VfioDevice, DeviceFields>> {
  readonly domain: Readonly<Omit<MsiDomain, 'pci' | 'hostVectors'>>;
  readonly pci: Readonly<Omit<FunctionState, 'config'>>;
  readonly intx: Readonly<IntxContext>;
  readonly virtual: Readonly<VirtualConfig>;
}

/** All but what never changes and what is of one step. */
type SavedFunction = Omit<Readonly<VirtualFunction>, 'index' | 'vmm' | 'device' | 'opened' | 'touched'>;

/** What the machine is, between two steps. */
export function saveMachine({ places, hostVectors, eventfds, vmm }: Machine): SavedMachine {
  return {
    free: hostVectors.free,
    failing: hostVectors.failing,
    open: eventfds.open.values(),
    places: places.map(({ device, armed, reported, reportedToGuest }) => ({
      device: saveDevice(device),
      armed: armed.slice(),
      reported: reported.slice(),
      reportedToGuest: reportedToGuest.slice(),
    })),
    functions: vmm === null ? NO_FUNCTIONS : vmm.functions.map(saveFunction),
  };
}

const NO_FUNCTIONS: readonly SavedFunction[] = [];

/** Makes the machine what it was, between two steps: it goes on as it would have then. */
export function restoreMachine({ places, hostVectors, eventfds, vmm }: Machine, saved: SavedMachine): void {
  hostVectors.free = saved.free;
  hostVectors.failing = saved.failing;
  putBackOpen(eventfds, saved.open);
  for (let index = 0; index < places.length; index += 1) {
    const [place, was] = [at(places, index), at(saved.places, index)];
    restoreDevice(place.device, was.device);
    if (place.armed.length > 0 || was.armed.length > 0) place.armed = was.armed.slice();
    putBackNumbers(place.reported, was.reported);
    putBackNumbers(place.reportedToGuest, was.reportedToGuest);
    if (vmm !== null) restoreFunction(at(vmm.functions, index), at(saved.functions, index));
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`the machine has no device ${index}, or not the one that was saved`);
  return item;
}

function saveDevice(device: VfioDevice): SavedDevice {
  const { descriptors, mappings, irqType, triggers, errTrigger, reqTrigger, domain, pci, intx, virtual } = device;
  const { busMaster, intxDisable, intxStatus, inD3hot, msi, msix } = pci;
  return {
    descriptors,
    mappings,
    irqType,
    triggers: triggers.copy(),
    errTrigger,
    reqTrigger,
    domain: {
      allocated: domain.allocated.copy(),
      requested: domain.requested.copy(),
      activated: domain.activated.copy(),
      messages: domain.messages.copy(),
      replay: domain.replay.copy(),
    },
    pci: {
      busMaster,
      intxDisable,
      intxStatus,
      inD3hot,
      msi: { ...msi },
      msix: {
        enable: msix.enable,
        functionMask: msix.functionMask,
        unmasked: msix.unmasked.copy(),
        messages: msix.messages.copy(),
        pending: msix.pending.copy(),
      },
    },
    intx: { ...intx },
    virtual: { ...virtual },
  };
}

function restoreDevice(device: VfioDevice, was: SavedDevice): void {
  device.descriptors = was.descriptors;
  device.mappings = was.mappings;
  device.irqType = was.irqType;
  device.triggers.become(was.triggers);
  device.errTrigger = was.errTrigger;
  device.reqTrigger = was.reqTrigger;
  restoreDomain(device.domain, was.domain);
  restorePci(device.pci, was.pci);
  device.intx.masked = was.intx.masked;
  device.intx.trigger = was.intx.trigger;
  restoreUnmaskEventfd(device, was.intx);
  device.virtual.intxDisable = was.virtual.intxDisable;
  device.virtual.memory = was.virtual.memory;
  device.virtual.msiEnable = was.virtual.msiEnable;
}

/** The kernel reads the eventfd that unmasks, and no other: it is to be attached where it is not. */
function restoreUnmaskEventfd(device: VfioDevice, { unmask }: Readonly<IntxContext>): void {
  if (device.intx.unmask === unmask) return;
  if (device.intx.unmask !== null) unwatch(device.intx.unmask, device);
  device.intx.unmask = null;
  if (unmask !== null) attachVirqfd(device, unmask, () => intxUnmask(device));
}

function restoreDomain(domain: MsiDomain, was: SavedDevice['domain']): void {
  domain.allocated.become(was.allocated);
  domain.requested.become(was.requested);
  domain.activated.become(was.activated);
  domain.messages.become(was.messages);
  domain.replay.become(was.replay);
}

function restorePci(pci: FunctionState, was: SavedDevice['pci']): void {
  pci.busMaster = was.busMaster;
  pci.intxDisable = was.intxDisable;
  pci.intxStatus = was.intxStatus;
  pci.inD3hot = was.inD3hot;
  pci.msi.enable = was.msi.enable;
  pci.msi.message = was.msi.message;
  pci.msi.enabledVectors = was.msi.enabledVectors;
  pci.msix.enable = was.msix.enable;
  pci.msix.functionMask = was.msix.functionMask;
  pci.msix.unmasked.become(was.msix.unmasked);
  pci.msix.messages.become(was.msix.messages);
  pci.msix.pending.become(was.msix.pending);
}

function saveFunction(vf: VirtualFunction): SavedFunction {
  const { enable, functionMask, allMasked, busMaster, blank, interrupt, vectorCount, pbaShown, notifies } = vf;
  const vectors = new VectorMap<UsedVector>();
  restoreVectors(vectors, vf.vectors);
  return {
    enable,
    functionMask,
    allMasked,
    busMaster,
    entries: vf.entries.copy(),
    blank,
    unmasked: vf.unmasked.copy(),
    pba: vf.pba.copy(),
    interrupt,
    vectors,
    waiting: vf.waiting.copy(),
    vectorCount,
    pending: vf.pending.copy(),
    pbaShown,
    notifies,
  };
}

function restoreFunction(vf: VirtualFunction, was: SavedFunction): void {
  vf.enable = was.enable;
  vf.functionMask = was.functionMask;
  vf.allMasked = was.allMasked;
  vf.busMaster = was.busMaster;
  vf.entries.become(was.entries);
  vf.blank = was.blank;
  vf.unmasked.become(was.unmasked);
  vf.pba.become(was.pba);
  vf.interrupt = was.interrupt;
  restoreVectors(vf.vectors, was.vectors);
  vf.waiting.become(was.waiting);
  vf.vectorCount = was.vectorCount;
  vf.pending.become(was.pending);
  vf.pbaShown = was.pbaShown;
  vf.notifies = was.notifies;
}

/** A vector in use is changed in place, so that what is saved of it is no part of the machine. */
function restoreVectors(vectors: VectorMap<UsedVector>, was: VectorMap<UsedVector>): void {
  for (let vector = vectors.next(0); vector !== -1; vector = vectors.next(vector + 1))
    if (!was.has(vector)) vectors.delete(vector);
  for (let vector = was.next(0); vector !== -1; vector = was.next(vector + 1)) {
    const { hasHandler, route } = was.get(vector) as UsedVector;
    const used = vectors.get(vector);
    if (used === undefined) vectors.set(vector, { hasHandler, route });
    else {
      used.hasHandler = hasHandler;
      used.route = route;
    }
  }
}
