import { firstMessage, type Message, WINDOWS } from '#vocabulary';
import type { Machine } from './machine.ts';
import { addsVectors, entryOf, type VirtualFunction } from './qemu/virtual-function.ts';
import type { VfioDevice } from './vfio/device.ts';
import type { Eventfd } from './vfio/eventfd.ts';
import { bits, numberOf, putNumber, type Words } from './words.ts';

// The state of a machine between two steps as numbers: from equal ones of one Config everything goes on alike.

/** The whole state. */
export function putMachine(machine: Machine, words: Words): void {
  for (let place = 0; place < machine.places.length; place += 1) {
    putPlace(machine, place, words);
    const count = vectorsOf(deviceAt(machine, place));
    for (let vector = 0; vector < count; vector += 1) putVector(machine, place, vector, words);
  }
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

/** What of the state is about no one vector of a device. Of the host's something is in it for each device. */
export function putPlace(machine: Machine, place: number, words: Words): void {
  const { pci, intx, virtual, irqType, descriptors, mappings, errTrigger, reqTrigger } = deviceAt(machine, place);
  const { msi, msix } = pci;
  words.put(
    bits(1, pci.busMaster, pci.intxDisable, pci.intxStatus, pci.inD3hot) +
      bits(0x10, msix.enable, msix.functionMask, msi.enable, msi.message) +
      bits(0x100, intx.masked, virtual.intxDisable, virtual.memory, virtual.msiEnable) +
      bits(0x1000, intx.trigger !== null, intx.unmask !== null, errTrigger !== null, reqTrigger !== null) +
      IRQ_TYPES.indexOf(irqType) * 0x10000,
  );
  words.put(msi.enabledVectors);
  putNumber(descriptors, words);
  putNumber(mappings, words);
  putNumber(machine.hostVectors.free, words);
  putNumber(machine.hostVectors.failing, words);
  for (const trigger of [intx.trigger, intx.unmask, errTrigger, reqTrigger])
    if (trigger !== null) putTrigger(trigger, 0, words);
  putArmed(machine, place, words);
  const vf = machine.vmm?.functions[place];
  if (vf !== undefined) putFunction(vf, words);
}

const IRQ_TYPES: readonly VfioDevice['irqType'][] = ['none', 'intx', 'msi', 'msix'];
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

/** What of the state is about one vector of a device, told so that another vector in the same state has the same. */
export function putVector(machine: Machine, place: number, vector: number, words: Words): void {
  const { domain, pci, triggers } = deviceAt(machine, place);
  const { msix } = pci;
  const trigger = triggers.get(vector);
  words.put(
    bits(1, domain.allocated.has(vector), domain.requested.has(vector), domain.messages.has(vector), false) +
      bits(0x10, domain.replay.has(vector), domain.activated.has(vector), trigger !== undefined, false) +
      bits(0x100, msix.unmasked.has(vector), msix.messages.has(vector), msix.pending.has(vector), false),
  );
  if (trigger !== undefined) putTrigger(trigger, vector, words);
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
function putTrigger(trigger: Eventfd, vector: number, words: Words): void {
  words.put(trigger.open ? 1 : 0);
  putNumber(numberOf(trigger) - vector, words);
}
