import { describe, expect, it } from 'vitest';
import { firstMessage } from '#vocabulary';
import { BELL, BELL_DEVICES, describeBells, describeFunction, seesMessage } from './pci-devices.ts';

function configOf(answer: string): Buffer {
  return Buffer.from(answer.split(' ').at(-1) ?? '', 'hex');
}

describe('the function', () => {
  const answer = describeFunction({ msixVectors: 10, whileOff: 'drops', intx: true, reset: true });

  it('is a PCI device that can be reset, with one BAR', () => {
    expect(answer.split(' ').slice(0, -1)).toEqual(['3', '5', '65536', '0', '0', '0', '0', '0']);
    expect(describeFunction({ msixVectors: 10, whileOff: 'drops' }).split(' ')[0]).toBe('2');
  });

  it('has an MSI-X capability with table and PBA in BAR 0, and its pin', () => {
    const config = configOf(answer);
    const pointer = config[0x34] ?? 0;
    expect(config[pointer]).toBe(0x11);
    expect(config.readUInt16LE(pointer + 2)).toBe(9);
    expect([config.readUInt32LE(pointer + 4), config.readUInt32LE(pointer + 8)]).toEqual([0, 0x8000]);
    expect(config[0x3d]).toBe(1);
  });

  it('has none of what it lacks', () => {
    const config = configOf(describeFunction({ msixVectors: 0, whileOff: 'drops' }));
    expect([config[0x06], config[0x34], config[0x3d]]).toEqual([0, 0, 0]);
  });
});

describe('bells and mailboxes', () => {
  it('begin with the bell, and have at most six BARs each, every one as large as it is aligned', () => {
    expect(BELL_DEVICES[0]?.[0]).toBe(BELL);
    for (const bars of BELL_DEVICES) {
      expect(bars.length).toBeLessThanOrEqual(6);
      for (const bar of bars) if (bar !== undefined) expect(bar.address % bar.bytes).toBe(0n);
    }
  });

  it('say which of their BARs take 64 bits', () => {
    const wide = BELL_DEVICES.at(-1) ?? [];
    const place = wide.findIndex((bar) => bar?.wide === true);
    expect(configOf(describeBells(wide)).readUInt32LE(0x10 + 4 * place)).toBe(4);
    expect(describeBells(wide).split(' ')[2 + place]).toBe(String(wide[place]?.bytes));
  });

  it.each([
    ['the first message of every vector', firstMessage(0, 2047), true],
    ['an address above 32 bits', { address: 0xfee00000, high: 1, data: 0 }, true],
    ['an address that ends where 64 bits do', { address: 0xfee00000, high: 0xffffffff, data: 0 }, true],
    ['the last of 32 bits', { address: 0xfffffffc, high: 0, data: 0 }, true],
    ['memory', { address: 0, high: 0, data: 0 }, false],
    ['the APIC', { address: 0xfee00000, high: 0, data: 0 }, false],
    ['no multiple of 4', { address: 0x100001, high: 0, data: 0 }, false],
    ['the BAR of the function itself', { address: 0xe0000000, high: 0, data: 0 }, false],
  ])('see a message to %s or not', (_what, message, seen) => {
    expect(seesMessage(message)).toBe(seen);
  });
});
