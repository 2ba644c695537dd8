import { describe, expect, it } from 'vitest';
import { firstMessage, type GuestOperation, isGuestOperation, parseOperation } from '#vocabulary';
import { GuestTable } from './guest-table.ts';
import { settle } from './received.ts';

function guest(line: string): GuestOperation {
  const operation = parseOperation(line);
  if (!isGuestOperation(operation)) throw new Error(`${line} is not the guest's`);
  return operation;
}

function written(lines: readonly string[]): GuestTable {
  const table = new GuestTable({ msixVectors: 2, whileOff: 'drops' }, 0);
  for (const line of lines) table.follow(guest(line));
  return table;
}

const { address, data } = firstMessage(0, 0);
const second = firstMessage(0, 1);

describe('what the guest has written', () => {
  it.each([
    ['4 bytes are stored', 'guest.tableWrite 0 +8/4 0xfffffffe', [address, 0, 0xfffffffe, 1]],
    ['1 and 2 bytes are not', 'guest.tableWrite 0 +8/2 0x5', [address, 0, data, 1]],
    ['8 bytes are two times 4', 'guest.tableWrite 0 +8/8 0x5 high=0x2', [address, 0, 5, 2]],
    ['8 bytes may begin at any 4', 'guest.tableWrite 0 +4/8 0x5 high=0x6', [address, 5, 6, 1]],
    ['of 8 bytes from byte 2 on the middle ones', 'guest.tableWrite 0 +2/8 0x11223344 high=0x55667788', [address]],
    ['the first 8 bytes', 'guest.tableWrite 0 +0/8 0x5 high=0x6', [5, 6, data, 1]],
    ['4 bytes from byte 1 on are not', 'guest.tableWrite 0 +9/4 0xffffffff', [address, 0, data, 1]],
    ['unmasking clears reserved bits too', 'guest.unmask 0', [address, 0, data, 0]],
    ['what is beyond the table is not', 'guest.tableWrite 2 +0/4 0x5', [address, 0, data, 1]],
  ])('%s', (_what, line, entry) => {
    const table = written([line]);
    expect([0, 4, 8, 12].slice(0, entry.length).map((offset) => table.read(0, offset))).toEqual(entry);
  });

  it('takes the bytes of a split write from where they stand', () => {
    expect(written(['guest.tableWrite 0 +2/8 0x11223344 high=0x55667788']).read(0, 4)).toBe(0x77881122);
  });

  it('goes on in the next entry, and not beyond the last', () => {
    expect(written(['guest.tableWrite 0 +12/8 0x0 high=0x9']).read(1, 0)).toBe(9);
    const last = written(['guest.tableWrite 1 +12/8 0x0 high=0x9']);
    expect([last.unmasked.has(1), last.read(0, 0)]).toEqual([true, address]);
  });

  it.each([
    ['guest.configWrite +2/2 0xc7ff', true, true],
    ['guest.configWrite +3/1 0x40', false, true],
    ['guest.configWrite +0/4 0x80000000', true, false],
    ['guest.configWrite +2/1 0xff', false, false],
    ['guest.configWrite +4/4 0xffffffff', false, false],
  ])('has Message Control by %s', (line, enable, functionMask) => {
    expect(written([line]).gates).toMatchObject({ enable, functionMask });
  });

  it('is nothing but masks after a reset', () => {
    const table = written(['guest.unmask 1', 'guest.msixControl enable', 'guest.reset']);
    expect([0, 4, 8, 12].map((offset) => table.read(1, offset))).toEqual([0, 0, 0, 1]);
    expect(table.gates).toEqual({ enable: false, functionMask: false, busMaster: false });
    expect([table.wasOpen(1), table.isOpen(1)]).toEqual([true, false]);
    expect(table.messages(1)).toContainEqual(second);
  });

  it('keeps what an open vector has said until it has been closed', () => {
    const lines = ['guest.msixControl enable', 'guest.unmask 1', 'guest.tableWrite 1 +8/4 0x7'];
    const now = { ...second, data: 7 };
    expect(written(lines).messages(1)).toMatchObject([now, second]);
    expect(written([...lines, 'guest.mask 1']).messages(1)).toMatchObject([now, second]);
    expect(written([...lines, 'guest.mask 1', 'guest.unmask 1']).messages(1)).toMatchObject([now]);
    expect(written([...lines, 'guest.msixControl disable', 'guest.unmask 1']).messages(1)).toHaveLength(1);
  });

  it('is no Message Control where there is no capability', () => {
    const table = new GuestTable({ msixVectors: 0, whileOff: 'drops' }, 0);
    table.follow(guest('guest.msixControl enable'));
    expect(table.gates.enable).toBe(false);
  });
});

describe('messages and claims', () => {
  const a = firstMessage(0, 0);
  const b = firstMessage(0, 1);

  it('are matched so that as many debts as possible are met', () => {
    const claims = [
      { vector: 0, messages: [a, b], most: 1, least: 1 },
      { vector: 1, messages: [a], most: 1, least: 1 },
    ] as const;
    const both = settle(claims, [
      { message: a, count: 1 },
      { message: b, count: 1 },
    ]);
    expect(both).toEqual({
      told: new Map([
        [0, { least: 1, most: 1 }],
        // The message may have been the other's, for all that can be seen.
        [1, { least: 0, most: 1 }],
      ]),
      unmet: [],
      unexplained: [],
    });
    expect(settle(claims, [{ message: b, count: 1 }])).toMatchObject({ unmet: [1], unexplained: [] });
  });

  it('are matched so that as many messages as possible are explained', () => {
    const claims = [
      { vector: 0, messages: [a, b], most: 2, least: 1 },
      { vector: 1, messages: [a], most: 1, least: 0 },
    ] as const;
    const received = [
      { message: a, count: 2 },
      { message: b, count: 1 },
    ];
    expect(settle(claims, received)).toMatchObject({ unmet: [], unexplained: [] });
    expect(settle(claims, [{ message: a, count: 9 }]).unexplained).toEqual([a]);
    expect(settle([], [{ message: b, count: 2 }]).unexplained).toEqual([b]);
  });
});
