import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { HarnessError } from '#vocabulary';
import { keepLastLines, LAST_LINES } from '../linux/last-words.ts';
import { compiled } from './artifacts.ts';
import { Client, Ended, onLines } from './lines.ts';

/** A device of the outer machine that vfio-pci has. */
export interface FoundDevice {
  /** On the PCI bus of the outer machine. */
  readonly address: string;
  readonly vectors: number;
  /** What becomes of its events while MSI-X is off; `silent` for one that has none. */
  readonly events: 'latched' | 'dropped' | 'silent';
}

/** In the order in which the agent numbers them. */
const EVENTS: readonly FoundDevice['events'][] = ['latched', 'dropped', 'silent'];

/** What is seen of the hardware of a device. */
export interface PhysicalSight {
  readonly messageControl: number;
  /** INTX_DISABLE, INTX_STATUS and INTX_HANDLER, added up. */
  readonly registers: number;
  /** By vector: ALLOCATED, ARMED, UNMASKED, PENDING and ADDRESS_0, added up. */
  readonly states: readonly number[];
}

const BOOT_TIMEOUT_MS = 60_000;

/**
 * Table sizes of the devices: rockers keep an event while MSI-X is off, ivshmems forget it. The last ivshmem is the
 * agent's own.
 */
const ROCKER_VECTORS: readonly number[] = [4, 10];
const IVSHMEM_VECTORS: readonly number[] = [4, 10, 1];
const FIRST_SLOT = 0x10;
/** Has an interrupt pin, a reset and 65 vectors, and no event that anyone could cause. It needs a disk to be there. */
const NVME: readonly string[] = [
  ...['-blockdev', 'driver=null-co,node-name=disk,size=1048576', '-device', 'nvme,serial=1,drive=disk,addr=7.0'],
];
/** Devices that inner QEMUs can have; each has two ports. */
const DEVICES = 1 + ROCKER_VECTORS.length + IVSHMEM_VECTORS.length - 1;
/** Descriptors of the outer QEMU: the agent's channel, then two for each device; and sockets of the launcher's. */
const FIRST_CHANNEL = 3;
const CHANNELS = 1 + 2 * DEVICES;
const FIRST_DOORBELL = 200;

/** An oops or a WARN of the kernel is a finding, so it ends the machine. Nobody attacks this machine. */
const KERNEL_OPTIONS: readonly string[] = [
  ...['console=ttyS0', 'quiet', 'loglevel=3', 'panic=-1', 'oops=panic', 'panic_on_warn=1', 'intel_iommu=on'],
  ...['mitigations=off', 'init_on_alloc=0', 'hardened_usercopy=off', 'randomize_kstack_offset=off', 'nokaslr'],
  ...['lsm=capability', 'audit=0', 'nowatchdog', 'no_timer_check', 'rcupdate.rcu_expedited=1'],
  // The agent's mappings of the BARs last while vfio-pci uses the same BARs.
  'iomem=relaxed',
  // This driver may be built in, and would take a device that is for vfio-pci.
  'initcall_blacklist=nvme_init',
];

/** One processor: with more, an event is not always visible to what follows it. */
function qemuArguments(kernel: string, image: string): string[] {
  const doorbells = IVSHMEM_VECTORS.map((vectors, place) => `${FIRST_DOORBELL + place}:${vectors}`);
  return [
    ...['--pdeathsig', 'KILL', compiled('launcher'), ...doorbells, '--', 'qemu-system-x86_64'],
    ...['-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg,tb-size=256', '-cpu', 'max'],
    ...['-smp', '1', '-m', '512', '-display', 'none', '-no-reboot', '-device', 'intel-iommu,intremap=on'],
    ...['-kernel', kernel, '-initrd', image, '-append', KERNEL_OPTIONS.join(' ')],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-device', `virtio-serial-pci,addr=1e.0,max_ports=${CHANNELS + 1}`],
    ...Array.from({ length: CHANNELS }, (_, place) => [
      ...['-chardev', `socket,id=channel${place},fd=${FIRST_CHANNEL + place}`],
      ...['-device', `virtserialport,chardev=channel${place},nr=${place + 1},name=channel${place}`],
    ]).flat(),
    ...NVME,
    // Rocker has 4 vectors and 2 for each port.
    ...ROCKER_VECTORS.flatMap((vectors, place) => [
      '-device',
      `rocker,len-ports=${(vectors - 4) / 2},name=sw${place},addr=${slot(place)}`,
    ]),
    ...IVSHMEM_VECTORS.flatMap((vectors, place) => [
      ...['-chardev', `socket,id=doorbell${place},fd=${FIRST_DOORBELL + place}`],
      '-device',
      `ivshmem-doorbell,chardev=doorbell${place},vectors=${vectors},addr=${slot(ROCKER_VECTORS.length + place)}`,
    ]),
  ];
}

function slot(place: number): string {
  return `${(FIRST_SLOT + place).toString(16)}.0`;
}

/** Says that an inner QEMU has ended, and how. */
type OnInnerEnd = (place: number, lastWords: string) => void;

/** A virtual machine with a real kernel, and in it the agent. */
export class Outer {
  readonly #child: ChildProcess;
  readonly #agent: Client;
  /** The last lines of the console and of the outer QEMU. */
  readonly lastWords: () => string;
  readonly #ready: Promise<string>;
  #ended: string | undefined;
  devices: readonly FoundDevice[] = [];
  onInnerEnd: OnInnerEnd = () => undefined;

  private constructor(kernel: string, image: string) {
    // The machine dies with us, however we die.
    this.#child = spawn('setpriv', qemuArguments(kernel, image), {
      stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: CHANNELS }, () => 'pipe' as const)],
      // Out of our process group: Ctrl-C is for us, and the machine is ended when we are done.
      detached: true,
    });
    this.lastWords = keepLastLines(this.#child);
    this.#agent = new Client(this.#channel(0), 'the agent');
    this.#ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no ready line')), BOOT_TIMEOUT_MS);
      const finish = (how: string): void => {
        clearTimeout(timer);
        reject(new Error(how));
        this.#fail(how);
      };
      onLines(this.#channel(0), (line) => {
        if (!line.startsWith('R ')) return this.#take(line);
        clearTimeout(timer);
        resolve(line);
      });
      this.#child.on('error', (error) => finish(error.message));
      this.#child.on('close', (code, signal) => finish(`the outer QEMU ended with ${signal ?? `code ${code}`}`));
    });
  }

  /** @throws HarnessError when it does not start */
  static async boot(kernel: string, image: string): Promise<Outer> {
    const outer = new Outer(kernel, image);
    try {
      const ready = await outer.#ready;
      outer.devices = ready.split(' ').slice(1).map(foundDevice);
      if (outer.devices.length !== DEVICES) throw new Error(`it found ${ready}`);
      return outer;
    } catch (error) {
      await outer.end();
      throw new HarnessError(`the outer machine did not start: ${error}\n${outer.lastWords()}`);
    }
  }

  /** The channels of the inner QEMU that has a device. */
  channelsOf(place: number): { readonly qtest: Duplex; readonly gate: Duplex } {
    return { qtest: this.#channel(1 + 2 * place), gate: this.#channel(2 + 2 * place) };
  }

  /** Starts an inner QEMU, on whose channels `~` has been sent. */
  async startInner(place: number, words: readonly string[]): Promise<void> {
    await this.#ask(`q ${place} ${words.join(' ')}`);
  }

  /** Returns when all is done that the event has caused. */
  async raise(place: number, vector: number): Promise<void> {
    await this.#ask(`r ${place} ${vector}`);
  }

  async look(place: number): Promise<PhysicalSight> {
    const answer = await this.#ask(`l ${place}`);
    const [, control, registers, states = ''] = answer.split(' ');
    return { messageControl: Number(control), registers: Number(registers), states: states.split(',').map(Number) };
  }

  /** Ends it, and returns when it is gone. */
  end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  #channel(number: number): Duplex {
    return this.#child.stdio[FIRST_CHANNEL + number] as Duplex;
  }

  async #ask(line: string): Promise<string> {
    if (this.#ended !== undefined) throw new Ended('crash', this.#ended);
    const [answer = ''] = await this.#agent.ask([line]);
    return answer;
  }

  #take(line: string): void {
    if (line.startsWith('F ')) this.#fail(`the agent failed: ${line}`);
    else if (line.startsWith('X ')) this.#innerEnded(line);
    else this.#agent.take(line);
  }

  #innerEnded(line: string): void {
    const [, place = '', status = '', ...words] = line.split(' ');
    const lastLines = words.join(' ').split('\x01').filter(isTelling).slice(-LAST_LINES);
    this.onInnerEnd(Number(place), [howEnded(Number(status)), ...lastLines].join('\n'));
  }

  /** Whether the machine itself has ended. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  #fail(how: string): void {
    this.#ended ??= `${how}\n${this.lastWords()}`.trim();
    this.#agent.fail(new Ended('crash', this.#ended));
    for (const place of this.devices.keys()) this.onInnerEnd(place, this.#ended);
  }
}

/** What QEMU says at every reset of a device that cannot be reset is no reason. */
function isTelling(line: string): boolean {
  return line.trim() !== '' && !line.includes('reset');
}

function foundDevice(text: string): FoundDevice {
  const [address = '', vectors, events] = text.split(',');
  return { address, vectors: Number(vectors), events: EVENTS[Number(events)] ?? 'silent' };
}

/** What wait(2) says: a signal in the low 7 bits, or a code in the byte above. */
function howEnded(status: number): string {
  const number = status & 0x7f;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
  return `the inner QEMU ended with ${number === 0 ? `code ${status >> 8}` : signal}`;
}
