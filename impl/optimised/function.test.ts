import { describe, expect, it } from 'vitest';
import type { HostTraits, PciFunction } from '#vocabulary';
import { A, B, B_STATIC, COLUMNS, eventfds, last, none } from './answer.fixture.ts';

const FULL: PciFunction = { msixVectors: 40, whileOff: 'latches', reset: true, powerManagement: true };
const BARE: PciFunction = { msixVectors: 40, whileOff: 'latches' };

const ON = eventfds('0+2', 'e0 e1');
const STATES = 'on 0-1 allocated armed unmasked';
const D3HOT = 'vfio.configWrite power 3';
const D0 = 'vfio.configWrite power 0';

describe.each(COLUMNS)('a function and its regions: %s', (_, host) => {
  const answer = (...lines: readonly string[]): string => last(host, FULL, ...lines);
  const bare = (...lines: readonly string[]): string => last(host, BARE, ...lines);

  it('K55: a reset keeps type, irqs and triggers, and clears what was pending', () => {
    expect(answer(ON, 'vfio.reset')).toBe(`ok | ${STATES}`);
    expect(answer(ON, 'vfio.reset', 'device.raise 1')).toBe(`ok | raised 1, e1 +1 | ${STATES}`);
    expect(answer(ON, 'device.raise 5', 'vfio.reset')).toBe(`ok | ${STATES}`);
    expect(answer(ON, eventfds('0+1', '-1'), 'vfio.reset')).toBe('ok | on 0 allocated; 1 allocated armed unmasked');
    expect(answer(ON, D3HOT, 'vfio.reset', 'vfio.configRead power')).toBe(`reads 0 | ${STATES}`);
    expect(answer('vfio.reset')).toBe('ok | off');
    // A function without INTx shows nothing of Interrupt Disable; one with a pin does, if MSI-X is on.
    const pin: PciFunction = { ...FULL, intx: true };
    expect(last(host, pin, ON, 'vfio.reset')).toBe('ok | on {INTx-disable} 0-1 allocated armed unmasked');
    expect(last(host, pin, 'device.assertIntx', 'vfio.reset')).toBe('ok | off');
  });

  it('K56: without a reset of its own it is EINVAL', () => {
    expect(bare(ON, 'vfio.reset')).toBe(`EINVAL | ${STATES}`);
  });

  it('a reset with memory decode off restores the table all the same', () => {
    expect(answer(ON, 'vfio.configWrite memory 0', 'vfio.reset')).toBe(`ok | ${STATES}`);
  });

  it('a function that can be reset loses its pending bits with the last close; another keeps them', () => {
    const pending = [ON, 'device.raise 5', none('0+0')];
    expect(answer(...pending)).toBe('ok | off 5 pending');
    expect(answer(...pending, 'vfio.close')).toBe('ok | off');
    expect(bare(...pending, 'vfio.close')).toBe('ok | off 5 pending');
    expect(answer('vfio.close', 'device.raise 5')).toBe('ok | raised 5 | off 5 pending');
    expect(answer('vfio.close', 'device.raise 5', 'vfio.open')).toBe('ok | off');
    expect(answer('vfio.close', 'vfio.reset')).toBe('EBADF | off');
  });

  it('K76: a lost table is not noticed, and a trigger that is set again heals its own vector', () => {
    const lost = [ON, 'device.wipe'];
    expect(answer(...lost)).toBe('ok | on 0-1 allocated armed');
    expect(answer(...lost, 'device.raise 0', eventfds('0+1', 'e5'))).toBe(
      'ok | e5 +1 | on 0 allocated armed unmasked; 1 allocated armed',
    );
    expect(answer(ON, 'device.raise 5', 'device.wipe')).toBe(`ok | on 0-1 allocated armed; 5 pending`);
    expect(answer(...lost, 'vfio.reset')).toBe(`ok | ${STATES}`);
  });

  it('K54: without bus mastering an event is lost; the first open turns it on', () => {
    const off = [ON, 'vfio.configWrite busMaster 0'];
    expect(answer(...off, 'device.raise 0')).toBe(`ok | raised 0 | ${STATES}`);
    expect(answer(...off, 'vfio.configRead busMaster')).toBe(`reads 0 | ${STATES}`);
    expect(answer(...off, 'device.raise 0', 'vfio.configWrite busMaster 1')).toBe(`ok | ${STATES}`);
    expect(answer(...off, 'vfio.close', 'vfio.open', ON, 'device.raise 0')).toBe(`ok | raised 0, e0 +1 | ${STATES}`);
    // What is pending when the entry is unmasked goes the same way.
    expect(answer('vfio.configWrite busMaster 0', 'device.raise 0', ON)).toBe(`ok | ${STATES}`);
  });

  it('K52: in D3hot MSI-X is not set up; an empty range comes before that', () => {
    expect(answer(D3HOT, ON)).toBe('EINVAL | off');
    expect(answer(D3HOT, eventfds('0+0', ''))).toBe('ERANGE | off');
    expect(answer(D3HOT, D0, ON)).toBe(`ok | ${STATES}`);
    expect(answer(D3HOT, 'vfio.configRead power')).toBe('reads 3 | off');
    expect(answer(D3HOT, 'vfio.close', 'vfio.open', ON)).toBe(`ok | ${STATES}`);
  });

  it('K53: in D3hot the table keeps its messages, and an event is forgotten', () => {
    expect(answer(ON, D3HOT, 'device.raise 0')).toBe(`ok | raised 0 | ${STATES}`);
    expect(answer(D3HOT, 'device.raise 0')).toBe('ok | raised 0 | off');
    expect(answer(ON, D3HOT, eventfds('0+1', 'e5'))).toBe(`ok | ${STATES}`);
    expect(answer(ON, D3HOT, eventfds('0+1', 'e5'), D0, 'device.raise 0')).toBe(`ok | raised 0, e5 +1 | ${STATES}`);
    // A message that was taken away in D0 is missing when the trigger comes in D3hot.
    const missing = [ON, eventfds('0+1', '-1'), D3HOT, eventfds('0+1', 'e5'), D0];
    const states = 'on 0 allocated armed unmasked address-0; 1 allocated armed unmasked';
    expect(answer(...missing)).toBe(`ok | ${states}`);
    expect(answer(...missing, 'device.raise 0')).toBe(`ok | raised 0 | ${states}`);
    expect(answer(...missing, eventfds('0+1', 'e6'), 'device.raise 0')).toBe(`ok | raised 0, e6 +1 | ${STATES}`);
    expect(answer(...missing, 'vfio.reset', 'device.raise 0')).toBe(`ok | raised 0, e5 +1 | ${STATES}`);
    // A reset writes back what the kernel has, which of such a vector is nothing.
    const reset = [ON, eventfds('0+1', '-1'), 'vfio.reset', D3HOT, eventfds('0+1', 'e5'), D0];
    expect(answer(...reset, 'device.raise 0')).toBe(`ok | raised 0 | ${states}`);
  });

  it('a silent function has no events, and they are told all the same', () => {
    const silent: PciFunction = { ...FULL, silent: true };
    expect(last(host, silent, ON, 'device.raise 0')).toBe(`ok | raised 0 | ${STATES}`);
    expect(last(host, silent, 'device.raise 0')).toBe('ok | raised 0 | off');
  });

  it('the allocation of an irq fails: there could have been as many as before it', () => {
    expect(answer('host.failAllocation 1', ON)).toBe('ENOSPC | off');
    expect(answer('host.failAllocation 2', ON)).toBe('returns 1 | off');
    expect(answer('host.failAllocation 3', ON)).toBe(`ok | ${STATES}`);
    expect(answer('host.failAllocation 3', ON, none('0+0'), ON)).toBe('ENOSPC | off');
    expect(answer('host.failAllocation 4', ON, none('0+0'), ON)).toBe('returns 1 | off');
    expect(answer('host.failAllocation 2', ON, ON)).toBe(`ok | ${STATES}`);
    expect(answer('host.failAllocation 2', 'host.failAllocation 3', ON)).toBe(`ok | ${STATES}`);
  });

  it('K57: a mapping holds the device when its descriptors are closed', () => {
    const mapped = [ON, 'vfio.mapBar', 'vfio.close'];
    expect(answer(...mapped, 'device.raise 0')).toBe(`ok | raised 0, e0 +1 | ${STATES}`);
    expect(answer(...mapped, ON)).toBe(`EBADF | ${STATES}`);
    expect(answer(...mapped, 'vfio.mapBar')).toBe(`EBADF | ${STATES}`);
    expect(answer(...mapped, 'vfio.unmapBar')).toBe('ok | off');
    expect(answer(...mapped, 'vfio.open', 'vfio.unmapBar')).toBe(`ok | ${STATES}`);
    expect(answer(ON, 'vfio.mapBar', ...mapped, 'vfio.unmapBar')).toBe(`ok | ${STATES}`);
    expect(answer(ON, 'vfio.unmapBar', 'vfio.unmapBar')).toBe(`ok | ${STATES}`);
    expect(answer('vfio.close', 'vfio.unmapBar', 'vfio.open', ON)).toBe(`ok | ${STATES}`);
  });

  it('K47: Message Control of MSI-X reads as it is, and what is written is dropped', () => {
    expect(answer('vfio.configRead msixControl')).toBe('reads 39 | off');
    expect(answer(ON, 'vfio.configRead msixControl')).toBe(`reads ${0x8000 + 39} | ${STATES}`);
    expect(answer(ON, 'vfio.configWrite msixControl 0')).toBe(`ok | ${STATES}`);
    expect(answer('vfio.configWrite msixControl 49152')).toBe('ok | off');
  });

  it('a field of a capability that is not there is EINVAL', () => {
    const nothing: PciFunction = { msixVectors: 0, whileOff: 'drops' };
    for (const field of ['power', 'msiEnable', 'msixControl']) {
      expect(last(host, nothing, `vfio.configRead ${field}`), field).toBe('EINVAL | off');
      expect(last(host, nothing, `vfio.configWrite ${field} 0`), field).toBe('EINVAL | off');
    }
    for (const field of ['intxDisable', 'busMaster'])
      expect(last(host, nothing, `vfio.configWrite ${field} 1`, `vfio.configRead ${field}`), field).toBe(
        'reads 1 | off',
      );
  });

  it('K48: the table reads as ones and drops what is written; the PBA reads as it is', () => {
    expect(answer(ON, 'vfio.tableRead 0')).toBe(`reads 4294967295 | ${STATES}`);
    expect(answer(D3HOT, 'vfio.tableRead 39')).toBe('reads 4294967295 | off');
    expect(answer(ON, 'vfio.tableWrite 0 1')).toBe(`ok | ${STATES}`);
    const pending = ['device.raise 1', 'device.raise 31', 'device.raise 35'];
    expect(answer(...pending, 'vfio.pbaRead 0')).toBe('reads 2147483650 | off 1 pending; 31 pending; 35 pending');
    expect(answer(...pending, 'vfio.pbaRead 39')).toBe('reads 8 | off 1 pending; 31 pending; 35 pending');
    for (const line of ['vfio.tableRead 40', 'vfio.tableWrite 40 1', 'vfio.pbaRead 40', 'vfio.pbaRead 4294967295'])
      expect(answer(line), line).toBe('EINVAL | off');
  });

  it('K51: without memory decode, or in D3hot, the PBA is EIO; MSI-X is set up all the same', () => {
    expect(answer('vfio.configWrite memory 0', 'vfio.pbaRead 0')).toBe('EIO | off');
    expect(answer('vfio.configWrite memory 0', 'vfio.configRead memory')).toBe('reads 0 | off');
    expect(answer('vfio.configWrite memory 0', 'vfio.configWrite memory 1', 'vfio.pbaRead 0')).toBe('reads 0 | off');
    expect(answer('vfio.configWrite memory 0', 'vfio.close', 'vfio.open', 'vfio.pbaRead 0')).toBe('reads 0 | off');
    expect(answer(D3HOT, 'vfio.pbaRead 0')).toBe('EIO | off');
    expect(answer('vfio.configWrite memory 0', ON)).toBe(`ok | ${STATES}`);
  });

  it('an armed event happens after whatever `vfio.` call comes next on the device', () => {
    const arm = 'device.arm 0 teardown-gap';
    for (const line of ['vfio.reset', 'vfio.mapBar', 'vfio.unmapBar', 'vfio.configRead memory', 'vfio.tableRead 0'])
      expect(answer(ON, arm, line), line).toMatch(/\| raised 0, e0 \+1 \|/);
    for (const line of ['device.wipe', 'vfio.writeEventfd e9', 'host.limitVectors 3'])
      expect(answer(ON, arm, line), line).not.toMatch(/raised/);
  });
});

describe('where the columns differ, a vector that is added', () => {
  const answers = (...lines: readonly string[]): readonly string[] =>
    [A, B, B_STATIC].map((host: HostTraits) => last(host, FULL, ...lines));

  it('K53: in D3hot has no message', () => {
    expect(answers(ON, D3HOT, eventfds('2+1', 'e2'))).toEqual([
      `EINVAL | ${STATES}`,
      'ok | on 0-1 allocated armed unmasked; 2 allocated armed unmasked address-0',
      `EINVAL | ${STATES}`,
    ]);
  });

  it('is not there when its allocation fails, nor are the triggers before it', () => {
    const add = ['host.failAllocation 2', eventfds('1+3', 'e1 e2 e3')];
    expect(answers(ON, ...add)).toEqual([
      `EINVAL | ${STATES}`,
      'ENOSPC | on 0 allocated armed unmasked; 1-2 allocated',
      'EINVAL | on 0 allocated armed unmasked; 1 allocated',
    ]);
  });

  it('is restored by a reset as the others are', () => {
    expect(answers(ON, eventfds('5+1', 'e5'), 'vfio.reset')[1]).toBe(
      'ok | on 0-1 allocated armed unmasked; 5 allocated armed unmasked',
    );
  });
});
