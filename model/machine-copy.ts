import { type EventfdName, firstMessage, type Message } from '#vocabulary';
import type { HostVectors } from './irq/msi-domain.ts';
import { type Machine, type Place, raiseInWindow } from './machine.ts';
import type { FunctionState } from './pci/function.ts';
import { passedThrough } from './qemu/host-device.ts';
import { addsVectors, entryOf, type VirtualFunction, type Vmm } from './qemu/virtual-function.ts';
import { VectorSet } from './vector-set.ts';
import type { VfioDevice } from './vfio/device.ts';
import { type Eventfd, type Eventfds, noEventfds } from './vfio/eventfd.ts';
import { intxUnmask } from './vfio/intx.ts';
import { attachVirqfd } from './vfio/virqfd.ts';

// For those who try several operations in one state: a copy of a machine between two steps, and its state as text.

/** An independent copy, in which something else can be tried. */
export function copyOfMachine(machine: Machine): Machine {
  const hostVectors = { ...machine.hostVectors };
  const descriptors = new CopiedEventfds(machine.eventfds);
  const places = machine.places.map((place) => copyOfPlace(place, hostVectors, descriptors));
  const { eventfds } = descriptors;
  const copy: Machine = { platform: machine.platform, places, hostVectors, eventfds, vmm: null, raised: null };
  if (machine.vmm === null) return copy;
  const functions = machine.vmm.functions.map((vf, index) => copyOfFunction(vf, places[index]));
  const vmm: Vmm = {
    functions,
    eventfds,
    delivered: null,
    calls: null,
    raiseArmed: (index, window) => raiseInWindow(shown, index, window),
  };
  const shown: Machine = { ...copy, vmm };
  return shown;
}

/** Eventfds of the copy, by what they are copied from: several triggers may be one eventfd. */
class CopiedEventfds {
  readonly eventfds: Eventfds = noEventfds();
  readonly #copies = new Map<Eventfd, Eventfd>();

  constructor({ open }: Eventfds) {
    for (const [name, eventfd] of open) this.eventfds.open.set(name, this.of(eventfd));
  }

  of(eventfd: Eventfd): Eventfd {
    const known = this.#copies.get(eventfd);
    if (known !== undefined) return known;
    // Who reads it attaches itself again.
    const made: Eventfd = { name: eventfd.name, open: eventfd.open, count: 0, watchers: null };
    this.#copies.set(eventfd, made);
    return made;
  }
}

function copyOfPlace(place: Place, hostVectors: HostVectors, descriptors: CopiedEventfds): Place {
  const touched = new VectorSet(null);
  return {
    device: copyOfDevice(place.device, hostVectors, descriptors, touched),
    armed: place.armed.slice(),
    touched,
    reported: place.reported.slice(),
    reportedToGuest: place.reportedToGuest.slice(),
  };
}

function copyOfDevice(
  device: VfioDevice,
  hostVectors: HostVectors,
  descriptors: CopiedEventfds,
  touched: VectorSet,
): VfioDevice {
  const pci = copyOfPci(device.pci, touched);
  const { domain, intx, errTrigger, reqTrigger } = device;
  const triggers = new Map<number, Eventfd>();
  for (const [vector, eventfd] of device.triggers) triggers.set(vector, descriptors.of(eventfd));
  const copy: VfioDevice = {
    ...device,
    pci,
    eventfds: descriptors.eventfds,
    domain: {
      hostVectors,
      pci,
      allocated: domain.allocated.copy(touched),
      requested: domain.requested.copy(touched),
      activated: domain.activated.copy(null),
      messages: domain.messages.copy(null),
      replay: domain.replay.copy(null),
    },
    triggers,
    intx: { masked: intx.masked, trigger: intx.trigger === null ? null : descriptors.of(intx.trigger), unmask: null },
    virtual: { ...device.virtual },
    errTrigger: errTrigger === null ? null : descriptors.of(errTrigger),
    reqTrigger: reqTrigger === null ? null : descriptors.of(reqTrigger),
  };
  if (intx.unmask !== null) attachVirqfd(copy, descriptors.of(intx.unmask), () => intxUnmask(copy));
  return copy;
}

function copyOfPci(pci: FunctionState, touched: VectorSet): FunctionState {
  const { msi, msix } = pci;
  return {
    ...pci,
    msi: { ...msi },
    msix: {
      enable: msix.enable,
      functionMask: msix.functionMask,
      unmasked: msix.unmasked.copy(touched),
      messages: msix.messages.copy(touched),
      pending: msix.pending.copy(touched),
    },
  };
}

function copyOfFunction(vf: VirtualFunction, place: Place | undefined): VirtualFunction {
  if (place === undefined) throw new Error(`the Config has no device ${vf.index}`);
  const touched = new VectorSet(null);
  const vectors = new Map<number, { hasHandler: boolean; route: Message | null }>();
  for (const [vector, { hasHandler, route }] of vf.vectors) vectors.set(vector, { hasHandler, route });
  return {
    ...vf,
    device: passedThrough(place.device, vf.index),
    entries: new Map(vf.entries),
    unmasked: vf.unmasked.copy(touched),
    pba: vf.pba.copy(touched),
    vectors,
    waiting: new Map(vf.waiting),
    pending: vf.pending.copy(null),
    opened: new Set(),
    touched,
  };
}

/** The state as text, for a machine between two steps: from equal ones of one Config everything goes on alike. */
export function keyOfMachine(machine: Machine): string {
  return machine.places
    .map(({ device }, place) => {
      let key = keyOfPlace(machine, place);
      for (let vector = 0; vector < vectorsOf(device); vector += 1) key += `/${keyOfVector(machine, place, vector)}`;
      return key;
    })
    .join('|');
}

/** As many vectors as any index of a device has. */
export function vectorsOf({ config }: Pick<VfioDevice, 'config'>): number {
  return Math.max(config.msixVectors, config.msiVectors ?? 0);
}

/** What of the state is about no one vector of a device. Of the host's something is in it for each device. */
export function keyOfPlace({ places, hostVectors, vmm }: Machine, place: number): string {
  const at = places[place];
  if (at === undefined) throw new Error(`the Config has no device ${place}`);
  const { device, armed } = at;
  const { pci, intx, virtual, irqType } = device;
  const flags = bits(
    bits4(pci.busMaster, pci.intxDisable, pci.intxStatus, pci.inD3hot),
    bits4(pci.msix.enable, pci.msix.functionMask, pci.msi.enable, pci.msi.message),
    bits4(intx.masked, virtual.intxDisable, virtual.memory, virtual.msiEnable),
  );
  const counts = `${pci.msi.enabledVectors}.${device.descriptors}.${device.mappings}`;
  let key = `${irqType}${flags}.${counts}.${hostVectors.free}.${hostVectors.failing}`;
  const { errTrigger, reqTrigger } = device;
  if (intx.trigger !== null || intx.unmask !== null || errTrigger !== null || reqTrigger !== null)
    key += [intx.trigger, intx.unmask, errTrigger, reqTrigger].map((trigger) => keyOfTrigger(trigger, 0)).join();
  for (const { vector, window } of armed) key += `a${vector}${window}`;
  const vf = vmm?.functions[place];
  return vf === undefined ? key : `${key};${keyOfFunction(vf)}`;
}

function keyOfFunction(vf: VirtualFunction): string {
  const flags = bits(
    bits4(vf.enable, vf.functionMask, vf.allMasked, vf.busMaster),
    bits4(vf.pbaShown, vf.notifies, vf.blank === 'reset', false),
    0,
  );
  // Who can add vectors asks how many there are where it enables them, which it counts from what is left of before.
  return `${vf.interrupt}${flags}.${vf.enable && addsVectors(vf) ? '' : vf.vectorCount}`;
}

/** What of the state is about one vector of a device, told so that another vector in the same state has the same. */
export function keyOfVector({ places, vmm }: Machine, place: number, vector: number): string {
  const device = places[place]?.device;
  if (device === undefined) throw new Error(`the Config has no device ${place}`);
  const { domain, pci } = device;
  const flags = bits(
    bits4(
      domain.allocated.has(vector),
      domain.requested.has(vector),
      domain.messages.has(vector),
      domain.replay.has(vector),
    ),
    bits4(
      pci.msix.unmasked.has(vector),
      pci.msix.messages.has(vector),
      pci.msix.pending.has(vector),
      domain.activated.has(vector),
    ),
    0,
  );
  const key = String.fromCharCode(FIRST + flags) + keyOfTrigger(device.triggers.get(vector) ?? null, vector);
  const vf = vmm?.functions[place];
  return vf === undefined ? key : key + keyOfUse(vf, vector);
}

function keyOfUse(vf: VirtualFunction, vector: number): string {
  const used = vf.vectors.get(vector);
  const waiting = vf.waiting.get(vector) ?? 0;
  const flags = bits(
    bits4(vf.unmasked.has(vector), vf.pba.has(vector), vf.pending.has(vector), used !== undefined),
    // More than one are told to the guest as one.
    bits4(used?.hasHandler === true, waiting > 0, waiting > 1, false),
    0,
  );
  const { control } = entryOf(vf, vector);
  const message = keyOfMessage(vf, vector, entryOf(vf, vector));
  const route = used === undefined || used.route === null ? '-' : keyOfMessage(vf, vector, used.route);
  return `${String.fromCharCode(FIRST + flags)}${control === 0 ? '' : control}${message}${route}`;
}

/** A message is nearly always the first of its vector, or the empty one of a reset. */
function keyOfMessage({ index }: VirtualFunction, vector: number, { address, high, data }: Message): string {
  if (address === 0 && high === 0 && data === 0) return 'z';
  const first = firstMessage(index, vector);
  const isFirst = address === first.address && high === first.high && data === first.data;
  return isFirst ? 'f' : `${high}.${address}.${data}`;
}

/** An eventfd by how far its number is from the vector's: those of a VMM are numbered by it. */
function keyOfTrigger(trigger: Eventfd | null, vector: number): string {
  return trigger === null ? '-' : `${numberOf(trigger.name) - vector}${trigger.open ? 'e' : 'x'}`;
}

function numberOf(name: EventfdName): number {
  return Number(name.slice(1));
}

/** The first character of flags: below it are those that are used for other things. */
const FIRST = 0x100;

function bits(high: number, middle: number, low: number): number {
  return high * 256 + middle * 16 + low;
}

function bits4(first: boolean, second: boolean, third: boolean, fourth: boolean): number {
  return (first ? 8 : 0) + (second ? 4 : 0) + (third ? 2 : 0) + (fourth ? 1 : 0);
}
