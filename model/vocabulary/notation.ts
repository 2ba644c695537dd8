import { parseGuestArguments, printGuestArguments, printMessage } from './guest-notation.ts';
import { parseMdevArguments, printMdevArguments } from './mdev-notation.ts';
import type { DeviceObservation } from './observation.ts';
import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  INTX_DISABLE,
  INTX_HANDLER,
  INTX_STATUS,
  MSI_ENABLE,
  MSI_MESSAGE,
  PENDING,
  UNMASKED,
} from './observation.ts';
import type { DataElement, EventfdName, Operation, OperationKind, RawOperation, VfioSetIrqs } from './operation.ts';
import {
  CONFIG_FIELDS,
  GUEST_KINDS,
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  MDEV_KINDS,
  OPERATION_KINDS,
} from './operation.ts';
import { ABANDONED, type Event, type Outcome, SUCCESS } from './response.ts';
import { eventfdUse, type VmmCall } from './vmm.ts';
import { WINDOWS } from './window.ts';
import { Words } from './words.ts';

const INDEX_NAMES = ['INTX', 'MSI', 'MSIX', 'ERR', 'REQ'];
const FLAG_NAMES = ['NONE', 'BOOL', 'EVENTFD', 'MASK', 'UNMASK', 'TRIGGER'];
const STATE_NAMES: readonly (readonly [number, string])[] = [
  [ALLOCATED, 'allocated'],
  [ARMED, 'armed'],
  [UNMASKED, 'unmasked'],
  [PENDING, 'pending'],
  [ADDRESS_0, 'address-0'],
];
const REGISTER_NAMES: readonly (readonly [number, string])[] = [
  [MSI_ENABLE, 'MSI-enable'],
  [MSI_MESSAGE, 'MSI-message'],
  [INTX_DISABLE, 'INTx-disable'],
  [INTX_STATUS, 'INTx-status'],
  [INTX_HANDLER, 'INTx-handler'],
];

function printIndex(index: number): string {
  return INDEX_NAMES[index] ?? String(index);
}

function printFlags(flags: number): string {
  const names = FLAG_NAMES.filter((_, bit) => (flags & (1 << (bit & 31))) !== 0);
  const rest = (flags & ~0x3f) >>> 0;
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.length === 0 ? '0' : names.join('|');
}

function printSuffixes(argument: { readonly argsz?: number; readonly unreadable?: true }): string {
  const argsz = argument.argsz === undefined ? '' : ` argsz=${argument.argsz}`;
  return `${argsz}${argument.unreadable === true ? ' unreadable' : ''}`;
}

/** An operation on one line; device 0 is not named, another is as `@1` at the end. `parseOperation` reads it back. */
export function printOperation(operation: Operation): string {
  const at = 'device' in operation ? printAt(operation.device) : '';
  return `${operation.kind}${printWords(operation)}${at}`;
}

function printWords(operation: Operation): string {
  if (isGuestOperation(operation)) return printGuestArguments(operation);
  return isMdevOperation(operation) ? printMdevArguments(operation) : printArguments(operation);
}

function printArguments(operation: RawOperation): string {
  switch (operation.kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return '';
    case 'vfio.getIrqInfo':
      return ` ${printIndex(operation.index)}${printSuffixes(operation)}`;
    case 'vfio.setIrqs':
      return ` ${printSetIrqs(operation)}${printSuffixes(operation)}`;
    case 'vfio.configWrite':
      return ` ${operation.field} ${operation.value}`;
    case 'vfio.configRead':
      return ` ${operation.field}`;
    case 'vfio.tableWrite':
      return ` ${operation.vector} ${operation.value}`;
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return ` ${operation.eventfd}`;
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise':
      return ` ${operation.vector}`;
    case 'device.arm':
      return ` ${operation.vector} ${operation.window}`;
    case 'host.limitVectors':
      return ` ${operation.count}`;
    case 'host.failAllocation':
      return ` ${operation.nth}`;
  }
}

function printSetIrqs({ index, flags, start, count, data }: VfioSetIrqs): string {
  return `${printIndex(index)} ${printFlags(flags)} ${start}+${count} [${data.join(' ')}]`;
}

/** A call of a VMM and its answer, its eventfds by their use: `vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 k1]: ok`. */
export function printCall(call: VmmCall): string {
  switch (call.kind) {
    case 'vfio': {
      const { operation, outcome } = call;
      const named = operation.kind === 'vfio.reset' ? '' : ` ${printSetIrqs({ ...operation, data: uses(operation) })}`;
      return `${operation.kind}${named}: ${printOutcome(outcome)}`;
    }
    case 'kvm.setGsiRouting':
      return call.kind;
    case 'kvm.irqfd':
      return `${call.kind} ${printUse(call.eventfd)} ${call.assign ? 'assign' : 'deassign'}`;
  }
}

function uses({ data }: VfioSetIrqs): DataElement[] {
  return data.map((element) => (isEventfdName(element) ? (printUse(element) as EventfdName) : element));
}

function printUse(name: EventfdName): string {
  const { role, vector } = eventfdUse(name);
  switch (role) {
    case 'interrupt':
      return `i${vector}`;
    case 'irqfd':
      return `k${vector}`;
    case 'intx':
    case 'resample':
      return role;
  }
}

/**
 * Reads what `printOperation` wrote.
 * @throws NotationError
 */
export function parseOperation(line: string): Operation {
  const words = new Words(line);
  const kind = words.oneOf('an operation kind', OPERATION_KINDS);
  const operation = parseWords(kind, words);
  words.end();
  return operation;
}

function parseWords(kind: OperationKind, words: Words): Operation {
  if (isOneOf(GUEST_KINDS, kind)) return parseGuestArguments(kind, words);
  return isOneOf(MDEV_KINDS, kind) ? parseMdevArguments(kind, words) : parseArguments(kind, words);
}

function isOneOf<Kind extends OperationKind>(kinds: readonly Kind[], kind: OperationKind): kind is Kind {
  return (kinds as readonly OperationKind[]).includes(kind);
}

function parseArguments(kind: RawOperation['kind'], words: Words): RawOperation {
  switch (kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return { kind, device: words.device() };
    case 'vfio.getIrqInfo': {
      const index = parseIndex(words);
      const suffixes = parseSuffixes(words);
      return { kind, device: words.device(), index, ...suffixes };
    }
    case 'vfio.setIrqs': {
      const index = parseIndex(words);
      const flags = parseFlags(words);
      const range = words.matching(/^(\d+)\+(\d+)$/, 'start+count');
      const data = words.bracketed().map((word) => parseDataElement(word, words));
      const suffixes = parseSuffixes(words);
      return {
        kind,
        device: words.device(),
        flags,
        index,
        start: Number(range[1]),
        count: Number(range[2]),
        data,
        ...suffixes,
      };
    }
    case 'vfio.configWrite': {
      const field = words.oneOf('a field', CONFIG_FIELDS);
      const value = words.number('a value');
      return { kind, device: words.device(), field, value };
    }
    case 'vfio.configRead': {
      const field = words.oneOf('a field', CONFIG_FIELDS);
      return { kind, device: words.device(), field };
    }
    case 'vfio.tableWrite': {
      const vector = words.number('a vector');
      const value = words.number('a value');
      return { kind, device: words.device(), vector, value };
    }
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return { kind, eventfd: words.matching(/^e\d+$/, 'an eventfd such as e0')[0] as EventfdName };
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise': {
      const vector = words.number('a vector');
      return { kind, device: words.device(), vector };
    }
    case 'device.arm': {
      const vector = words.number('a vector');
      const window = words.oneOf('a window', WINDOWS);
      return { kind, device: words.device(), vector, window };
    }
    case 'host.limitVectors':
      return { kind, count: words.number('a count') };
    case 'host.failAllocation':
      return { kind, nth: words.number('a number') };
  }
}

function parseIndex(words: Words): number {
  const word = words.next('an index');
  const named = INDEX_NAMES.indexOf(word);
  if (named !== -1) return named;
  if (/^\d+$/.test(word)) return Number(word);
  throw words.unexpected(`one of ${INDEX_NAMES.join(', ')} or a number`, word);
}

function parseFlags(words: Words): number {
  const word = words.next('flags');
  return word.split('|').reduce((flags, name) => {
    const bit = FLAG_NAMES.indexOf(name);
    if (bit !== -1) return flags + (1 << (bit & 31));
    if (/^(0|0x[0-9a-f]+)$/.test(name)) return flags + Number(name);
    throw words.unexpected(`flags of ${FLAG_NAMES.join(', ')} or a hexadecimal number`, name);
  }, 0);
}

function parseDataElement(word: string, words: Words): DataElement {
  if (word === 'bad' || word === 'notEventfd') return word;
  if (/^e\d+$/.test(word)) return word as EventfdName;
  if (/^-?\d+$/.test(word)) return Number(word);
  throw words.unexpected('an eventfd, bad, notEventfd or a number', word);
}

function parseSuffixes(words: Words): { argsz?: number; unreadable?: true } {
  const argsz = words.optional(/^argsz=(\d+)$/);
  const unreadable = words.optional(/^unreadable$/);
  return {
    ...(argsz === undefined ? {} : { argsz: Number(argsz[1]) }),
    ...(unreadable === undefined ? {} : { unreadable: true as const }),
  };
}

export function printOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'ok':
      return 'ok';
    case 'irqInfo':
      return `flags ${outcome.flags} count ${outcome.count}`;
    case 'value':
      return `reads ${outcome.value}`;
    case 'status':
      return `status 0x${outcome.status.toString(16)}`;
    case 'errno':
      return outcome.errno;
    case 'positive':
      return `returns ${outcome.value}`;
    case 'unknown':
      return `unknown (${outcome.reason})`;
  }
}

export function printEvent(event: Event): string {
  switch (event.kind) {
    case 'raised':
      return `raised ${event.vector}${printAt(event.device)}${event.window === null ? '' : ` in ${event.window}`}`;
    case 'completed':
      return `descriptor ${event.descriptor}${printAt(event.device)} ${printStatus(event.status)}`;
    case 'error':
      return `SWERROR pasid ${event.pasid}${printAt(event.device)}`;
    case 'revoked':
      return `handles revoked${printAt(event.device)}`;
    case 'signalled':
      return `${event.eventfd} +${event.count}`;
    case 'message':
      return `message ${printMessage(event)}${printAt(event.device)}${event.count === 1 ? '' : ` x${event.count}`}`;
  }
}

function printAt(device: number): string {
  return device === 0 ? '' : ` @${device}`;
}

function printStatus(status: number): string {
  if (status === ABANDONED) return 'abandoned';
  return status === SUCCESS ? 'done' : `refused 0x${status.toString(16)}`;
}

/** A vector's state in words: `allocated armed unmasked`, or `idle` for 0. */
export function printVectorState(state: number): string {
  const names = STATE_NAMES.filter(([bit]) => (state & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? 'idle' : names.join(' ');
}

/** The registers of an observation in words: `INTx-status INTx-handler`, or `none`. */
export function printRegisters(registers: number): string {
  const names = REGISTER_NAMES.filter(([bit]) => (registers & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? 'none' : names.join(' ');
}

/** The changes of an observation, equal neighbours joined: `0-4 allocated armed unmasked; 5 allocated`. */
export function printChanges(observation: DeviceObservation): string {
  const runs: { first: number; last: number; state: number }[] = [];
  for (const { vector, state } of observation.changes) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === vector - 1 && run.state === state) run.last = vector;
    else runs.push({ first: vector, last: vector, state });
  }
  return runs
    .map(({ first, last, state }) => `${first === last ? first : `${first}-${last}`} ${printVectorState(state)}`)
    .join('; ');
}
