import {
  type Config,
  type DataElement,
  type DeviceObservation,
  dataElementBytes,
  type Errno,
  type Event,
  type EventfdName,
  HarnessError,
  IRQ_INFO_BYTES,
  IRQ_SET_BYTES,
  type Observation,
  type Operation,
  type Outcome,
  type Scenario,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
  type VfioGetIrqInfo,
  type VfioSetIrqs,
  type Window,
} from '#vocabulary';

/** A descriptor number that the agent never has open. */
const NEVER_OPEN = 1_000_000;

/** A scenario in the agent's words (agent/agent.c says what they mean). */
export function encodeScenario(
  { config, operations }: Scenario,
  slots: readonly number[],
  eachAtOnce: boolean,
): string {
  const places = slots.map((slot, place) => `${slot}:${config.devices[place]?.whileOff === 'drops' ? 1 : 0}`);
  const lines = [
    `S ${slots.length} ${places.join(' ')}`,
    ...(eachAtOnce ? ['F'] : []),
    ...operations.map(encodeOperation),
    'E',
  ];
  return `${lines.join('\n')}\n`;
}

function encodeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'vfio.open':
      return `o ${operation.device}`;
    case 'vfio.close':
      return `c ${operation.device}`;
    case 'vfio.getIrqInfo':
      return `g ${operation.device} ${encodeGetIrqInfo(operation)}`;
    case 'vfio.setIrqs':
      return `s ${operation.device} ${encodeSetIrqs(operation)}`;
    case 'vfio.closeEventfd':
      return `x ${operation.eventfd.slice(1)}`;
    case 'device.raise':
      return `r ${operation.device} ${signed(operation.vector)}`;
    case 'device.arm':
      return `a ${operation.device} ${signed(operation.vector)}`;
    case 'host.limitVectors':
      return `l ${signed(operation.count)}`;
  }
}

/** The agent counts in signed numbers; what is larger is as far beyond any table or machine. */
function signed(number: number): number {
  return Math.min(number, 0x7fffffff);
}

function encodeGetIrqInfo({ index, argsz, unreadable }: VfioGetIrqInfo): string {
  return [index, argsz ?? IRQ_INFO_BYTES, Number(unreadable ?? false)].join(' ');
}

function encodeSetIrqs({ flags, index, start, count, argsz, unreadable, data }: VfioSetIrqs): string {
  const width = dataElementBytes(flags);
  const elements = width === 0 ? [] : data.map(width === 4 ? encodeDescriptor : encodeByte);
  const size = argsz ?? IRQ_SET_BYTES + elements.length * width;
  return [flags, index, start, count, size, Number(unreadable ?? false), elements.length, ...elements].join(' ');
}

function encodeDescriptor(element: DataElement): string {
  if (element === 'bad') return String(NEVER_OPEN);
  if (element === 'notEventfd') return 'p';
  if (typeof element === 'string') return element;
  return String((element | 0) < 0 ? element | 0 : NEVER_OPEN);
}

function encodeByte(element: DataElement): string {
  return String(typeof element === 'number' ? element & 0xff : 1);
}

/** One answer of the agent, without the raises, which the scenario tells. */
export interface Answer {
  readonly outcome: Outcome;
  readonly signalled: readonly Event[];
  readonly observation: Observation;
}

/** @throws HarnessError for a line that is not an answer about so many devices. */
export function decodeAnswer(line: string, devices: number): Answer {
  const parts = line.split('|');
  const [result = '', signalled = '', ...seen] = parts;
  if (!result.startsWith('A ') || seen.length !== devices) {
    throw new HarnessError(`the agent answered: ${line.slice(0, 200)}`);
  }
  return {
    outcome: decodeResult(result.slice(2)),
    signalled: decodeSignalled(signalled),
    observation: seen.map(decodeDevice),
  };
}

function decodeResult(text: string): Outcome {
  const [word, flags, count] = text.split(' ');
  if (word === 'i') return { kind: 'irqInfo', flags: Number(flags), count: Number(count) };
  const value = Number(word);
  if (value === 0) return { kind: 'ok' };
  return value > 0 ? { kind: 'positive', value } : { kind: 'errno', errno: errnoName(-value) };
}

/** Source: include/uapi/asm-generic/errno-base.h and errno.h. */
const ERRNO_NAMES: Readonly<Record<number, Errno>> = {
  5: 'EIO',
  9: 'EBADF',
  12: 'ENOMEM',
  14: 'EFAULT',
  16: 'EBUSY',
  19: 'ENODEV',
  22: 'EINVAL',
  25: 'ENOTTY',
  28: 'ENOSPC',
  34: 'ERANGE',
};

function errnoName(errno: number): Errno {
  return ERRNO_NAMES[errno] ?? `errno ${errno}`;
}

function decodeSignalled(text: string): readonly Event[] {
  if (text === '') return [];
  const counts = text.split(',').map((pair) => pair.split(':').map(Number) as [number, number]);
  return counts
    .sort(([left], [right]) => left - right)
    .map(([number, count]) => ({ kind: 'signalled', eventfd: `e${number}` as EventfdName, count }));
}

function decodeDevice(text: string): DeviceObservation {
  const [enable, functionMask, flags, changes = ''] = text.split(' ');
  return {
    enable: enable === '1',
    functionMask: functionMask === '1',
    msixInfoFlags: Number(flags),
    changes: changes === '' ? [] : changes.split(',').map(decodeChange),
  };
}

function decodeChange(pair: string): { readonly vector: number; readonly state: number } {
  const [vector, state] = pair.split('=');
  return { vector: Number(vector), state: Number(state) };
}

/** The raises of each operation, as the scenario and the outcomes tell them: the agent raises when it is told. */
export class Raises {
  readonly #armed: { readonly vector: number; readonly window: Window }[][];

  constructor({ devices }: Config) {
    this.#armed = devices.map(() => []);
  }

  follow(operation: Operation, outcome: Outcome): readonly Event[] {
    switch (operation.kind) {
      case 'device.raise':
        return [{ kind: 'raised', device: operation.device, vector: operation.vector, window: null }];
      case 'device.arm':
        this.#armed[operation.device]?.push({ vector: operation.vector, window: operation.window });
        return [];
      case 'vfio.open':
      case 'vfio.close':
      case 'vfio.getIrqInfo':
      case 'vfio.setIrqs':
        return this.#release(operation.device, openedWindow(operation, outcome));
      case 'vfio.closeEventfd':
      case 'host.limitVectors':
        return [];
    }
  }

  #release(device: number, open: Window | null): readonly Event[] {
    const armed = this.#armed[device]?.splice(0) ?? [];
    return armed.map(({ vector, window }) => ({
      kind: 'raised',
      device,
      vector,
      window: window === open ? open : null,
    }));
  }
}

/** The window that a call has opened: the tear-down of MSI-X has returned and nothing has been called since. */
function openedWindow(operation: Operation, outcome: Outcome): Window | null {
  const tornDown =
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    (operation.flags & VFIO_IRQ_SET_DATA_NONE) !== 0 &&
    operation.count === 0 &&
    outcome.kind === 'ok';
  return tornDown ? 'teardown-gap' : null;
}
