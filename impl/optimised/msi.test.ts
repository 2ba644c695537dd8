import { describe, expect, it } from 'vitest';
import type { Config, PciFunction } from '#vocabulary';
import { A, B, B_STATIC, COLUMNS, last, lastOf } from './answer.fixture.ts';

const SIXTEEN: PciFunction = { msixVectors: 0, whileOff: 'drops', msiVectors: 16, reset: true, powerManagement: true };
const BOTH: PciFunction = { msixVectors: 4, whileOff: 'latches', msiVectors: 4 };

const msi = (range: string, data: string): string => `vfio.setIrqs MSI EVENTFD|TRIGGER ${range} [${data}]`;
const none = (range: string): string => `vfio.setIrqs MSI NONE|TRIGGER ${range} []`;

const FOUR = msi('0+4', 'e0 e1 e2 e3');
const EIGHT = msi('0+8', 'e10 e11 e12 e13 e14 e15 e16 e17');
const ON = 'off {MSI-enable MSI-message}';

describe.each(COLUMNS)('MSI, every column answers the same: %s', (_, host) => {
  const answer = (...lines: readonly string[]): string => last(host, SIXTEEN, ...lines);
  const remapped = (interruptRemapping: false | undefined, ...lines: readonly string[]): string => {
    const config: Config = {
      host,
      devices: [SIXTEEN],
      ...(interruptRemapping === false ? { interruptRemapping } : {}),
    };
    return lastOf(config, ...lines);
  };

  it('is told by GET_IRQ_INFO, and NORESIZE is always set; so it is for a function without MSI-X', () => {
    expect(answer('vfio.getIrqInfo MSI')).toBe('flags 9 count 16 | off');
    expect(answer('vfio.getIrqInfo MSIX')).toBe('flags 9 count 0 | off');
  });

  it('allocates as many as asked for, and has events for the next power of two', () => {
    const three = msi('0+3', 'e0 e1 e2');
    const states = `${ON} 0-2 allocated armed`;
    expect(answer(three)).toBe(`ok | ${states}`);
    expect(answer(three, 'device.raise 2')).toBe(`ok | raised 2, e2 +1 | ${states}`);
    expect(answer(three, 'device.raise 3')).toBe(`ok | raised 3 | ${states}`);
    expect(answer(FOUR, 'device.raise 4')).toBe(`ok | raised 4 | ${ON} 0-3 allocated armed`);
    expect(answer(three, none('2+0'))).toBe('ok | off');
    expect(answer(three, none('2+0'), none('2+0'))).toBe('EINVAL | off');
  });

  it('loses an event while it is off, also of a function that latches for MSI-X', () => {
    expect(answer('device.raise 0', FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
    expect(last(host, { ...SIXTEEN, whileOff: 'latches' }, 'device.raise 0')).toBe('ok | raised 0 | off');
  });

  it('of a function with both is what tells an event while it is on; while neither is, MSI-X does', () => {
    expect(last(host, BOTH, 'device.raise 0')).toBe('ok | raised 0 | off 0 pending');
    expect(last(host, BOTH, FOUR, 'device.raise 3')).toBe(`ok | raised 3, e3 +1 | ${ON} 0-3 allocated armed`);
    expect(last(host, BOTH, FOUR, 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e9]')).toBe(
      `EINVAL | ${ON} 0-3 allocated armed`,
    );
  });

  it('K14 of MSI: no vector is ERANGE', () => {
    expect(answer(msi('0+0', ''))).toBe('ERANGE | off');
  });

  it('K36 inside the allocation: a bad descriptor takes the triggers up to it', () => {
    expect(answer(FOUR, msi('1+3', 'e5 bad e7'))).toBe(
      `EBADF | ${ON} 0 allocated armed; 1-2 allocated; 3 allocated armed`,
    );
  });

  it('K38: without interrupt remapping several vectors are one, and none is set up', () => {
    expect(remapped(undefined, FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
    expect(remapped(false, FOUR)).toBe('returns 1 | off');
    expect(remapped(false, msi('0+1', 'e0'))).toBe(`ok | ${ON} 0 allocated armed`);
  });

  it('the first allocation of several fails: there could have been one; of one: there is none', () => {
    expect(answer('host.failAllocation 1', FOUR)).toBe('returns 1 | off');
    expect(answer('host.failAllocation 1', msi('0+1', 'e0'))).toBe('ENOSPC | off');
    expect(remapped(false, 'host.failAllocation 1', FOUR)).toBe('ENOSPC | off');
    expect(answer('host.failAllocation 2', FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
    expect(answer('host.failAllocation 2', FOUR, none('0+0'), FOUR)).toBe('returns 1 | off');
    expect(answer('host.failAllocation 1', FOUR, FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
  });

  it('that had fewer vectors than asked for has given them all back', () => {
    expect(remapped(false, 'host.limitVectors 1', FOUR, msi('0+1', 'e0'))).toBe(`ok | ${ON} 0 allocated armed`);
    expect(remapped(false, 'host.limitVectors 0', FOUR)).toBe('ENOSPC | off');
  });

  it('takes vectors of the host when it is turned on, and gives them back', () => {
    const bare = msi('0+4', '-1 -1 -1 -1');
    expect(answer('host.limitVectors 3', FOUR)).toBe('ENOSPC | off');
    expect(answer('host.limitVectors 4', bare, msi('0+1', 'e0'))).toBe(`ok | ${ON} 0 allocated armed; 1-3 allocated`);
    expect(answer('host.limitVectors 4', bare, none('0+0'), FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
    expect(answer('host.limitVectors 4', FOUR, none('0+0'), FOUR)).toBe(`ok | ${ON} 0-3 allocated armed`);
    // A vector that lost its trigger keeps its vector of the host.
    const second = `${msi('0+1', 'e9')} @1`;
    const two = [SIXTEEN, SIXTEEN];
    expect(last(host, two, 'host.limitVectors 4', FOUR, msi('3+1', '-1'), second)).toBe(
      `ENOSPC | ${ON} 0-2 allocated armed; 3 allocated / off`,
    );
    expect(answer('host.limitVectors 4', FOUR, msi('3+1', '-1'), msi('3+1', 'e8'))).toBe(
      `ok | ${ON} 0-3 allocated armed`,
    );
    expect(answer('host.limitVectors 4', FOUR, msi('3+1', '-1'), none('0+0'), FOUR)).toBe(
      `ok | ${ON} 0-3 allocated armed`,
    );
  });

  it('K75: without a trigger vector 0 takes the address from all, and an event is lost', () => {
    const states = 'off {MSI-enable} 0 allocated; 1-3 allocated armed';
    const without = [FOUR, msi('0+1', '-1')];
    expect(answer(...without)).toBe(`ok | ${states}`);
    expect(answer(...without, 'device.raise 0')).toBe(`ok | raised 0 | ${states}`);
    expect(answer(...without, 'device.raise 1')).toBe(`ok | raised 1 | ${states}`);
    expect(answer(...without, 'device.raise 0', msi('0+1', 'e5'))).toBe(`ok | ${ON} 0-3 allocated armed`);
    expect(answer(FOUR, msi('1+1', '-1'), 'device.raise 1', msi('1+1', 'e5'))).toBe(`ok | ${ON} 0-3 allocated armed`);
  });

  it('keeps a message from before the first handler for it, once, whether MSI is on then or not', () => {
    const bare = msi('0+2', '-1 -1');
    const fired = [bare, 'device.raise 1', 'device.raise 1'];
    expect(answer(...fired)).toBe(`ok | raised 1 | ${ON} 0-1 allocated`);
    expect(answer(...fired, msi('0+2', 'e0 e1'))).toBe(`ok | e1 +1 | ${ON} 0-1 allocated armed`);
    expect(answer(...fired, msi('1+1', 'e1'), msi('1+1', 'e2'))).toBe(`ok | ${ON} 0 allocated; 1 allocated armed`);
    expect(answer(...fired, 'vfio.configWrite msiEnable 0', msi('1+1', 'e1'))).toBe(
      'ok | e1 +1 | off {MSI-message} 0 allocated; 1 allocated armed',
    );
    expect(answer(...fired, none('0+0'), bare, msi('1+1', 'e1'))).toBe(`ok | ${ON} 0 allocated; 1 allocated armed`);
  });

  it('an armed event happens in the gap after it is turned off', () => {
    expect(answer(FOUR, 'device.arm 0 teardown-gap', none('0+0'))).toBe('ok | raised 0 in teardown-gap | off');
  });

  it('K72, K73, K74: the Enable bit of the user', () => {
    const off = 'off {MSI-message} 0-3 allocated armed';
    expect(answer(FOUR, 'vfio.configRead msiEnable')).toBe(`reads 0 | ${ON} 0-3 allocated armed`);
    expect(answer(FOUR, 'vfio.configWrite msiEnable 0')).toBe(`ok | ${off}`);
    expect(answer(FOUR, 'vfio.configWrite msiEnable 0', 'device.raise 0')).toBe(`ok | raised 0 | ${off}`);
    const again = [FOUR, 'vfio.configWrite msiEnable 0', 'vfio.configWrite msiEnable 1'];
    expect(answer(...again, 'device.raise 0')).toBe(`ok | raised 0, e0 +1 | ${ON} 0-3 allocated armed`);
    expect(answer(...again, 'vfio.configRead msiEnable')).toBe(`reads 1 | ${ON} 0-3 allocated armed`);
    expect(answer('vfio.configWrite msiEnable 1')).toBe('ok | off');
    expect(answer('vfio.configWrite msiEnable 1', 'vfio.configRead msiEnable')).toBe('reads 0 | off');
    expect(answer(...again, 'vfio.close', 'vfio.open', 'vfio.configRead msiEnable')).toBe('reads 0 | off');
  });

  it('K52 of MSI: in D3hot nothing is set up, and that comes before an empty range', () => {
    expect(answer('vfio.configWrite power 3', FOUR)).toBe('EINVAL | off');
    expect(answer('vfio.configWrite power 3', msi('0+0', ''))).toBe('EINVAL | off');
  });

  it('in D3hot the message of the function stays as it is', () => {
    const kept = [FOUR, 'vfio.configWrite power 3', msi('0+1', '-1')];
    expect(answer(...kept)).toBe(`ok | ${ON} 0 allocated; 1-3 allocated armed`);
    expect(answer(...kept, 'vfio.configWrite power 0', 'device.raise 0')).toBe(
      `ok | raised 0 | ${ON} 0 allocated; 1-3 allocated armed`,
    );
    // The irq is not active any more, so nobody clears the message when it is freed.
    const left = [...kept, 'vfio.configWrite power 0', none('0+0')];
    expect(answer(...left)).toBe('ok | off {MSI-message}');
    expect(answer(...left, FOUR, none('0+0'))).toBe('ok | off');
    const back = [FOUR, msi('0+1', '-1'), 'vfio.configWrite power 3', msi('0+1', 'e5'), 'vfio.configWrite power 0'];
    expect(answer(...back, 'device.raise 0')).toBe('ok | raised 0 | off {MSI-enable} 0-3 allocated armed');
  });

  it('K55 of MSI: a reset keeps the triggers, and leaves Interrupt Disable set', () => {
    const states = 'off {MSI-enable MSI-message INTx-disable} 0-3 allocated armed';
    expect(answer(FOUR, 'vfio.reset')).toBe(`ok | ${states}`);
    expect(answer(FOUR, 'vfio.reset', 'device.raise 3')).toBe(`ok | raised 3, e3 +1 | ${states}`);
    expect(answer(FOUR, msi('0+1', '-1'), 'vfio.reset')).toBe(
      'ok | off {MSI-enable INTx-disable} 0 allocated; 1-3 allocated armed',
    );
  });
});

describe('MSI, where the columns differ', () => {
  const column =
    (host: typeof A) =>
    (...lines: readonly string[]) =>
      last(host, SIXTEEN, ...lines);
  const armed = `${ON} 0-3 allocated armed`;

  it('K35: more than there are is EINVAL; by vector, the triggers before the missing one are lost', () => {
    expect(column(A)(FOUR, EIGHT)).toBe(`EINVAL | ${armed}`);
    for (const host of [B, B_STATIC]) expect(column(host)(FOUR, EIGHT)).toBe('EINVAL | off {MSI-enable} 0-3 allocated');
  });

  it('K36: only those of the range are lost', () => {
    expect(column(A)(FOUR, msi('3+2', 'e5 e6'))).toBe(`EINVAL | ${armed}`);
    for (const host of [B, B_STATIC])
      expect(column(host)(FOUR, msi('3+2', 'e5 e6'))).toBe(`EINVAL | ${ON} 0-2 allocated armed; 3 allocated`);
  });

  it('K37: to remove what there is not', () => {
    const bare = msi('0+8', '-1 -1 -1 -1 -1 -1 -1 -1');
    expect(column(A)(FOUR, bare)).toBe(`EINVAL | ${armed}`);
    expect(column(B)(FOUR, bare)).toBe('ok | off {MSI-enable} 0-3 allocated');
  });

  it('K29 of MSI: loopback beyond the allocation', () => {
    expect(column(A)(FOUR, none('3+3'))).toBe(`EINVAL | ${armed}`);
    expect(column(B)(FOUR, none('3+3'))).toBe(`ok | e3 +1 | ${armed}`);
  });
});
