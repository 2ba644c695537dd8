import type { Random } from 'fast-check';
import type { Operation, VfioSetIrqs } from '#vocabulary';
import { drawArm, drawRaise } from './device.ts';
import type { Memory } from './memory.ts';
import { deviceMemory, isDisable } from './memory.ts';
import { chance, pick } from './random.ts';
import type { Swarm } from './swarm.ts';
import { drawGetIrqInfo, drawOpen, drawRequest } from './vfio.ts';

/**
 * An operation that makes something of the last one, or undefined: a disable for a device that is armed for the gap,
 * a raise while MSI-X is off, the same range again after it. Three or four operations that belong together
 * are too rare when each is drawn alone.
 */
export function drawFollowUp(random: Random, swarm: Swarm, memory: Memory): Operation | undefined {
  const operation = drawContinuation(random, swarm, memory);
  return operation !== undefined && swarm.isOn(operation.kind) ? operation : undefined;
}

function drawContinuation(random: Random, swarm: Swarm, memory: Memory): Operation | undefined {
  const { last } = memory;
  switch (last?.kind) {
    case undefined:
    case 'vfio.getIrqInfo':
    case 'vfio.closeEventfd':
      return undefined;
    case 'vfio.setIrqs':
      return isDisable(last)
        ? drawAfterDisable(random, swarm, memory, last)
        : drawAfterRequest(random, swarm, memory, last);
    case 'device.arm':
      return drawDisable(random, swarm, memory, last.device);
    case 'device.raise':
      // Pending while off or masked: the next trigger delivers it.
      return drawAgain(random, swarm, memory, last.device);
    case 'vfio.close':
      return chance(random, 50) ? drawOpen(last.device) : drawRaise(random, memory, last.device);
    case 'vfio.open':
      return drawAgain(random, swarm, memory, last.device);
    case 'host.limitVectors':
      return drawRequest(random, swarm, memory, drawDevice(random, memory), 'arm', 'fromZero');
  }
}

const AFTER_DISABLE = ['raise', 'raise', 'again', 'info'] as const;

function drawAfterDisable(random: Random, swarm: Swarm, memory: Memory, { device }: VfioSetIrqs): Operation {
  switch (pick(random, AFTER_DISABLE)) {
    case 'raise':
      return drawRaise(random, memory, device);
    case 'again':
      return drawAgain(random, swarm, memory, device);
    case 'info':
      return drawGetIrqInfo(random, swarm, device);
  }
}

const AFTER_REQUEST = ['raise', 'raise', 'arm', 'disable', 'crossing'] as const;

function drawAfterRequest(
  random: Random,
  swarm: Swarm,
  memory: Memory,
  { device }: VfioSetIrqs,
): Operation | undefined {
  switch (pick(random, AFTER_REQUEST)) {
    case 'raise':
      return drawRaise(random, memory, device);
    case 'arm':
      return drawArm(random, memory, device);
    case 'disable':
      return drawDisable(random, swarm, memory, device);
    case 'crossing':
      return drawRequest(random, swarm, memory, device, pick(random, swarm.requests), 'crossing');
  }
}

/** Undefined where there is nothing to turn off, or where this scenario never does. */
function drawDisable(random: Random, swarm: Swarm, memory: Memory, device: number): Operation | undefined {
  if (deviceMemory(memory, device).top === 0 || !swarm.asksFor('disable')) return undefined;
  return drawRequest(random, swarm, memory, device, 'disable', 'empty');
}

/** Gives the range armed last its triggers once more. */
function drawAgain(random: Random, swarm: Swarm, memory: Memory, device: number): Operation {
  return drawRequest(random, swarm, memory, device, 'arm', 'again');
}

function drawDevice(random: Random, memory: Memory): number {
  return random.nextInt(0, memory.devices.length - 1);
}
