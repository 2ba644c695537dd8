import { describe, expect, it } from 'vitest';
import { PENDING, parseOperation, UNMASKED } from '#vocabulary';
import { accesses, layoutOf, look, rewind, ring, see, setUpMachine } from './guest.ts';

const SELECT = 'outl 0xcf8 0x80010870';

function lines(operation: string, vectors = 10): readonly string[] {
  const parsed = parseOperation(operation);
  if (!parsed.kind.startsWith('guest.')) throw new Error(`${operation} is no guest's`);
  return accesses(parsed as Parameters<typeof accesses>[0], layoutOf(vectors));
}

describe('the accesses of a guest', () => {
  it.each([
    ['guest.msixControl enable', [SELECT, 'outw 0xcfe 0x8000']],
    ['guest.msixControl enable function-mask', [SELECT, 'outw 0xcfe 0xc000']],
    ['guest.msixControl disable', [SELECT, 'outw 0xcfe 0x0']],
    ['guest.mask 3', ['writel 0xe000003c 0x1']],
    ['guest.unmask 3', ['writel 0xe000003c 0x0']],
    ['guest.tableWrite 1 +8/4 0xfffffffe', ['writel 0xe0000018 0xfffffffe']],
    ['guest.tableWrite 1 +8/8 0x41 high=0x1', ['writeq 0xe0000018 0x100000041']],
    ['guest.tableWrite 1 +3/2 0x12345', ['writew 0xe0000013 0x2345']],
    ['guest.tableRead 2 +12', ['readl 0xe000002c']],
    ['guest.readPba 9', ['readl 0xe0008000']],
    ['guest.readPba 33', ['readl 0xe0008004']],
  ])('%s: %j', (operation, expected) => {
    expect(lines(operation)).toEqual(expected);
  });

  it('write Command beside the capability', () => {
    expect(lines('guest.busMaster enable')).toEqual(['outl 0xcf8 0x80010804', 'outw 0xcfc 0x6']);
  });

  it.each([
    ['+2/2', [SELECT, 'outw 0xcfe 0x2211']],
    ['+0/4', [SELECT, 'outl 0xcfc 0x44332211']],
    ['+3/2', [SELECT, 'outb 0xcff 0x11', 'outl 0xcf8 0x80010874', 'outb 0xcfc 0x22']],
    ['+1/4', [SELECT, 'outb 0xcfd 0x11', SELECT, 'outw 0xcfe 0x3322', 'outl 0xcf8 0x80010874', 'outb 0xcfc 0x44']],
  ])('write %s of the capability in pieces that lie in one register', (place, expected) => {
    expect(lines(`guest.configWrite ${place} 0x44332211`)).toEqual(expected);
  });

  it('have no capability to write to in a function without MSI-X', () => {
    expect([lines('guest.msixControl enable', 0), lines('guest.configWrite +2/2 0', 0)]).toEqual([[], []]);
  });

  it('reset the bus of the function alone, and find its BAR again without bus master', () => {
    expect(lines('guest.reset').filter((line) => !line.startsWith('outl 0xcf8'))).toEqual([
      'outw 0xcfe 0x40',
      'outw 0xcfe 0x0',
      'outl 0xcfc 0xe0000000',
      'outw 0xcfc 0x2',
    ]);
  });
});

describe('what a guest sees', () => {
  it('is read in few lines and told by vector', () => {
    const table = Buffer.alloc(32);
    table.writeUInt32LE(0xfffffffe, 12);
    table.writeUInt32LE(1, 28);
    const answers = ['0x0000000000000007', '', '0xc001', table.toString('base64'), Buffer.from([2]).toString('base64')];
    expect(look(layoutOf(2))).toHaveLength(answers.length);
    expect(see(answers, layoutOf(2))).toEqual({
      enable: true,
      functionMask: true,
      states: Uint8Array.of(UNMASKED, PENDING),
      told: 7,
    });
  });

  it('is nothing of MSI-X where there is none', () => {
    expect(see(['0x3'], layoutOf(0))).toEqual({
      enable: false,
      functionMask: false,
      states: new Uint8Array(0),
      told: 3,
    });
    expect(look(layoutOf(0))).toHaveLength(1);
  });
});

describe('the machine', () => {
  it('goes back to its first state by guest means, its first messages in the table', () => {
    const table = rewind(layoutOf(2), 1).findLast((line) => line.startsWith('write '));
    expect(table).toBe('write 0xe0000000 0x20 0x0000100000000000004000000100000004001000000000000140000001000000');
  });

  it('lets the guest ring an eventfd by its serial number', () => {
    expect(ring(77)).toBe('writel 0xe8000000 0x4d');
  });

  it('puts every BAR of ours where nothing else is', () => {
    expect(setUpMachine()).toContain('outl 0xcfc 0xe8000000');
    expect(
      setUpMachine()
        .filter((line) => line.startsWith('out'))
        .every((line) => /^out[lw] 0xcf/.test(line)),
    ).toBe(true);
  });
});
