import type { SystemFactory } from '#vocabulary';
import { initial, type Machine, observe, step } from '../model/machine.ts';
import { referenceSystem } from '../model/reference.ts';
import { linuxFactory } from './linux/system.ts';
import { mutantNamed } from './mutants/index.ts';
import { mutantSystem } from './mutants/mutant.ts';
import { optimisedSystem } from './optimised/system.ts';
import type { Kernel } from './qemu/kernel.ts';
import { isQemuName, qemuFactory } from './qemu/system.ts';
import { isStackName, STACK_NAMES } from './stack/artifacts.ts';
import { stackFactory } from './stack/system.ts';
import { isStdioName, stdioFactory } from './stdio/system.ts';

const IN_PROCESS: readonly SystemFactory[] = [
  { name: 'reference', readiness: () => ({ ready: true }), start: async () => referenceSystem() },
  { name: 'optimised', readiness: () => ({ ready: true }), start: async () => optimisedSystem() },
];

/** Real systems that go by a fixed name. */
const REAL = ['linux-6.1', 'linux-6.12', 'qemu-7.2', 'qemu-10.0'];
/** Those that need KVM, if only to make a virtual machine that never runs. */
const WITH_KVM = ['qemu-7.2/irqfd', 'qemu-10.0/irqfd'];

/** What `run` drives when no system is named: the implementation, and each real system. */
export const DEFAULT_SYSTEMS: readonly string[] = ['optimised', ...REAL];

/** Every system that has a name of its own. */
export const SYSTEM_NAMES: readonly string[] = [
  ...IN_PROCESS.map(({ name }) => name),
  ...REAL,
  ...WITH_KVM,
  ...STACK_NAMES,
];

/**
 * The system of a name, or undefined where there is none of that name.
 * @param modules folder with the modules of a kernel image, for `linux:PATH`
 */
export function systemFactory(name: string, modules?: string): SystemFactory | undefined {
  if (isStackName(name)) return stackFactory(name);
  if (isStdioName(name)) return stdioFactory(name);
  if (isQemuName(name)) return qemuFactory(name, modelledKernel);
  if (REAL.includes(name) || /^linux:./.test(name)) return linuxFactory(name, modules === undefined ? {} : { modules });
  return IN_PROCESS.find((factory) => factory.name === name) ?? mutantFactory(name);
}

/** A mutant, `mutant:ID`. */
function mutantFactory(name: string): SystemFactory | undefined {
  const [kind, id = ''] = name.split(':');
  const mutant = kind === 'mutant' ? mutantNamed(id) : undefined;
  if (mutant === undefined) return undefined;
  return { name, readiness: () => ({ ready: true }), start: async () => mutantSystem(mutant) };
}

/** The reference as the kernel below a real VMM. */
function modelledKernel(): Kernel {
  let machine: Machine | undefined;
  return {
    start: (config) => {
      machine = initial(config);
      return observe(machine);
    },
    perform: (operation) => {
      if (machine === undefined) throw new Error('the kernel was not started');
      return step(machine, operation);
    },
  };
}
