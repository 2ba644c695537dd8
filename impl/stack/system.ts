import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  GUEST_KINDS,
  HarnessError,
  type PciFunction,
  type Readiness,
  type Scenario,
  type Support,
  type System,
  type SystemFactory,
  type Trace,
  type VmmTraits,
} from '#vocabulary';
import { debianKernel, INSTALL_COMMAND, isPrepared, missingPackages, RUN_PROGRAMS } from '../linux/kernels.ts';
import { Pool, pooledSystem } from '../qemu/pool.ts';
import { debianProgram } from '../qemu/programs.ts';
import { notReady } from '../qemu/system.ts';
import { compiled, PARTS, type Pair, pairOf, STACK_NAMES } from './artifacts.ts';
import { Machine } from './machine.ts';

/** There is each that has events for either kind of them while MSI-X is off. */
const FUNCTIONS: readonly PciFunction[] = [
  { msixVectors: 4, whileOff: 'latches' },
  { msixVectors: 10, whileOff: 'latches' },
  {
    msixVectors: 65,
    whileOff: 'latches',
    intx: true,
    express: true,
    reset: true,
    powerManagement: true,
    silent: true,
  },
];

/** Machines that run side by side: each keeps a processor busy, and waits now and then. */
const MACHINES = Math.min(4, availableParallelism());

/** A real QEMU on a real kernel: `stack:linux-6.1+qemu-7.2` and the other pairs. */
export function stackFactory(name: string): SystemFactory {
  return {
    name,
    readiness: () => readiness(name),
    start: async () => {
      const pair = pairOf(name);
      if (pair === undefined) throw new HarnessError(`${name} is not ready`);
      return stackSystem(name, pair);
    },
  };
}

function readiness(name: string): Readiness {
  const pair = pairOf(name);
  if (pair === undefined) return notReady(`there is no ${name}`, `name ${STACK_NAMES.join(', ')}`);
  const missing = missingPackages(RUN_PROGRAMS);
  if (missing.length > 0) return notReady(`${missing.join(', ')} is not installed`, INSTALL_COMMAND);
  if (!isPrepared(debianKernel(pair.kernel))) return notReady(`${pair.kernel} is not fetched`, INSTALL_COMMAND);
  if (debianProgram(pair.qemu) === undefined) return notReady(`${pair.qemu} is not fetched`, INSTALL_COMMAND);
  const parts = PARTS.filter((part) => !existsSync(compiled(part)));
  if (parts.length > 0) return notReady(`not compiled from this source: ${parts.join(', ')}`, INSTALL_COMMAND);
  return { ready: true };
}

/** Starts with a machine that is asked how it allocates: a system is told by what it does, never by its version. */
async function stackSystem(name: string, pair: Pair): Promise<System> {
  const pool = new Pool(name, { boot: () => Machine.boot(pair), keyOf: () => '', idleMax: MACHINES });
  try {
    return system(name, pool, traitsShown(await pool.run(PROBE)));
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** The guest enables MSI-X, every vector masked: strategies differ in nothing sooner. */
const PROBE: Scenario = {
  // The machine has its own host; what stands here is not looked at.
  config: {
    host: { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' },
    devices: FUNCTIONS.slice(0, 1),
  },
  operations: [{ kind: 'guest.msixControl', device: 0, enable: true, functionMask: false }],
};

function traitsShown({ steps }: Trace): VmmTraits {
  const calls = steps.flatMap((step) => step.calls ?? []);
  const elements = calls.flatMap((call) =>
    call.kind === 'vfio' && call.operation.kind === 'vfio.setIrqs' ? call.operation.data : [],
  );
  const delivery = 'userspace';
  if (elements.length > 1) return { allocation: 'all-at-enable', delivery };
  if (elements[0] === -1) return { allocation: 'as-irq-info-says', delivery };
  if (elements[0] !== undefined) return { allocation: 'vector-0-first', delivery };
  throw new HarnessError(`a QEMU that allocates like no known one: ${JSON.stringify(calls)}`);
}

function system(name: string, pool: Pool<Machine>, vmm: VmmTraits): System {
  const support: Support = {
    operations: new Set([...GUEST_KINDS, 'device.raise', 'device.arm']),
    functions: FUNCTIONS,
    withoutRemapping: false,
    vmm,
    harmedByHoles: true,
    devicesMax: 1,
    host: 'own',
  };
  return pooledSystem(name, pool, support, MACHINES);
}
