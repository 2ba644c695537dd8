import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { HarnessError, type PciFunction } from '#vocabulary';
import { keepLastLines } from './last-words.ts';

/** A virtual machine with the agent in it. */
export interface Vm {
  send(text: string): void;
  /** The next line from the agent; how the machine ended, if it did; or that nothing came in time. */
  line(timeoutMs: number): Promise<Said>;
  /** The last lines of the console and of QEMU. */
  lastWords(): string;
  /** Ends the machine, and returns when it is gone. */
  end(): Promise<void>;
}

export type Said =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'ended' }
  | { readonly kind: 'silent' };

const BOOT_TIMEOUT_MS = 60_000;

const ROCKER_VECTORS: readonly number[] = [4, 4, 10, 10, 36, 36, 66, 66];
const HOLDER_VECTORS: readonly number[] = [128, 128];

const EDU: PciFunction = { msixVectors: 0, whileOff: 'latches', msiVectors: 1, intx: true };
const NVME: PciFunction = {
  msixVectors: 65,
  whileOff: 'latches',
  intx: true,
  express: true,
  reset: true,
  powerManagement: true,
  silent: true,
};
const XHCI: PciFunction = {
  msixVectors: 0,
  whileOff: 'latches',
  msiVectors: 16,
  intx: true,
  express: true,
  silent: true,
};

/** The devices that scenarios use, in the order of their slots. */
export const DEVICES: readonly PciFunction[] = [
  ...[EDU, EDU, NVME, XHCI],
  ...ROCKER_VECTORS.map((msixVectors): PciFunction => ({ msixVectors, whileOff: 'latches' })),
];

/** Slots 4 to 7 have an interrupt line each, on which no driver listens. Nvme needs a disk to be there at all. */
const OTHER_DEVICES: readonly string[] = [
  ...['-device', 'edu,addr=4.0', '-device', 'edu,addr=5.0'],
  ...['-blockdev', 'driver=null-co,node-name=disk,size=1048576', '-device', 'nvme,serial=1,drive=disk,addr=6.0'],
  ...['-device', 'nec-usb-xhci,msi=on,msix=off,addr=7.0'],
];

/** Rocker has 4 vectors and 2 for each port. */
function rockers(): string[] {
  return [...ROCKER_VECTORS, ...HOLDER_VECTORS].flatMap((vectors, place) => [
    '-device',
    `rocker,len-ports=${(vectors - 4) / 2},name=sw${place},addr=${(0x10 + place).toString(16)}.0`,
  ]);
}

/** What the agent found in a slot, in the order in which its ready line tells it. */
function foundFunction(shape: string): PciFunction {
  const [msixVectors = 0, msiVectors = 0, intx, express, reset, powerManagement, silent] = shape.split(',').map(Number);
  return {
    msixVectors,
    whileOff: 'latches',
    ...(msiVectors === 0 ? {} : { msiVectors }),
    ...(intx === 1 ? { intx: true } : {}),
    ...(express === 1 ? { express: true } : {}),
    ...(reset === 1 ? { reset: true } : {}),
    ...(powerManagement === 1 ? { powerManagement: true } : {}),
    ...(silent === 1 ? { silent: true } : {}),
  };
}

/**
 * An oops or a WARN of the kernel is a finding, so it ends the machine.
 * Nobody attacks this machine, and every hardening costs emulated instructions.
 */
const KERNEL_OPTIONS: readonly string[] = [
  ...['console=ttyS0', 'quiet', 'loglevel=3', 'panic=-1', 'oops=panic', 'panic_on_warn=1', 'intel_iommu=on'],
  ...['mitigations=off', 'init_on_alloc=0', 'hardened_usercopy=off', 'randomize_kstack_offset=off', 'nokaslr'],
  ...['lsm=capability', 'audit=0', 'nowatchdog', 'no_timer_check', 'rcupdate.rcu_expedited=1'],
  // Our mappings of the BARs, through sysfs, last while vfio-pci uses the same BAR.
  'iomem=relaxed',
  // These drivers may be built in, and would take devices that are for vfio-pci.
  'initcall_blacklist=nvme_init,xhci_pci_init',
];

/**
 * Boots a kernel under TCG.
 * @param remapping whether the IOMMU remaps interrupts
 * @param processors 1 for scenarios: with more, an event is not always visible to the read that follows it
 */
export async function bootVm(image: string, initrd: string, remapping: boolean, processors: number): Promise<Vm> {
  const child = startQemu(image, initrd, remapping, processors);
  const words = keepLastLines(child);
  const channel = child.stdio[3] as Duplex;
  const lines = readLines(child, channel);
  const end = (): Promise<void> => endOf(child);
  const said = await lines(BOOT_TIMEOUT_MS);
  if (said.kind !== 'line' || !said.text.startsWith('R ')) {
    await end();
    const what =
      said.kind === 'line'
        ? said.text
        : said.kind === 'ended'
          ? 'it ended'
          : `no ready line within ${BOOT_TIMEOUT_MS / 1000} s`;
    throw new HarnessError(`the virtual machine did not start: ${what}\n${words()}`);
  }
  const found = said.text.split(' ').slice(2).map(foundFunction);
  if (!isDeepStrictEqual(found, DEVICES)) {
    await end();
    throw new HarnessError(`the virtual machine has ${JSON.stringify(found)}, not ${JSON.stringify(DEVICES)}`);
  }
  return {
    send: (text) => void channel.write(text),
    line: lines,
    lastWords: words,
    end,
  };
}

/** The machine itself: its console is the output of the process, and the agent's line its fourth descriptor. */
export function startQemu(image: string, initrd: string, remapping: boolean, processors: number): ChildProcess {
  const qemu = [
    ...[
      'qemu-system-x86_64',
      '-nodefaults',
      '-no-user-config',
      '-machine',
      'q35',
      '-accel',
      'tcg,tb-size=256',
      '-cpu',
      'max',
    ],
    ...['-smp', String(processors), '-m', '128', '-display', 'none', '-no-reboot'],
    ...['-device', `intel-iommu,intremap=${remapping ? 'on' : 'off'}`],
    ...['-kernel', image, '-initrd', initrd],
    ...['-append', KERNEL_OPTIONS.join(' ')],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    // The descriptor is one end of a socket pair that Node made.
    ...['-chardev', 'socket,id=agent,fd=3', '-device', 'virtio-serial-pci,addr=1e.0'],
    ...['-device', 'virtserialport,chardev=agent,name=agent'],
    ...OTHER_DEVICES,
    ...rockers(),
  ];
  // The machine dies with us, however we die.
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...qemu], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Out of our process group: Ctrl-C is for us, and the machine is ended when we are done.
    detached: true,
  });
}

function readLines(child: ChildProcess, channel: Duplex): Vm['line'] {
  const waiting: string[] = [];
  let rest = '';
  let ended = false;
  let wake: () => void = () => undefined;
  channel.setEncoding('latin1');
  channel.on('data', (data: string) => {
    const parts = `${rest}${data}`.split('\n');
    rest = parts.pop() ?? '';
    waiting.push(...parts);
    wake();
  });
  const finish = (): void => {
    ended = true;
    wake();
  };
  channel.on('error', finish);
  child.on('error', finish);
  child.on('exit', finish);
  return async (timeoutMs) => {
    let silent = false;
    while (waiting.length === 0 && !ended && !silent) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          silent = true;
          resolve();
        }, timeoutMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const text = waiting.shift();
    if (text !== undefined) return { kind: 'line', text };
    return ended ? { kind: 'ended' } : { kind: 'silent' };
  };
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
