import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  type Config,
  GUEST_KINDS,
  HarnessError,
  type PciFunction,
  type Readiness,
  type Support,
  type System,
  type SystemFactory,
  type VmmTraits,
} from '#vocabulary';
import { INSTALL_COMMAND } from '../linux/kernels.ts';
import type { Kernel } from './kernel.ts';
import { whyNoKvm } from './kvm.ts';
import { Machine } from './machine.ts';
import { Pool, pooledSystem } from './pool.ts';
import { DEBIAN_QEMUS, debianProgram, programAt, shimPath, sysfsFolder } from './programs.ts';
import type { Accelerator, Program } from './qemu.ts';
import { HOLE_PROBE, isHarmedByHoles, PROBE, probeConfig, traitsShown } from './vmm.ts';

/** A few shapes, as each takes a QEMU of its own; both kinds of event while off, as that is the kernel's affair. */
const FUNCTIONS: readonly PciFunction[] = [
  { msixVectors: 4, whileOff: 'latches', intx: true, reset: true },
  { msixVectors: 10, whileOff: 'latches', intx: true, reset: true },
  { msixVectors: 10, whileOff: 'latches' },
  { msixVectors: 10, whileOff: 'latches', reset: true },
  { msixVectors: 10, whileOff: 'latches', intx: true },
  { msixVectors: 64, whileOff: 'latches', intx: true, reset: true },
];

const OPERATIONS: Support['operations'] = new Set([
  ...GUEST_KINDS,
  'device.raise',
  'device.arm',
  'host.limitVectors',
  'host.failAllocation',
]);

/** Scenarios at once. QEMU and we take turns, so one more than processors would only wait. */
const AT_ONCE = Math.min(4, availableParallelism());
/** QEMUs that are kept, for other functions and hosts than those of the moment. */
const IDLE_MAX = 12;

const IRQFD = '/irqfd';

/** Whether a name is that of a QEMU: `qemu-7.2`, `qemu:PATH`, each with `/irqfd` behind it or not. */
export function isQemuName(name: string): boolean {
  return /^qemu:./.test(name) || Object.hasOwn(DEBIAN_QEMUS, name.replace(IRQFD, ''));
}

/**
 * A real QEMU on a kernel of ours.
 * @param makeKernel makes a kernel for each QEMU
 */
export function qemuFactory(name: string, makeKernel: () => Kernel): SystemFactory {
  const accelerator: Accelerator = name.endsWith(IRQFD) ? 'kvm' : 'tcg';
  const plain = accelerator === 'kvm' ? name.slice(0, -IRQFD.length) : name;
  return {
    name,
    readiness: () => readiness(plain, accelerator),
    start: async () => {
      const program = programOf(plain);
      if (program === undefined) throw new HarnessError(`${name} is not ready`);
      return qemuSystem(name, (config) => Machine.start(program, accelerator, makeKernel(), config), accelerator);
    },
  };
}

function programOf(name: string): Program | undefined {
  return name.startsWith('qemu:') ? programAt(name.slice('qemu:'.length)) : debianProgram(name);
}

function readiness(name: string, accelerator: Accelerator): Readiness {
  if (name.startsWith('qemu:') && !existsSync(name.slice('qemu:'.length)))
    return notReady(`${name.slice('qemu:'.length)} is not there`, 'name a qemu-system-x86_64 that is');
  const program = programOf(name);
  if (program === undefined) return notReady(`QEMU ${name.slice('qemu-'.length)} is not fetched`, INSTALL_COMMAND);
  if (!existsSync(shimPath()) || !existsSync(sysfsFolder()))
    return notReady('the shim is not compiled from this source', INSTALL_COMMAND);
  const refusal = accelerator === 'kvm' ? whyNoKvm(program) : undefined;
  if (refusal !== undefined)
    return notReady(`KVM makes no virtual machine here: ${refusal}`, 'run on a machine with KVM');
  return { ready: true };
}

export function notReady(reason: string, command: string): Readiness {
  return { ready: false, reason, command };
}

type Boot = (config: Config) => Promise<Machine>;

/** Starts with a QEMU that is asked how it allocates: a system is told by what it does, never by its version. */
async function qemuSystem(name: string, boot: Boot, accelerator: Accelerator): Promise<System> {
  const pool = new Pool(name, { boot, keyOf, idleMax: IDLE_MAX });
  try {
    const shown = await pool.run({ config: probeConfig(), operations: PROBE.operations });
    const overHole = await pool.run({ config: probeConfig(), operations: HOLE_PROBE });
    return system(name, pool, traitsShown(shown, accelerator), isHarmedByHoles(overHole));
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function system(name: string, pool: Pool<Machine>, vmm: VmmTraits, harmedByHoles: boolean): System {
  const support: Support = {
    operations: OPERATIONS,
    functions: FUNCTIONS,
    withoutRemapping: false,
    vmm,
    ...(harmedByHoles ? { harmedByHoles } : {}),
    devicesMax: 1,
    host: 'configured',
  };
  return pooledSystem(name, pool, support, AT_ONCE);
}

/** QEMUs go by their function, and by whether the host told them that it can add vectors. */
function keyOf({ host, devices }: Config): string {
  const [device] = devices;
  if (device === undefined || devices.length !== 1) throw new HarnessError('a QEMU of ours has exactly one device');
  return JSON.stringify([device.msixVectors, device.intx === true, device.reset === true, host.dynamicMsix]);
}
