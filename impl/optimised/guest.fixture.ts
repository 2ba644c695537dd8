import type { Config, HostTraits, PciFunction, Step, VmmTraits } from '#vocabulary';
import { parseOperation, printCall, printChanges, printEvent, printOutcome } from '#vocabulary';
import { B_STATIC, B as DYNAMIC, A as OLD } from './answer.fixture.ts';
import { OptimisedMachine } from './machine.ts';

// What the tests of guests are written with. Calls have the short names of qemu-vfio.md, section 1.

export const DEVICE: PciFunction = { msixVectors: 8, whileOff: 'drops', intx: true, reset: true };

type Allocation = VmmTraits['allocation'];
const shown =
  (allocation: Allocation, host: HostTraits, delivery: VmmTraits['delivery']) =>
  (device: PciFunction = DEVICE): Config => ({ host, vmm: { allocation, delivery }, devices: [device] });

// Strategy, then delivery: U by the VMM itself, K by KVM.
export const AU = shown('vector-0-first', OLD, 'userspace');
export const AK = shown('vector-0-first', OLD, 'irqfd');
export const A_DYNAMIC = shown('vector-0-first', DYNAMIC, 'userspace');
export const BU = shown('as-irq-info-says', B_STATIC, 'userspace');
export const BK = shown('as-irq-info-says', B_STATIC, 'irqfd');
export const CU = shown('as-irq-info-says', DYNAMIC, 'userspace');
export const CK = shown('as-irq-info-says', DYNAMIC, 'irqfd');
export const DU = shown('all-at-enable', DYNAMIC, 'userspace');
export const DK = shown('all-at-enable', DYNAMIC, 'irqfd');
export type Shown = typeof AU;

const call = (index: string, flags: string, range: string, data: string, outcome: string): string =>
  `vfio.setIrqs ${index} ${flags} ${range} [${data}]: ${outcome}`;
export const dis = (outcome = 'ok'): string => call('MSIX', 'NONE|TRIGGER', '0+0', '', outcome);
export const blk = (data: string, outcome = 'ok'): string =>
  call('MSIX', 'EVENTFD|TRIGGER', `0+${data.split(' ').length}`, data, outcome);
export const set = (vector: number, data: string, outcome = 'ok'): string =>
  call('MSIX', 'EVENTFD|TRIGGER', `${vector}+1`, data, outcome);
export const DIS = dis();
export const EN0 = set(0, '-1');
export const IDIS = call('INTX', 'NONE|TRIGGER', '0+0', '', 'ok');
export const ISET = call('INTX', 'EVENTFD|TRIGGER', '0+1', 'intx', 'ok');
export const ISET_FAILS = call('INTX', 'EVENTFD|TRIGGER', '0+1', 'intx', 'ENOSPC');
const IM = call('INTX', 'NONE|MASK', '0+1', '', 'ok');
const IU = call('INTX', 'NONE|UNMASK', '0+1', '', 'ok');
const IUE = call('INTX', 'EVENTFD|UNMASK', '0+1', 'resample', 'ok');
export const INTX_DOWN_K = [IM, 'kvm.irqfd intx deassign', IU, IDIS];
export const INTX_UP_K = [ISET, IM, 'kvm.irqfd intx assign', IUE, IU];
export const RESET = 'vfio.reset: ok';
export const ROUTES = 'kvm.setGsiRouting';
export const assign = (eventfd: string): string => `kvm.irqfd ${eventfd} assign`;
export const deassign = (eventfd: string): string => `kvm.irqfd ${eventfd} deassign`;

export const ENABLE = 'guest.msixControl enable';
export const ENABLE_MASKED = 'guest.msixControl enable function-mask';
export const DISABLE = 'guest.msixControl disable';
export const unmask = (...vectors: readonly number[]): string[] => vectors.map((vector) => `guest.unmask ${vector}`);
export const mask = (...vectors: readonly number[]): string[] => vectors.map((vector) => `guest.mask ${vector}`);
export const raise = (vector: number): string => `device.raise ${vector}`;

export function steps(config: Config, ...lines: readonly string[]): readonly Step[] {
  return structuredClone(new OptimisedMachine().run({ config, operations: lines.map(parseOperation) }).steps);
}

/** The calls of the last operation. */
export function calls(config: Config, ...lines: readonly string[]): readonly string[] {
  return steps(config, ...lines)
    .slice(-1)
    .flatMap((step) => (step.calls ?? [{ kind: 'kvm.irqfd', eventfd: 'e0', assign: true }]).map(printCall));
}

/** The calls of the last `count` operations. */
export function lastCalls(count: number, config: Config, ...lines: readonly string[]): readonly (readonly string[])[] {
  return steps(config, ...lines)
    .slice(-count)
    .map((step) => (step.calls ?? []).map(printCall));
}

/** What the guest and the function saw of the last operation: `outcome | events`. */
export function seen(config: Config, ...lines: readonly string[]): string {
  const step = steps(config, ...lines).at(-1);
  if (step === undefined) throw new Error('no operation');
  return [printOutcome(step.outcome), ...step.events.map(printEvent)].join(' | ');
}

/** What the guest can read of its device after some steps: `on masked 0-2 unmasked; 3 pending`. */
export function reads(config: Config, ...lines: readonly string[]): string {
  const done = steps(config, ...lines);
  const states = new Map(done.flatMap((step) => step.observation[0]?.guest?.changes ?? []).map((c) => [c.vector, c]));
  const last = done.at(-1)?.observation[0];
  if (last?.guest === undefined) throw new Error('no guest');
  const { enable, functionMask } = last.guest;
  const changes = [...states.values()].filter((c) => c.state !== 0).sort((a, b) => a.vector - b.vector);
  return `${enable ? 'on' : 'off'}${functionMask ? ' masked' : ''} ${printChanges({ ...last, changes })}`.trimEnd();
}
