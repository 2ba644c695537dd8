import {
  type DataElement,
  type Event,
  HarnessError,
  type Message,
  type Outcome,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioReset,
  type VfioSetIrqs,
  type VmmCall,
  type Window,
} from '#vocabulary';
import { outcomeOf } from '../qemu/answers.ts';
import { EventfdNames } from '../qemu/eventfd-names.ts';
import { BELL_DEVICES, describeBells } from '../qemu/pci-devices.ts';

/** Makes the device raise, and resolves when all is done that comes of it. */
type Raise = (vector: number) => Promise<void>;

type Call = VfioSetIrqs | VfioReset;

/** A line of the gate that lets QEMU go on. */
const GO = '.';

/**
 * What the gate says: the calls of a reaction, which wait here while devices raise in the windows between them, and the
 * messages that reach the guest. Between scenarios QEMU is brought back to its first state, which is nobody's business.
 */
export class Gatekeeper {
  readonly #raise: Raise;
  readonly #answer: (line: string) => void;
  #isHeard = false;
  #names = new EventfdNames();
  #infoFlags = 0;
  /** Lines without an answer so far, and who waits for more of them. */
  #told = 0;
  #awaited: { readonly told: number; resolve(): void } | undefined;
  /** The call that is under way. */
  #call: Call | undefined;
  #calls: VmmCall[] = [];
  #raised: Event[] = [];
  #messages: Message[] = [];
  #armed: { readonly vector: number; readonly window: Window }[] = [];
  #opened: Set<Window> | undefined;

  constructor(raise: Raise, answer: (line: string) => void) {
    this.#raise = raise;
    this.#answer = answer;
  }

  /** VFIO_IRQ_INFO_* of the MSI-X index. */
  get infoFlags(): number {
    return this.#infoFlags;
  }

  fallSilent(): void {
    this.#isHeard = false;
    this.#armed = [];
    this.takeStep();
  }

  begin(): void {
    this.#names = new EventfdNames();
    this.#isHeard = true;
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
    return this.#armed.splice(0).map(({ vector }) => vector);
  }

  async raise(vector: number, window: Window | null = null): Promise<void> {
    this.#raised.push({ kind: 'raised', device: 0, vector, window });
    await this.#raise(vector);
  }

  /** Whether QEMU has made a call, which may have changed what it does next. */
  get wasCalled(): boolean {
    return this.#calls.length > 0;
  }

  /** What has happened since this was last asked. */
  takeStep(): {
    readonly calls: readonly VmmCall[];
    readonly raised: readonly Event[];
    readonly messages: readonly Message[];
  } {
    return { calls: this.#calls.splice(0), raised: this.#raised.splice(0), messages: this.#messages.splice(0) };
  }

  /** Resolves when so many lines without an answer are here: they come another way than what a guest reads. */
  reach(told: number): Promise<void> | undefined {
    if (this.#told >= told) return undefined;
    return new Promise((resolve) => {
      this.#awaited = { told, resolve };
    });
  }

  /** Takes a line of the gate; gate.c says what the lines mean. */
  async take(line: string): Promise<void> {
    const [word, ...rest] = line.split(' ');
    const numbers = rest.map(Number);
    switch (word) {
      case 'o':
        this.#infoFlags = numbers[0] ?? 0;
        return;
      case 'd':
        return this.#answer(describeBells(BELL_DEVICES[Number(rest[1]?.replace('bell', ''))] ?? []));
      case 's':
        return this.#called(this.#setIrqs(numbers));
      case 'z':
        return this.#called({ kind: 'vfio.reset', device: 0 });
      case 'a':
        return this.#returned(numbers[0] ?? 0);
      case 'w':
        this.#written(numbers);
        return this.#tell();
      case 'x':
        this.#names.close(numbers[0] ?? 0);
        return this.#tell();
    }
    throw new HarnessError(`the gate said: ${line}`);
  }

  async #called(call: Call): Promise<void> {
    this.#call = call;
    if (this.#isHeard) await this.#open('before-call');
    this.#answer(GO);
  }

  async #returned(result: number): Promise<void> {
    const operation = this.#call;
    if (this.#isHeard && operation !== undefined) {
      const outcome = outcomeOf(result);
      this.#calls.push({ kind: 'vfio', operation, outcome });
      const window = windowBehind(operation, outcome);
      if (window !== null) await this.#open(window);
    }
    this.#answer(GO);
  }

  async #open(window: Window): Promise<void> {
    if (this.#opened === undefined || this.#opened.has(window)) return;
    this.#opened.add(window);
    const armed = this.#armed;
    this.#armed = armed.filter((raise) => raise.window !== window);
    for (const raise of armed) if (raise.window === window) await this.raise(raise.vector, window);
  }

  #setIrqs([flags = 0, index = 0, start = 0, count = 0, ...serials]: readonly number[]): VfioSetIrqs {
    const role = roleOf(flags, index);
    const data = serials.map((serial, place): DataElement => {
      if (serial < 0) return serial === -1 ? -1 : 'notEventfd';
      return this.#isHeard ? this.#names.name(serial, role, start + place) : 'bad';
    });
    return { kind: 'vfio.setIrqs', device: 0, flags, index, start, count, data };
  }

  #tell(): void {
    this.#told += 1;
    if (this.#awaited === undefined || this.#told < this.#awaited.told) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }

  #written([device = 0, bar = 0, offset = 0, bytes = 0, value = 0]: readonly number[]): void {
    if (!this.#isHeard) return;
    const mailbox = BELL_DEVICES[device]?.[bar];
    if (mailbox === undefined || bytes !== 4) throw new HarnessError(`a message of ${bytes} bytes in BAR ${bar}`);
    const address = mailbox.address + BigInt(offset);
    this.#messages.push({ address: Number(address & 0xffffffffn), high: Number(address >> 32n), data: value });
  }
}

function roleOf(flags: number, index: number): 'interrupt' | 'intx' | 'resample' {
  if (index !== VFIO_PCI_INTX_IRQ_INDEX) return 'interrupt';
  return (flags & VFIO_IRQ_SET_ACTION_TRIGGER) !== 0 ? 'intx' : 'resample';
}

/** The window that is open when a call has returned. */
function windowBehind(call: Call, outcome: Outcome): Window | null {
  if (call.kind !== 'vfio.setIrqs' || call.index !== VFIO_PCI_MSIX_IRQ_INDEX) return null;
  if ((call.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return 'after-set';
  return call.count === 0 && outcome.kind === 'ok' ? 'teardown-gap' : null;
}
