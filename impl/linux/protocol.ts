import {
  CONFIG_FIELDS,
  type ConfigField,
  type DataElement,
  type DeviceObservation,
  dataElementBytes,
  type Errno,
  type Event,
  type EventfdName,
  HarnessError,
  IRQ_INFO_BYTES,
  IRQ_SET_BYTES,
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  type Observation,
  type Operation,
  type Outcome,
  type Scenario,
  type VfioGetIrqInfo,
  type VfioSetIrqs,
} from '#vocabulary';

/** A descriptor number that the agent never has open. */
const NEVER_OPEN = 1_000_000;

/** The most that the agent reads at a time. */
const MESSAGE_BYTES_MAX = 2 ** 22 - 1;

/** The eventfds of a scenario, ascending. To the agent an eventfd is its place in this list: names may be far apart. */
export function eventfdsOf({ operations }: Scenario): readonly EventfdName[] {
  const names = new Set<EventfdName>();
  for (const operation of operations) {
    if ('eventfd' in operation) names.add(operation.eventfd);
    if (operation.kind === 'vfio.setIrqs')
      for (const element of operation.data) if (isEventfdName(element)) names.add(element);
  }
  return [...names].sort((left, right) => Number(left.slice(1)) - Number(right.slice(1)));
}

/**
 * A scenario in the agent's words (agent/agent.c says what they mean).
 * @throws HarnessError for one that is too long for the agent.
 */
export function encodeScenario(scenario: Scenario, slots: readonly number[], eachAtOnce: boolean): string {
  const { config, operations } = scenario;
  const eventfds = new Map(eventfdsOf(scenario).map((name, place) => [name, place]));
  const places = slots.map((slot, place) => `${slot}:${config.devices[place]?.whileOff === 'drops' ? 1 : 0}`);
  const lines = [
    `S ${slots.length} ${places.join(' ')}`,
    ...(eachAtOnce ? ['F'] : []),
    ...operations.map((operation) => encodeOperation(operation, eventfds)),
    'E',
  ];
  const message = `${lines.join('\n')}\n`;
  if (message.length > MESSAGE_BYTES_MAX) throw new HarnessError(`a scenario of ${message.length} bytes is too long`);
  return message;
}

type Places = ReadonlyMap<EventfdName, number>;

function encodeOperation(operation: Operation, eventfds: Places): string {
  if (isGuestOperation(operation) || isMdevOperation(operation))
    throw new HarnessError(`a kernel alone has no guest and no mdev: ${operation.kind}`);
  switch (operation.kind) {
    case 'vfio.open':
      return `o ${operation.device}`;
    case 'vfio.close':
      return `c ${operation.device}`;
    case 'vfio.getIrqInfo':
      return `g ${operation.device} ${encodeGetIrqInfo(operation)}`;
    case 'vfio.setIrqs':
      return `s ${operation.device} ${encodeSetIrqs(operation, eventfds)}`;
    case 'vfio.reset':
      return `z ${operation.device}`;
    case 'vfio.configWrite':
      return `p ${operation.device} ${encodeField(operation.field)} ${operation.value}`;
    case 'vfio.configRead':
      return `q ${operation.device} ${encodeField(operation.field)}`;
    case 'vfio.tableWrite':
      return `u ${operation.device} ${operation.vector} ${operation.value}`;
    case 'vfio.tableRead':
      return `t ${operation.device} ${operation.vector}`;
    case 'vfio.pbaRead':
      return `b ${operation.device} ${operation.vector}`;
    case 'vfio.mapBar':
      return `m ${operation.device}`;
    case 'vfio.unmapBar':
      return `n ${operation.device}`;
    case 'vfio.writeEventfd':
      return `w ${eventfds.get(operation.eventfd)}`;
    case 'vfio.closeEventfd':
      return `x ${eventfds.get(operation.eventfd)}`;
    case 'device.raise':
      return `r ${operation.device} ${signed(operation.vector)}`;
    case 'device.arm':
      return `a ${operation.device} ${signed(operation.vector)}`;
    case 'device.assertIntx':
      return `i ${operation.device}`;
    case 'device.deassertIntx':
      return `d ${operation.device}`;
    case 'device.wipe':
      return `k ${operation.device}`;
    case 'host.limitVectors':
      return `l ${signed(operation.count)}`;
    case 'host.failAllocation':
      throw new HarnessError('host.failAllocation: no real kernel can be asked this');
  }
}

/** The agent numbers the fields in the order of the vocabulary. */
function encodeField(field: ConfigField): number {
  return CONFIG_FIELDS.indexOf(field);
}

/** The agent counts in signed numbers; what is larger is as far beyond any table or machine. */
function signed(number: number): number {
  return Math.min(number, 0x7fffffff);
}

function encodeGetIrqInfo({ index, argsz, unreadable }: VfioGetIrqInfo): string {
  return [index, argsz ?? IRQ_INFO_BYTES, Number(unreadable ?? false)].join(' ');
}

function encodeSetIrqs(operation: VfioSetIrqs, eventfds: Places): string {
  const { flags, index, start, count, argsz, unreadable, data } = operation;
  const width = dataElementBytes(flags);
  const encode = width === 4 ? (element: DataElement) => encodeDescriptor(element, eventfds) : encodeByte;
  const elements = width === 0 ? [] : data.map(encode);
  const size = argsz ?? IRQ_SET_BYTES + elements.length * width;
  return [flags, index, start, count, size, Number(unreadable ?? false), elements.length, ...elements].join(' ');
}

function encodeDescriptor(element: DataElement, eventfds: Places): string {
  if (element === 'bad') return String(NEVER_OPEN);
  if (element === 'notEventfd') return 'p';
  if (typeof element === 'string') return `e${eventfds.get(element)}`;
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

const RESULT = String.raw`i \d+ \d+|v \d+|-?\d+`;
const DEVICE = String.raw`\|[01] [01] \d+ \d+ (?:\d+=\d+(?:,\d+=\d+)*)?`;
const ANSWER = new RegExp(String.raw`^A (?:${RESULT})\|(?:\d+:\d+(?:,\d+:\d+)*)?(?:${DEVICE})+$`);

/**
 * @param eventfds of the scenario, as `eventfdsOf` lists them
 * @throws HarnessError for a line that is not an answer about so many devices.
 */
export function decodeAnswer(line: string, devices: number, eventfds: readonly EventfdName[]): Answer {
  const [result = '', signalled = '', ...seen] = line.split('|');
  if (!ANSWER.test(line) || seen.length !== devices) throw unexpected(line);
  return {
    outcome: decodeResult(result.slice(2)),
    signalled: decodeSignalled(signalled, eventfds),
    observation: seen.map(decodeDevice),
  };
}

/** @throws HarnessError for a line that does not say that a scenario is done. */
export function expectDone(line: string): void {
  if (line !== 'D') throw unexpected(line);
}

function unexpected(line: string): HarnessError {
  return new HarnessError(`the agent answered: ${line.slice(0, 200)}`);
}

function decodeResult(text: string): Outcome {
  const [word, first, count] = text.split(' ');
  if (word === 'i') return { kind: 'irqInfo', flags: Number(first), count: Number(count) };
  if (word === 'v') return { kind: 'value', value: Number(first) };
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

function decodeSignalled(text: string, eventfds: readonly EventfdName[]): readonly Event[] {
  if (text === '') return [];
  const counts = text.split(',').map((pair) => pair.split(':').map(Number) as [number, number]);
  return counts
    .sort(([left], [right]) => left - right)
    .map(([place, count]) => {
      const eventfd = eventfds[place];
      if (eventfd === undefined) throw unexpected(text);
      return { kind: 'signalled', eventfd, count };
    });
}

function decodeDevice(text: string): DeviceObservation {
  const [enable, functionMask, flags, registers, changes = ''] = text.split(' ');
  return {
    enable: enable === '1',
    functionMask: functionMask === '1',
    msixInfoFlags: Number(flags),
    registers: Number(registers),
    changes: changes === '' ? [] : changes.split(',').map(decodeChange),
  };
}

function decodeChange(pair: string): { readonly vector: number; readonly state: number } {
  const [vector, state] = pair.split('=');
  return { vector: Number(vector), state: Number(state) };
}
