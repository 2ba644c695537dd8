import type { GuestOperation, Message } from './guest-operation.ts';
import type { Words } from './words.ts';

/** The arguments of a guest's operation, such as `2 +12/4 0xfffffffe`. `parseGuestArguments` reads them back. */
export function printGuestArguments(operation: GuestOperation): string {
  switch (operation.kind) {
    case 'guest.msixControl':
      return `${operation.enable ? ' enable' : ' disable'}${operation.functionMask ? ' function-mask' : ''}`;
    case 'guest.configWrite':
      return ` ${printPlace(operation)} ${printHex(operation.value)}`;
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba':
      return ` ${operation.vector}`;
    case 'guest.tableWrite': {
      const { vector, value, high } = operation;
      const upper = high === undefined ? '' : ` high=${printHex(high)}`;
      return ` ${vector} ${printPlace(operation)} ${printHex(value)}${upper}`;
    }
    case 'guest.tableRead':
      return ` ${operation.vector} +${operation.offset}`;
    case 'guest.busMaster':
      return operation.enable ? ' enable' : ' disable';
    case 'guest.reset':
      return '';
  }
}

function printPlace({ offset, width }: { readonly offset: number; readonly width: number }): string {
  return `+${offset}/${width}`;
}

function printHex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** A message: `0x4003 to 0x10000c`, the upper address before the lower one where it is not 0. */
export function printMessage({ address, high, data }: Message): string {
  const upper = high === 0 ? '' : `${printHex(high)}:`;
  return `${printHex(data)} to ${upper}${printHex(address)}`;
}

/** @throws NotationError */
export function parseGuestArguments(kind: GuestOperation['kind'], words: Words): GuestOperation {
  switch (kind) {
    case 'guest.msixControl': {
      const enable = parseEnable(words);
      const functionMask = words.optional(/^function-mask$/) !== undefined;
      return { kind, device: words.device(), enable, functionMask };
    }
    case 'guest.configWrite': {
      const place = parsePlace(words);
      const value = parseHex(words, 'a value');
      return { kind, device: words.device(), ...place, value };
    }
    case 'guest.mask':
    case 'guest.unmask':
    case 'guest.readPba': {
      const vector = words.number('a vector');
      return { kind, device: words.device(), vector };
    }
    case 'guest.tableWrite': {
      const vector = words.number('a vector');
      const place = parsePlace(words);
      const value = parseHex(words, 'a value');
      const high = words.optional(/^high=(0x[0-9a-f]+)$/);
      const upper = high === undefined ? {} : { high: Number(high[1]) };
      return { kind, device: words.device(), vector, ...place, value, ...upper };
    }
    case 'guest.tableRead': {
      const vector = words.number('a vector');
      const offset = Number(words.matching(/^\+(\d+)$/, '+offset')[1]);
      return { kind, device: words.device(), vector, offset };
    }
    case 'guest.busMaster': {
      const enable = parseEnable(words);
      return { kind, device: words.device(), enable };
    }
    case 'guest.reset':
      return { kind, device: words.device() };
  }
}

function parseEnable(words: Words): boolean {
  return words.oneOf('enable or disable', ['enable', 'disable']) === 'enable';
}

function parsePlace(words: Words): { readonly offset: number; readonly width: number } {
  const place = words.matching(/^\+(\d+)\/(\d+)$/, '+offset/width');
  return { offset: Number(place[1]), width: Number(place[2]) };
}

function parseHex(words: Words, expected: string): number {
  return Number(words.matching(/^(\d+|0x[0-9a-f]+)$/, expected)[0]);
}
