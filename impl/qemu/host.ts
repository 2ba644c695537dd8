import {
  type Config,
  type DataElement,
  type Event,
  type EventfdRole,
  HarnessError,
  type Message,
  type Observation,
  type RawOperation,
  type Step,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioReset,
  type VfioSetIrqs,
  type VmmCall,
  type Window,
} from '#vocabulary';
import { resultOf } from './answers.ts';
import { EventfdNames } from './eventfd-names.ts';
import { COMMAND_MASTER } from './guest.ts';
import { Irqfds } from './irqfds.ts';
import type { Kernel } from './kernel.ts';
import { BELL_DEVICES, describeBells, describeFunction, PBA_OFFSET } from './pci-devices.ts';

const EINVAL = -22;

/** The assignment of an irqfd that has no name yet, by its serial number. */
interface Unnamed {
  readonly unnamed: number;
}

interface Armed {
  readonly vector: number;
  readonly window: Window;
}

/**
 * What QEMU finds below it: the lines of the shim are answered with the kernel, and what the kernel signals is given to
 * the shim to signal. Between scenarios QEMU is brought back to its first state, which is nobody's business: then all
 * it asks for succeeds, and the kernel hears nothing.
 */
export class Host {
  readonly #kernel: Kernel;
  readonly #config: Config;
  readonly #observe: (observation: Observation) => void;
  #isHeard = false;
  /** The number by which the shim knows the function. */
  #function = -1;
  #names = new EventfdNames();
  readonly #irqfds = new Irqfds();
  /** Serial numbers of what QEMU has set INTx up with. */
  #intx = -1;
  #resample = -1;
  /** Lines without an answer so far, and who waits for more of them. */
  #told = 0;
  #awaited: { readonly told: number; readonly resolve: () => void } | undefined;
  /** Of the current step. */
  #calls: (VmmCall | Unnamed)[] = [];
  #raised: Event[] = [];
  #messages: Message[] = [];
  #armed: Armed[] = [];
  #opened: Set<Window> | undefined;
  #signals: number[] = [];
  #wasAsked = false;

  /**
   * @param config the machine that QEMU is started on
   * @param observe takes what the kernel lets see after each operation
   */
  constructor(kernel: Kernel, config: Config, observe: (observation: Observation) => void) {
    this.#kernel = kernel;
    this.#config = config;
    this.#observe = observe;
    kernel.start(raw(config));
  }

  /** From now on QEMU talks to nobody. */
  fallSilent(): void {
    this.#isHeard = false;
    this.#armed = [];
    this.takeStep();
  }

  /** From now on QEMU talks to a fresh kernel, on which INTx is set up already as QEMU has done it. */
  begin(config: Config): void {
    this.#observe(this.#kernel.start(raw(config)));
    this.#names = new EventfdNames();
    this.#isHeard = true;
    const intx = { kind: 'vfio.setIrqs', device: 0, index: VFIO_PCI_INTX_IRQ_INDEX, start: 0, count: 1 } as const;
    if (this.#intx !== -1) {
      const flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
      this.#perform({ ...intx, flags, data: [this.#names.name(this.#intx, 'intx', 0)] });
    }
    if (this.#resample !== -1) {
      const data = [this.#names.name(this.#resample, 'resample', 0)];
      this.#perform({ ...intx, flags: VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, data: [] });
      this.#perform({ ...intx, flags: VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, data });
      this.#perform({ ...intx, flags: VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, data: [] });
    }
    this.takeStep();
  }

  arm(vector: number, window: Window): void {
    this.#armed.push({ vector, window });
  }

  /** A reaction of QEMU begins, in which windows may open. */
  beginReaction(): void {
    this.#opened = new Set();
  }

  /** Returns the vectors that are still to raise, as their windows did not open. */
  endReaction(): readonly number[] {
    this.#opened = undefined;
    const left = this.#armed.map(({ vector }) => vector);
    this.#armed = [];
    return left;
  }

  raise(vector: number, window: Window | null = null): void {
    this.#raised.push({ kind: 'raised', device: 0, vector, window });
    this.#perform({ kind: 'device.raise', device: 0, vector });
  }

  perform(operation: RawOperation): void {
    this.#perform(operation);
  }

  /** Eventfds that have been signalled and of which QEMU does not know yet, by their serial numbers. */
  takeSignals(): readonly number[] {
    const signals = this.#signals;
    this.#signals = [];
    return signals;
  }

  /** Whether QEMU has asked for anything that may have changed what it does next. */
  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  /**
   * Where vfio is given no irqfds as it refuses what comes first, their vectors show by the order in which KVM was
   * given them: that of the unmasked vectors, or of all up to the last of them where QEMU leaves out none.
   */
  nameIrqfds(unmasked: readonly number[]): void {
    const unnamed = this.#calls.flatMap((call) => ('unnamed' in call ? [call.unnamed] : []));
    const isWithoutHoles = unnamed.length === (unmasked.at(-1) ?? -1) + 1;
    for (const [place, serial] of unnamed.entries()) {
      const vector = isWithoutHoles ? place : unmasked[place];
      if (vector !== undefined) this.#names.name(serial, 'irqfd', vector);
    }
  }

  /** What has happened since this was last asked. */
  takeStep(): { readonly calls: readonly VmmCall[]; readonly raised: readonly Event[]; readonly messages: Message[] } {
    const taken = {
      calls: this.#calls.map((call) => this.#named(call)),
      raised: this.#raised,
      messages: this.#messages,
    };
    this.#calls = [];
    this.#raised = [];
    this.#messages = [];
    this.#wasAsked = false;
    return taken;
  }

  /** Resolves when so many lines without an answer are here: they come another way than what a guest reads. */
  reach(told: number): Promise<void> | undefined {
    if (this.#told >= told) return undefined;
    return new Promise((resolve) => {
      this.#awaited = { told, resolve };
    });
  }

  /** Answers a line of the shim; shim.c says what the lines mean. */
  answer(line: string): string | undefined {
    const [word, ...rest] = line.split(' ');
    if (word === 'd') return this.#openDevice(Number(rest[0]), rest[1] ?? '');
    if (word === 'g') return this.#setRouting(rest);
    const numbers = rest.map(Number);
    switch (word) {
      case 'i':
        return this.#irqInfo(numbers);
      case 's':
        return this.#setIrqs(numbers);
      case 'z':
        return this.#reset(numbers);
      case 'c':
        return this.#command(numbers);
      case 'r':
        return this.#read(numbers);
      case 'w':
        this.#written(numbers);
        return this.#tell();
      case 'x':
        this.#closed(numbers);
        return this.#tell();
      case 'k':
        return this.#irqfd(numbers);
    }
    throw new HarnessError(`the shim said: ${line}`);
  }

  #tell(): undefined {
    this.#told += 1;
    if (this.#awaited === undefined || this.#told < this.#awaited.told) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }

  #openDevice(number: number, name: string): string {
    const [device] = this.#config.devices;
    if (name === 'function' && device !== undefined) {
      this.#function = number;
      return describeFunction(device);
    }
    return describeBells(BELL_DEVICES[bellOf(name)] ?? []);
  }

  #irqInfo([number, index = 0]: readonly number[]): string {
    if (number !== this.#function) return `${EINVAL} 0 0`;
    const { outcome } = this.#kernel.perform({ kind: 'vfio.getIrqInfo', device: 0, index });
    return outcome.kind === 'irqInfo' ? `0 ${outcome.flags} ${outcome.count}` : `${resultOf(outcome)} 0 0`;
  }

  #setIrqs([number, flags = 0, index = 0, start = 0, count = 0, ...serials]: readonly number[]): string {
    if (number !== this.#function) return '0';
    if (index === VFIO_PCI_INTX_IRQ_INDEX) this.#followIntx(flags, serials);
    if (!this.#isHeard) return '0';
    this.#open('before-call');
    const data = serials.map((serial, place): DataElement => this.#element(serial, flags, index, start + place));
    const operation: VfioSetIrqs = { kind: 'vfio.setIrqs', device: 0, flags, index, start, count, data };
    const { outcome } = this.#call(operation);
    if (index === VFIO_PCI_MSIX_IRQ_INDEX) {
      if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) this.#open('after-set');
      else if (count === 0 && outcome.kind === 'ok') this.#open('teardown-gap');
    }
    return this.#resultAndSignals(resultOf(outcome));
  }

  /** Remembers what INTx is set up with, for the next scenario. */
  #followIntx(flags: number, [serial = -1]: readonly number[]): void {
    if ((flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) {
      if ((flags & VFIO_IRQ_SET_ACTION_TRIGGER) !== 0) this.#intx = serial;
      else this.#resample = serial;
    } else if ((flags & VFIO_IRQ_SET_ACTION_TRIGGER) !== 0) {
      this.#intx = -1;
      this.#resample = -1;
    }
  }

  #element(serial: number, flags: number, index: number, vector: number): DataElement {
    if (serial < 0) return serial === -1 ? -1 : 'notEventfd';
    return this.#names.name(serial, this.#roleOf(serial, flags, index), vector);
  }

  #roleOf(serial: number, flags: number, index: number): EventfdRole {
    if (index === VFIO_PCI_INTX_IRQ_INDEX) return (flags & VFIO_IRQ_SET_ACTION_TRIGGER) !== 0 ? 'intx' : 'resample';
    return this.#irqfds.has(serial) ? 'irqfd' : 'interrupt';
  }

  #reset([number]: readonly number[]): string {
    if (!this.#isHeard || number !== this.#function) return '0';
    this.#open('before-call');
    const { outcome } = this.#call({ kind: 'vfio.reset', device: 0 });
    return this.#resultAndSignals(resultOf(outcome));
  }

  #call(operation: VfioSetIrqs | VfioReset): Step {
    this.#wasAsked = true;
    const step = this.#perform(operation);
    this.#calls.push({ kind: 'vfio', operation, outcome: step.outcome });
    return step;
  }

  #open(window: Window): void {
    if (this.#opened === undefined || this.#opened.has(window)) return;
    this.#opened.add(window);
    const armed = this.#armed;
    this.#armed = armed.filter((raise) => raise.window !== window);
    for (const raise of armed) if (raise.window === window) this.raise(raise.vector, window);
  }

  #perform(operation: RawOperation): Step {
    const step = this.#kernel.perform(operation);
    this.#observe(step.observation);
    for (const event of step.events) {
      if (event.kind !== 'signalled') continue;
      const serial = this.#names.serialOf(event.eventfd);
      // One that QEMU has closed is signalled unseen.
      if (serial === undefined) continue;
      const message = this.#irqfds.message(serial);
      for (let count = 0; count < event.count; count += 1)
        if (message === undefined) this.#signals.push(serial);
        else this.#messages.push(message);
    }
    return step;
  }

  #resultAndSignals(result: number): string {
    return [result, ...this.takeSignals()].join(' ');
  }

  #command([number, command = 0]: readonly number[]): string {
    if (!this.#isHeard || number !== this.#function) return '0';
    const value = (command & COMMAND_MASTER) === 0 ? 0 : 1;
    const { outcome } = this.#perform({ kind: 'vfio.configWrite', device: 0, field: 'busMaster', value });
    return this.#resultAndSignals(resultOf(outcome));
  }

  /** Only PBA reads get here that QEMU does not answer itself: 32 bits or two times 32. */
  #read([number, , offset = 0, bytes = 0]: readonly number[]): string {
    if (!this.#isHeard || number !== this.#function || offset < PBA_OFFSET) return '0 0';
    const low = this.#pba((offset - PBA_OFFSET) * 8);
    return `${low} ${bytes > 4 ? this.#pba((offset - PBA_OFFSET + 4) * 8) : 0}`;
  }

  #pba(vector: number): number {
    if (vector >= (this.#config.devices[0]?.msixVectors ?? 0)) return 0;
    const { outcome } = this.#perform({ kind: 'vfio.pbaRead', device: 0, vector });
    return outcome.kind === 'value' ? outcome.value : 0;
  }

  #written([number = 0, bar = 0, offset = 0, bytes = 0, value = 0]: readonly number[]): void {
    if (!this.#isHeard || number === this.#function) return;
    const mailbox = BELL_DEVICES[number < this.#function ? number : number - 1]?.[bar];
    if (mailbox === undefined || bytes !== 4) throw new HarnessError(`a message of ${bytes} bytes in BAR ${bar}`);
    const address = mailbox.address + BigInt(offset);
    this.#messages.push({ address: Number(address & 0xffffffffn), high: Number(address >> 32n), data: value });
  }

  #closed([serial = 0]: readonly number[]): void {
    const eventfd = this.#names.close(serial);
    this.#irqfds.close(serial);
    if (eventfd !== undefined && this.#isHeard) this.#perform({ kind: 'vfio.closeEventfd', eventfd });
  }

  #irqfd(numbers: readonly number[]): string {
    const { serial, assign } = this.#irqfds.follow(numbers);
    if (!this.#isHeard) return '0';
    this.#wasAsked = true;
    const eventfd = this.#names.nameOf(serial);
    this.#calls.push(eventfd === undefined ? { unnamed: serial } : { kind: 'kvm.irqfd', eventfd, assign });
    return '0';
  }

  /** An irqfd is assigned before its vector is known, and its name can be told only later. */
  #named(call: VmmCall | Unnamed): VmmCall {
    if (!('unnamed' in call)) return call;
    const eventfd = this.#names.nameOf(call.unnamed);
    if (eventfd === undefined) throw new HarnessError('an irqfd was assigned, and nobody knows for what');
    return { kind: 'kvm.irqfd', eventfd, assign: true };
  }

  #setRouting(entries: readonly string[]): string {
    this.#irqfds.route(entries);
    if (!this.#isHeard) return '0';
    this.#wasAsked = true;
    this.#calls.push({ kind: 'kvm.setGsiRouting' });
    return '0';
  }
}

function bellOf(name: string): number {
  return Number(name.replace('bell', ''));
}

/** The machine as it is below its VMM. */
function raw({ vmm, ...config }: Config): Config {
  return config;
}
