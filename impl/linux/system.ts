import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type Config,
  HarnessError,
  type PciFunction,
  type Precision,
  RAW_KINDS,
  REGISTERS_MASK,
  type Readiness,
  type Scenario,
  type Step,
  type Support,
  type System,
  type SystemFactory,
  type Trace,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { Raises } from '../raises.ts';
import { initramfs } from './initramfs.ts';
import {
  agentPath,
  DEBIAN_KERNELS,
  debianKernel,
  INSTALL_COMMAND,
  isPrepared,
  type Kernel,
  missingPackages,
  RUN_PROGRAMS,
  UNPACK_PROGRAMS,
} from './kernels.ts';
import { prepareUserKernel } from './prepare.ts';
import { type Answer, decodeAnswer, encodeScenario, eventfdsOf, expectDone } from './protocol.ts';
import { bootVm, DEVICES, type Said, type Vm } from './vm.ts';

const PRECISION: Precision = { vectorState: VECTOR_STATE_MASK, messageControl: true, registers: REGISTERS_MASK };

const SUPPORT: Support = {
  operations: new Set(RAW_KINDS.filter((kind) => kind !== 'host.failAllocation')),
  functions: DEVICES,
  withoutRemapping: true,
  vmm: 'none',
  devicesMax: 2,
  host: 'own',
};

/** Time without an answer after which a machine counts as hung. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * A real kernel: `linux-6.1`, `linux-6.12`, or `linux:PATH` with a Debian package or an image.
 * @param options.modules folder with the modules of an image
 */
export function linuxFactory(name: string, options: { readonly modules?: string } = {}): SystemFactory {
  return {
    name,
    readiness: () => readiness(name, pathOf(name), options.modules),
    start: async () => {
      const boot = machineOf(name, options);
      return linuxSystem(name, (remapping) => boot(remapping, 1));
    },
  };
}

/** What boots a kernel, which is ready. */
export function machineOf(
  name: string,
  options: { readonly modules?: string },
): (remapping: boolean, processors: number) => Promise<Vm> {
  const path = pathOf(name);
  const kernel = path === undefined ? debianKernel(name) : prepareUserKernel(path, options.modules);
  const initrd = writtenInitramfs(kernel);
  return (remapping, processors) => bootVm(join(kernel.folder, 'vmlinuz'), initrd, remapping, processors);
}

function pathOf(name: string): string | undefined {
  return name.startsWith('linux:') ? name.slice('linux:'.length) : undefined;
}

function readiness(name: string, path: string | undefined, modules: string | undefined): Readiness {
  const missing = missingPackages(path === undefined ? RUN_PROGRAMS : { ...RUN_PROGRAMS, ...UNPACK_PROGRAMS });
  if (path === undefined && DEBIAN_KERNELS[name] === undefined)
    return notReady(`no kernel is called ${name}`, `name ${Object.keys(DEBIAN_KERNELS).join(', ')} or linux:PATH`);
  if (path !== undefined && !existsSync(path))
    return notReady(`${path} is not there`, 'name a kernel .deb or image that is');
  if (path !== undefined && !path.endsWith('.deb') && modules === undefined)
    return notReady(`${path} is an image without modules`, 'name the folder of its modules with --modules DIR');
  if (modules !== undefined && !existsSync(modules))
    return notReady(`${modules} is not there`, 'name a folder of modules that is');
  if (missing.length > 0) return notReady(`${missing.join(', ')} is not installed`, INSTALL_COMMAND);
  if (path === undefined && !isPrepared(debianKernel(name)))
    return notReady(`${DEBIAN_KERNELS[name]} is not fetched`, INSTALL_COMMAND);
  if (!existsSync(agentPath())) return notReady('the agent is not compiled from this source', INSTALL_COMMAND);
  return { ready: true };
}

function notReady(reason: string, command: string): Readiness {
  return { ready: false, reason, command };
}

/** Machines that run side by side: each keeps a processor busy, and waits now and then. */
const MACHINES = Math.min(4, availableParallelism());

/**
 * One machine for each scenario that runs at the time, and others for those without interrupt remapping; each is
 * started when it is first needed, and a new one after a crash.
 * @param boot starts a machine
 */
export async function linuxSystem(name: string, boot: (remapping: boolean) => Promise<Vm>): Promise<System> {
  const idle = { remapping: [await boot(true)], bare: [] as Vm[] };
  const running = new Set(idle.remapping);
  const boots = new Set<Promise<Vm>>();
  let closed = false;
  const take = async (remapping: boolean): Promise<Vm> => {
    if (closed) throw new HarnessError(`${name} was asked after it was closed`);
    const waiting = (remapping ? idle.remapping : idle.bare).pop();
    if (waiting !== undefined) return waiting;
    const booting = boot(remapping);
    boots.add(booting);
    try {
      const vm = await booting;
      running.add(vm);
      return vm;
    } finally {
      boots.delete(booting);
    }
  };
  const attempt = async (scenario: Scenario, eachAtOnce: boolean): Promise<Trace> => {
    const remapping = scenario.config.interruptRemapping ?? true;
    const vm = await take(remapping);
    let trace: Trace | undefined;
    try {
      trace = await runOn(vm, scenario, eachAtOnce);
      return trace;
    } finally {
      // A machine that died, or that said what nobody understands, is not used again.
      if (trace === undefined || trace.lastWords !== undefined) {
        running.delete(vm);
        await vm.end();
      } else (remapping ? idle.remapping : idle.bare).push(vm);
    }
  };
  return {
    name,
    precision: PRECISION,
    support: SUPPORT,
    atOnce: MACHINES,
    run: async (scenario) => {
      const trace = await attempt(scenario, false);
      if (trace.lastWords === undefined) return trace;
      // Answers come in batches, so a crash takes some with it: the second time they come one by one.
      const again = await attempt(scenario, true);
      return again.lastWords === undefined ? trace : again;
    },
    close: async () => {
      closed = true;
      // One that is being started is not running yet, and would be left behind.
      await Promise.allSettled(boots);
      await Promise.all([...running].map((vm) => vm.end()));
    },
  };
}

/** QEMU reads the initramfs from a file; it is made once for each kernel and agent. */
function writtenInitramfs(kernel: Kernel): string {
  const agent = agentPath();
  const file = join(kernel.folder, `initramfs-${agent.slice(-12)}.gz`);
  if (existsSync(file)) return file;
  mkdirSync(kernel.folder, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, initramfs(kernel, agent));
  renameSync(unfinished, file);
  return file;
}

async function runOn(vm: Vm, scenario: Scenario, eachAtOnce: boolean): Promise<Trace> {
  const eventfds = eventfdsOf(scenario);
  const answer = (text: string): Answer => decodeAnswer(text, scenario.config.devices.length, eventfds);
  const raises = new Raises(scenario.config);
  vm.send(encodeScenario(scenario, slotsFor(scenario.config), eachAtOnce));
  const first = await vm.line(ANSWER_TIMEOUT_MS);
  if (first.kind !== 'line') throw new HarnessError(`the agent did not begin a scenario\n${vm.lastWords()}`);
  const { observation: initial } = answer(first.text);
  const steps: Step[] = [];
  for (const operation of scenario.operations) {
    const said = await vm.line(ANSWER_TIMEOUT_MS);
    if (said.kind !== 'line')
      return { initial, steps: [...steps, lastStep(said)], lastWords: vm.lastWords() || 'none' };
    const { outcome, signalled, observation } = answer(said.text);
    steps.push({ outcome, events: [...raises.follow(operation, outcome), ...signalled], observation, clauses: [] });
  }
  const done = await vm.line(ANSWER_TIMEOUT_MS);
  if (done.kind === 'line') expectDone(done.text);
  else if (steps.length === 0) throw new HarnessError(`the agent did not end a scenario\n${vm.lastWords()}`);
  else {
    // All was answered, and the kernel died of closing it all: the last operation is the last that it survived.
    const lastWords = `after the last operation, while everything was closed:\n${vm.lastWords() || 'none'}`;
    return { initial, steps: [...steps.slice(0, -1), lastStep(done)], lastWords };
  }
  return { initial, steps };
}

function lastStep(said: Exclude<Said, { kind: 'line' }>): Step {
  const reason = said.kind === 'ended' ? 'crash' : 'time-out';
  return { outcome: { kind: 'unknown', reason }, events: [], observation: [], clauses: [] };
}

/** A device of its own for each of the Config. What it does while MSI-X is off is up to the agent. */
function slotsFor({ devices }: Config): readonly number[] {
  const taken: number[] = [];
  for (const device of devices) {
    const wanted: PciFunction = { ...device, whileOff: 'latches' };
    const slot = DEVICES.findIndex((found, place) => isDeepStrictEqual(found, wanted) && !taken.includes(place));
    if (slot === -1)
      throw new HarnessError(
        `the virtual machine has no further device ${printFunction(wanted)}; it has ` +
          DEVICES.map(printFunction).join(', '),
      );
    taken.push(slot);
  }
  return taken;
}

/** `msixVectors=10 intx` */
function printFunction({ whileOff, ...shape }: PciFunction): string {
  return Object.entries(shape)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .join(' ');
}
