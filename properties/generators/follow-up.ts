import type { Random } from 'fast-check';
import type { RawOperation, VfioConfigWrite, VfioSetIrqs } from '#vocabulary';
import { isEventfdName, VFIO_IRQ_SET_ACTION_MASK, VFIO_PCI_INTX_IRQ_INDEX } from '#vocabulary';
import { drawConfigRead, drawPbaRead, drawTableRead, drawUpset } from './config-space.ts';
import { drawArm, drawAssertIntx, drawDeassertIntx, drawEvent, drawRaise } from './device.ts';
import { drawIntxRequest } from './intx.ts';
import type { DeviceMemory, Memory } from './memory.ts';
import { aboutDevice, deviceMemory, familyOf, isDisable, undoOf } from './memory.ts';
import type { IntxRequest } from './mix.ts';
import { attachesUnmask, isUnmaskName } from './names.ts';
import { chance, countOthers, pick, pickOther } from './random.ts';
import type { Swarm } from './swarm.ts';
import { deviceSwarm, isOn } from './swarm.ts';
import { drawGetIrqInfo, drawOpen, drawRequest } from './vfio.ts';

/**
 * An operation that makes something of the last one, or undefined: a disable for a device that is armed for the gap,
 * a raise while MSI-X is off, the same range again after it. Three or four operations that belong together
 * are too rare when each is drawn alone.
 */
export function drawFollowUp(random: Random, swarm: Swarm, memory: Memory): RawOperation | undefined {
  const operation = drawContinuation(random, swarm, memory);
  if (operation === undefined) return undefined;
  return isOn(deviceSwarm(swarm, aboutDevice(memory, operation)), operation.kind) ? operation : undefined;
}

function drawContinuation(random: Random, swarm: Swarm, memory: Memory): RawOperation | undefined {
  const { last } = memory;
  if (last === undefined) return undefined;
  switch (last.kind) {
    case 'vfio.getIrqInfo':
    case 'vfio.configRead':
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
      return undefined;
    case 'vfio.setIrqs':
      return drawAfterSetIrqs(random, swarm, memory, last);
    case 'vfio.configWrite':
      return drawAfterConfigWrite(random, swarm, memory, last);
    case 'device.arm':
      return drawDisable(random, swarm, memory, last.device);
    case 'device.raise':
      return drawAfterRaise(random, swarm, memory, last.device);
    case 'device.assertIntx':
    case 'device.deassertIntx':
      return drawAfterPin(random, swarm, memory, last.device);
    case 'vfio.close':
      return drawAfterClose(random, memory, last.device);
    case 'vfio.open':
      return drawRequest(random, swarm, memory, last.device, 'arm', pick(random, AFTER_OPEN));
    case 'vfio.mapBar':
      return { kind: 'vfio.close', device: last.device };
    case 'vfio.unmapBar':
      return chance(random, 50) ? drawOpen(last.device) : drawEvent(random, memory, last.device);
    case 'vfio.tableWrite':
      return chance(random, 50)
        ? { kind: 'vfio.tableRead', device: last.device, vector: last.vector }
        : drawRaise(random, memory, last.device);
    case 'vfio.reset':
    case 'device.wipe':
      return drawAfterLoss(random, swarm, memory, last.device);
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return isUnmaskName(last.eventfd) ? drawAfterUnmasker(random, swarm, memory, last.kind) : undefined;
    case 'host.limitVectors':
    case 'host.failAllocation':
      return drawRequest(random, swarm, memory, drawDevice(random, memory), 'arm', pick(random, AFTER_LIMIT));
  }
}

/** The next owner of a device may ask for what the last one had, or for less. */
const AFTER_OPEN = ['again', 'fromZero'] as const;

const AFTER_LIMIT = ['fromZero', 'fromZero', 'fromZero', 'crossing'] as const;

function drawAfterSetIrqs(random: Random, swarm: Swarm, memory: Memory, last: VfioSetIrqs): RawOperation | undefined {
  const told = deviceMemory(memory, last.device);
  if (isDisable(last)) return drawAfterDisable(random, swarm, memory, last);
  // Refused for that alone: what is on has to be turned off first.
  if (told.enabled !== undefined && isOfOtherFamily(told, last) && chance(random, 70)) {
    return drawDisable(random, swarm, memory, last.device);
  }
  const { families } = deviceSwarm(swarm, last.device);
  if (told.enabled !== undefined && countOthers(families, told.enabled) > 0 && chance(random, 12)) {
    return drawRequest(
      random,
      swarm,
      memory,
      last.device,
      'arm',
      'fromZero',
      pickOther(random, families, told.enabled),
    );
  }
  // Asked for while the device could not: it is asked again when it can.
  const undo = undoOf(memory, last.device);
  if (undo !== undefined && chance(random, 40)) return undo;
  if (chance(random, told.attributes === 0 ? 4 : 15)) return drawTrouble(random, memory, last.device);
  if (last.index === VFIO_PCI_INTX_IRQ_INDEX) return drawAfterIntxRequest(random, swarm, memory, last);
  return drawAfterRequest(random, swarm, memory, last);
}

function isOfOtherFamily({ enabled }: DeviceMemory, { index }: VfioSetIrqs): boolean {
  const family = familyOf(index);
  return family !== undefined && family !== enabled;
}

/** Something that a device with triggers has to come through. */
function drawTrouble(random: Random, memory: Memory, device: number): RawOperation {
  const { pciFunction } = deviceMemory(memory, device);
  if (pciFunction.reset === true && chance(random, 30)) return { kind: 'vfio.reset', device };
  if (pciFunction.msixVectors > 0 && chance(random, 20)) return { kind: 'device.wipe', device };
  return drawUpset(random, memory, device);
}

const AFTER_DISABLE = ['raise', 'raise', 'again', 'info'] as const;

function drawAfterDisable(random: Random, swarm: Swarm, memory: Memory, { device, index }: VfioSetIrqs): RawOperation {
  const { families } = deviceSwarm(swarm, device);
  const off = familyOf(index);
  if (countOthers(families, off) > 0 && chance(random, 50)) {
    return drawRequest(random, swarm, memory, device, 'arm', 'fromZero', pickOther(random, families, off));
  }
  switch (pick(random, AFTER_DISABLE)) {
    case 'raise':
      return drawEvent(random, memory, device);
    case 'again':
      return drawAgain(random, swarm, memory, device);
    case 'info':
      return drawGetIrqInfo(random, swarm, memory, device);
  }
}

const AFTER_REQUEST = ['raise', 'raise', 'arm', 'disable', 'crossing'] as const;

function drawAfterRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  { device }: VfioSetIrqs,
): RawOperation | undefined {
  switch (pick(random, AFTER_REQUEST)) {
    case 'raise':
      return drawEvent(random, memory, device);
    case 'arm':
      return drawArm(random, memory, device);
    case 'disable':
      return drawDisable(random, swarm, memory, device);
    case 'crossing':
      return drawRequest(random, swarm, memory, device, pick(random, deviceSwarm(swarm, device).requests), 'crossing');
  }
}

function drawAfterIntxRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  last: VfioSetIrqs,
): RawOperation | undefined {
  const { device, flags, data } = last;
  const name = data.find(isEventfdName);
  if (attachesUnmask(last) && name !== undefined && chance(random, 40)) {
    return { kind: 'vfio.writeEventfd', eventfd: name };
  }
  if ((flags & VFIO_IRQ_SET_ACTION_MASK) !== 0 || chance(random, 60)) return drawEvent(random, memory, device);
  return drawAfterPin(random, swarm, memory, device);
}

const AFTER_PIN = ['unmask', 'unmask', 'pin', 'pin', 'arm', 'attach', 'upset'] as const;

/** What lets an event through that was held back, or through once more. */
function drawAfterPin(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation {
  const { asserted, descriptors, mappings } = deviceMemory(memory, device);
  if (descriptors === 0 && mappings > 0 && chance(random, 40)) return { kind: 'vfio.unmapBar', device };
  const then = pick(random, AFTER_PIN);
  switch (then) {
    case 'unmask':
    case 'arm':
    case 'attach':
      return drawIntx(random, swarm, memory, device, then);
    case 'pin':
      return asserted ? drawDeassertIntx(device) : drawAssertIntx(device);
    case 'upset':
      return undoOf(memory, device) ?? drawUpset(random, memory, device);
  }
}

/** About INTx where it is on; else what is on, or INTx at last. */
function drawIntx(random: Random, swarm: Swarm, memory: Memory, device: number, request: IntxRequest): RawOperation {
  const { enabled } = deviceMemory(memory, device);
  if (enabled === undefined) return drawIntxRequest(random, swarm, memory, device, 'arm');
  if (enabled !== 'intx') return drawRequest(random, swarm, memory, device, 'disable', 'empty');
  return drawIntxRequest(random, swarm, memory, device, request);
}

/** An event that waited, or that is told by an eventfd that has been closed. */
function drawAfterUnmasker(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  kind: 'vfio.writeEventfd' | 'vfio.closeEventfd',
): RawOperation | undefined {
  const device = memory.devices.findIndex(({ enabled }) => enabled === 'intx');
  if (device === -1) return undefined;
  if (chance(random, 40)) return drawEvent(random, memory, device);
  return drawIntxRequest(random, swarm, memory, device, kind === 'vfio.closeEventfd' ? 'attach' : 'unmask');
}

/** Pending while off or masked: the next trigger delivers it. */
function drawAfterRaise(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation {
  const { msix, descriptors, mappings } = deviceMemory(memory, device);
  if (descriptors === 0 && mappings > 0 && chance(random, 60)) return { kind: 'vfio.unmapBar', device };
  const undo = undoOf(memory, device);
  if (undo !== undefined && chance(random, 60)) return undo;
  if (msix.size > 0 && chance(random, 5)) return drawPbaRead(random, memory, device);
  return drawAgain(random, swarm, memory, device);
}

/** A mapping keeps the device as it is when the last descriptor is closed. */
function drawAfterClose(random: Random, memory: Memory, device: number): RawOperation {
  const { mappings } = deviceMemory(memory, device);
  if (mappings > 0 && chance(random, 20)) return { kind: 'vfio.unmapBar', device };
  return chance(random, mappings > 0 ? 20 : 50) ? drawOpen(device) : drawEvent(random, memory, device);
}

const AFTER_POWER_DOWN = ['fromZero', 'again', 'beyond'] as const;

const AFTER_INTX_DISABLE = ['unmask', 'mask', 'loopbackNone'] as const;

/** What was upset is seen by an event, and what was set right by the trigger that is given once more. */
function drawAfterConfigWrite(random: Random, swarm: Swarm, memory: Memory, last: VfioConfigWrite): RawOperation {
  const { device, field, value } = last;
  const { pciFunction } = deviceMemory(memory, device);
  switch (field) {
    case 'power':
      if (value === 0) return drawAgain(random, swarm, memory, device);
      return drawRequest(random, swarm, memory, device, 'arm', pick(random, AFTER_POWER_DOWN));
    case 'memory':
      return chance(random, 50) ? drawTableRead(random, memory, device) : drawAgain(random, swarm, memory, device);
    case 'intxDisable':
      return pciFunction.intx === undefined || chance(random, 60)
        ? drawEvent(random, memory, device)
        : drawIntx(random, swarm, memory, device, pick(random, AFTER_INTX_DISABLE));
    case 'busMaster':
    case 'msiEnable':
    case 'msixControl':
      return chance(random, 70) ? drawEvent(random, memory, device) : drawConfigRead(random, memory, device);
  }
}

/** What is left of the device: an event shows it, and a trigger that is given once more puts it back. */
function drawAfterLoss(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation {
  if (chance(random, 15)) return drawTableRead(random, memory, device);
  return chance(random, 60) ? drawEvent(random, memory, device) : drawAgain(random, swarm, memory, device);
}

/** Undefined where there is nothing to turn off, or where this scenario never does. */
function drawDisable(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation | undefined {
  if (deviceMemory(memory, device).enabled === undefined) return undefined;
  if (deviceSwarm(swarm, device).requestWeights.disable === 0) return undefined;
  return drawRequest(random, swarm, memory, device, 'disable', 'empty');
}

/** Gives the range armed last its triggers once more. */
function drawAgain(random: Random, swarm: Swarm, memory: Memory, device: number): RawOperation {
  return drawRequest(random, swarm, memory, device, 'arm', 'again');
}

function drawDevice(random: Random, memory: Memory): number {
  return random.nextInt(0, memory.devices.length - 1);
}
