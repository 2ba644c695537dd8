import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import {
  GUEST_KINDS,
  HarnessError,
  type PciFunction,
  type Precision,
  REGISTERS_MASK,
  type Readiness,
  type Scenario,
  type Support,
  type System,
  type SystemFactory,
  type Trace,
  VECTOR_STATE_MASK,
  type VmmTraits,
} from '#vocabulary';
import { debianKernel, INSTALL_COMMAND, isPrepared, missingPackages, RUN_PROGRAMS } from '../linux/kernels.ts';
import { seesMessage } from '../qemu/pci-devices.ts';
import { debianProgram } from '../qemu/programs.ts';
import { compiled, PARTS, type Pair, pairOf, STACK_NAMES } from './artifacts.ts';
import { Machine } from './machine.ts';

/** No function has MSI, so there is nothing to see of that. */
const PRECISION: Precision = {
  vectorState: VECTOR_STATE_MASK,
  messageControl: true,
  registers: REGISTERS_MASK,
  seesMessage,
};

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

function notReady(reason: string, command: string): Readiness {
  return { ready: false, reason, command };
}

/** Starts with a machine that is asked how it allocates: a system is told by what it does, never by its version. */
async function stackSystem(name: string, pair: Pair): Promise<System> {
  const pool = new Pool(name, () => Machine.boot(pair));
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

function system(name: string, pool: Pool, vmm: VmmTraits): System {
  const support: Support = {
    operations: new Set([...GUEST_KINDS, 'device.raise', 'device.arm']),
    functions: FUNCTIONS,
    withoutRemapping: false,
    vmm,
    harmedByHoles: true,
    devicesMax: 1,
    host: 'own',
  };
  return {
    name,
    precision: PRECISION,
    support,
    atOnce: MACHINES,
    run: async (scenario) => {
      if (!isDeepStrictEqual(scenario.config.vmm, vmm))
        throw new HarnessError(
          `${name} is ${JSON.stringify(vmm)}, asked was ${JSON.stringify(scenario.config.vmm ?? 'no VMM')}`,
        );
      return pool.run(scenario);
    },
    close: () => pool.close(),
  };
}

/** One machine for each scenario that runs at the time, started when it is first needed. */
class Pool {
  readonly #name: string;
  readonly #boot: () => Promise<Machine>;
  readonly #idle: Machine[] = [];
  readonly #running = new Set<Machine>();
  readonly #boots = new Set<Promise<Machine>>();
  #isClosed = false;

  constructor(name: string, boot: () => Promise<Machine>) {
    this.#name = name;
    this.#boot = boot;
  }

  async run(scenario: Scenario): Promise<Trace> {
    const machine = await this.#take();
    let isDone = false;
    try {
      const trace = await machine.run(scenario);
      isDone = true;
      return trace;
    } finally {
      // One that died, or that said what nobody understands, is not used again.
      if (isDone && !machine.hasEnded) this.#idle.push(machine);
      else {
        this.#running.delete(machine);
        await machine.end();
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // One that is being started is not running yet, and would be left behind.
    await Promise.allSettled(this.#boots);
    await Promise.all([...this.#running].map((machine) => machine.end()));
  }

  async #take(): Promise<Machine> {
    if (this.#isClosed) throw new HarnessError(`${this.#name} was asked after it was closed`);
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const booting = this.#boot();
    this.#boots.add(booting);
    try {
      const machine = await booting;
      this.#running.add(machine);
      return machine;
    } finally {
      this.#boots.delete(booting);
    }
  }
}
