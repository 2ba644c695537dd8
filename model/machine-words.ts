import { firstMessage, type Message, WINDOWS } from '#vocabulary';
import type { Machine } from './machine.ts';
import { addsVectors, entryOf, type VirtualFunction } from './qemu/virtual-function.ts';
import type { VectorSet } from './vector-set.ts';
import type { VfioDevice } from './vfio/device.ts';
import type { Eventfd } from './vfio/eventfd.ts';
import { bits, putNumber, type Words } from './words.ts';

// The state of a machine between two steps as numbers: from equal ones of one Config everything goes on alike.

/** Tells the whole state. */
export function putMachine(machine: Machine, words: Words): void {
  for (let place = 0; place < machine.places.length; place += 1) putDevice(machine, place, words);
}

/** Tells what of the state is about one device. Of the host's something is in it for each device. */
export function putDevice(machine: Machine, place: number, words: Words): void {
  const device = deviceAt(machine, place);
  const count = vectorsOf(device);
  putPlace(machine, place, words);
  putSets(device, count, words);
  for (let vector = 0; vector < count; vector += 1) putTrigger(device.triggers.get(vector), vector, words);
  const vf = machine.vmm?.functions[place];
  if (vf !== undefined) for (let vector = 0; vector < count; vector += 1) putUse(vf, vector, words);
}

/** As `putVector` has it, but a set at a time, and four sets of a small table in a word. */
function putSets(device: VfioDevice, count: number, words: Words): void {
  const { allocated, requested, activated, messages, replay } = device.domain;
  const { msix } = device.pci;
  if (count > 8) {
    for (const set of setsOf(device)) set.tell(count, words);
    return;
  }
  words.put(allocated.low | (requested.low << 8) | (activated.low << 16) | (messages.low << 24));
  words.put(replay.low | (msix.unmasked.low << 8) | (msix.messages.low << 16) | (msix.pending.low << 24));
}

/** All that a device knows of its vectors but their eventfds. */
function setsOf({ domain, pci: { msix } }: VfioDevice): readonly VectorSet[] {
  const { allocated, requested, activated, messages, replay } = domain;
  return [allocated, requested, activated, messages, replay, msix.unmasked, msix.messages, msix.pending];
}

/** As many vectors as any index of a device has. */
export function vectorsOf({ config }: Pick<VfioDevice, 'config'>): number {
  return Math.max(config.msixVectors, config.msiVectors ?? 0);
}

function deviceAt({ places }: Machine, place: number): VfioDevice {
  const at = places[place];
  if (at === undefined) throw new Error(`the Config has no device ${place}`);
  return at.device;
}

/** Tells of that what is about no one vector. */
export function putPlace(machine: Machine, place: number, words: Words): void {
  const { pci, intx, virtual, irqType, descriptors, mappings, errTrigger, reqTrigger } = deviceAt(machine, place);
  const { msi, msix } = pci;
  words.put(
    bits(1, pci.busMaster, pci.intxDisable, pci.intxStatus, pci.inD3hot) +
      bits(0x10, msix.enable, msix.functionMask, msi.enable, msi.message) +
      bits(0x100, intx.masked, virtual.intxDisable, virtual.memory, virtual.msiEnable) +
      bits(0x1000, intx.trigger !== null, intx.unmask !== null, errTrigger !== null, reqTrigger !== null) +
      typeNumber(irqType) * 0x10000 +
      // There are at most 32.
      msi.enabledVectors * 0x100000,
  );
  putNumber(descriptors, words);
  putNumber(mappings, words);
  putNumber(machine.hostVectors.free, words);
  putNumber(machine.hostVectors.failing, words);
  if (intx.trigger !== null) putTrigger(intx.trigger, 0, words);
  if (intx.unmask !== null) putTrigger(intx.unmask, 0, words);
  if (errTrigger !== null) putTrigger(errTrigger, 0, words);
  if (reqTrigger !== null) putTrigger(reqTrigger, 0, words);
  putArmed(machine, place, words);
  const vf = machine.vmm?.functions[place];
  if (vf !== undefined) putFunction(vf, words);
}

function typeNumber(irqType: VfioDevice['irqType']): number {
  switch (irqType) {
    case 'none':
      return 0;
    case 'intx':
      return 1;
    case 'msi':
      return 2;
    case 'msix':
      return 3;
  }
}

const INTERRUPTS: readonly VirtualFunction['interrupt'][] = ['none', 'intx', 'msix'];

function putArmed({ places }: Machine, place: number, words: Words): void {
  const armed = places[place]?.armed ?? [];
  words.put(armed.length);
  for (const { vector, window } of armed) {
    words.put(vector);
    words.put(WINDOWS.indexOf(window));
  }
}

function putFunction(vf: VirtualFunction, words: Words): void {
  words.put(
    bits(1, vf.enable, vf.functionMask, vf.allMasked, vf.busMaster) +
      bits(0x10, vf.pbaShown, vf.notifies, vf.blank === 'reset', false) +
      INTERRUPTS.indexOf(vf.interrupt) * 0x100,
  );
  // Who can add vectors asks how many there are where it enables them, which it counts from what is left of before.
  words.put(vf.enable && addsVectors(vf) ? -1 : vf.vectorCount);
}

/** Tells of that what is about one vector, so that of another vector in the same state the same is told. */
export function putVector(machine: Machine, place: number, vector: number, words: Words): void {
  const device = deviceAt(machine, place);
  let flags = 0;
  for (const set of setsOf(device)) flags = flags * 2 + (set.has(vector) ? 1 : 0);
  words.put(flags);
  putTrigger(device.triggers.get(vector), vector, words);
  const vf = machine.vmm?.functions[place];
  if (vf !== undefined) putUse(vf, vector, words);
}

function putUse(vf: VirtualFunction, vector: number, words: Words): void {
  const used = vf.vectors.get(vector);
  const waiting = vf.waiting.get(vector) ?? 0;
  const entry = entryOf(vf, vector);
  words.put(
    bits(1, vf.unmasked.has(vector), vf.pba.has(vector), vf.pending.has(vector), used !== undefined) +
      // More than one are told to the guest as one.
      bits(0x10, used?.hasHandler === true, waiting > 0, waiting > 1, used !== undefined && used.route !== null),
  );
  words.put(entry.control);
  putMessage(vf, vector, entry, words);
  if (used !== undefined && used.route !== null) putMessage(vf, vector, used.route, words);
}

/** A message is nearly always the first of its vector, which is another one for each, or the empty one of a reset. */
function putMessage({ index }: VirtualFunction, vector: number, message: Message, words: Words): void {
  const { address, high, data } = message;
  const first = firstMessage(index, vector);
  const isFirst = address === first.address && high === first.high && data === first.data;
  words.put(isFirst ? 1 : 0);
  if (isFirst) return;
  words.put(address);
  words.put(high);
  words.put(data);
}

/** An eventfd by how far its number is from the vector's: those of a VMM are numbered by it. */
function putTrigger(trigger: Eventfd | undefined, vector: number, words: Words): void {
  if (trigger === undefined) words.put(0);
  else putNumber((trigger.number - vector) * 4 + (trigger.open ? 1 : 2), words);
}
