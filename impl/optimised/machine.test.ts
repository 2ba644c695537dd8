import { describe, expect, it } from 'vitest';
import type { HostTraits, Operation, PciFunction, Trace } from '#vocabulary';
import { HarnessError, MSIX_VECTORS_MAX, OPERATION_KINDS, parseOperation } from '#vocabulary';
import {
  A,
  B,
  B_STATIC,
  bool,
  COLUMNS,
  eventfds,
  last,
  NEW_EIGHT,
  none,
  ON,
  ON_WITHOUT_TRIGGERS,
  req,
  statesAfter,
  TEN,
  TEN_LATCHING,
} from './answer.fixture.ts';
import type { Device } from './device.ts';
import { OptimisedMachine } from './machine.ts';
import { optimisedSystem } from './system.ts';

describe.each(COLUMNS)('every column answers the same: %s', (_, host) => {
  const answer = (...lines: readonly string[]): string => last(host, TEN, ...lines);
  const latching = (...lines: readonly string[]): string => last(host, TEN_LATCHING, ...lines);

  it('K03: INTX of a function without an INTx pin; MSI; REQ', () => {
    expect(answer('vfio.getIrqInfo INTX')).toBe('flags 7 count 0 | off');
    expect(answer('vfio.getIrqInfo MSI')).toBe('flags 9 count 0 | off');
    expect(answer('vfio.getIrqInfo REQ')).toBe('flags 9 count 1 | off');
  });

  it('K04: GET_IRQ_INFO refuses a small argsz, an unknown index and unreadable memory', () => {
    expect(answer('vfio.getIrqInfo MSIX argsz=15')).toBe('EINVAL | off');
    expect(answer('vfio.getIrqInfo MSIX argsz=4294967295')).toMatch(/^flags [19] count 10 /);
    expect(answer('vfio.getIrqInfo 5')).toBe('EINVAL | off');
    expect(answer('vfio.getIrqInfo 4294967295')).toBe('EINVAL | off');
    expect(answer('vfio.getIrqInfo 5 argsz=0 unreadable')).toBe('EFAULT | off');
  });

  it('K05: a conventional PCI function has no ERR index', () => {
    expect(answer('vfio.getIrqInfo ERR')).toBe('EINVAL | off');
    expect(answer('vfio.setIrqs ERR EVENTFD|MASK 0+1 [e0]')).toBe('EINVAL | off');
  });

  it('K06: SET_IRQS refuses a small argsz, an unknown index, an unknown flag, no DATA and two DATA', () => {
    for (const line of [
      `${eventfds('0+1', 'e0')} argsz=19`,
      'vfio.setIrqs 5 EVENTFD|TRIGGER 0+1 [e0]',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER|0x40 0+1 [e0]',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER|0x80000000 0+1 [e0]',
      'vfio.setIrqs MSIX TRIGGER 0+1 [e0]',
      'vfio.setIrqs MSIX NONE|BOOL|TRIGGER 0+1 [1]',
      'vfio.setIrqs MSIX BOOL|EVENTFD|TRIGGER 0+1 [e0]',
      'vfio.setIrqs MSIX NONE|EVENTFD|TRIGGER 0+1 [e0]',
      'vfio.setIrqs MSIX NONE|BOOL|EVENTFD|TRIGGER 0+1 [e0]',
    ])
      expect(answer(line), line).toBe('EINVAL | off');
  });

  it('K07: no ACTION or two of them is ENOTTY', () => {
    expect(answer('vfio.setIrqs MSIX EVENTFD 0+1 [e0]')).toBe('ENOTTY | off');
    expect(answer('vfio.setIrqs MSIX EVENTFD|MASK|TRIGGER 0+1 [e0]')).toBe('ENOTTY | off');
  });

  it('K08: a range that leaves the index is EINVAL, at the ends of 32 bits too', () => {
    for (const range of ['10+0', '9+2', '0+11', '4294967295+0', '0+4294967295', '4294967295+1', '1+4294967294'])
      expect(answer(eventfds(range, 'e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 e10')), range).toBe('EINVAL | off');
    expect(answer(eventfds('9+1', 'e0'))).toBe('ok | on 0-8 allocated; 9 allocated armed unmasked');
  });

  it('K09: data that argsz does not hold is EINVAL', () => {
    expect(answer(`${eventfds('0+2', 'e0 e1')} argsz=27`)).toBe('EINVAL | off');
    expect(answer(`${bool('0+2', '1 1')} argsz=21`)).toBe('EINVAL | off');
    expect(answer(eventfds('0+2', 'e0'))).toBe('EINVAL | off');
    expect(answer(`${eventfds('0+2', 'e0 e1')} argsz=4294967295`)).toBe('ok | on 0-1 allocated armed unmasked');
    expect(answer(eventfds('0+1', 'e0 e1 e2'))).toBe('ok | on 0 allocated armed unmasked');
  });

  it('K10: data that is not there is EFAULT before ENOTTY; the header is EFAULT before everything', () => {
    expect(answer('vfio.setIrqs MSIX EVENTFD|MASK 0+2 [e0] argsz=28')).toBe('EFAULT | off');
    expect(answer('vfio.setIrqs MSIX BOOL|MASK 0+2 [1] argsz=28')).toBe('EFAULT | off');
    expect(answer('vfio.setIrqs 9 0 0+0 [] argsz=0 unreadable')).toBe('EFAULT | off');
  });

  it('K11: MASK and UNMASK are ENOTTY for MSIX and REQ', () => {
    for (const index of ['MSIX', 'REQ'])
      for (const action of ['MASK', 'UNMASK'])
        expect(answer(`vfio.setIrqs ${index} NONE|${action} 0+1 []`)).toBe('ENOTTY | off');
  });

  it('K12, K13: disable and loopback are EINVAL while MSI-X is off', () => {
    expect(answer(none('0+0'))).toBe('EINVAL | off');
    expect(answer(none('0+1'))).toBe('EINVAL | off');
    expect(answer(bool('0+1', '1'))).toBe('EINVAL | off');
    expect(answer(ON, none('0+0'), none('0+0'))).toBe('EINVAL | off');
  });

  it('K14: enable of no vector is ERANGE', () => {
    expect(answer(eventfds('0+0', ''))).toBe('ERANGE | off');
  });

  it('K16, K17: all -1 turns MSI-X on without a trigger; disable ignores start', () => {
    expect(answer(ON_WITHOUT_TRIGGERS)).toBe('ok | on 0-4 allocated');
    expect(answer(ON_WITHOUT_TRIGGERS, none('4+0'))).toBe('ok | off');
  });

  it('K18: enable of vector 5 alone allocates 0 to 5', () => {
    expect(answer(eventfds('5+1', 'e0'))).toBe('ok | on 0-4 allocated; 5 allocated armed unmasked');
  });

  it('K19, K20: a bad descriptor while turning on leaves MSI-X off', () => {
    expect(answer(eventfds('0+5', 'e0 e1 bad e3 e4'))).toBe('EBADF | off');
    expect(answer(eventfds('0+3', 'e0 7 e2'))).toBe('EBADF | off');
    expect(answer(eventfds('0+3', 'e0 notEventfd e2'))).toBe('EINVAL | off');
  });

  it('K22, K23: a bad descriptor at 2 takes the triggers of 0 to 2 and leaves 3 and 4 the old ones', () => {
    const swap = [ON, eventfds('0+5', 'e10 e11 bad e13 e14')];
    const states = 'on 0-2 allocated; 3-4 allocated armed unmasked';
    expect(answer(...swap)).toBe(`EBADF | ${states}`);
    expect(answer(...swap, none('0+5'))).toBe(`ok | e3 +1, e4 +1 | ${states}`);
    const fires = ['device.raise 0', 'device.raise 0', 'device.raise 1', 'device.raise 2'];
    expect(answer(...swap, ...fires)).toBe('ok | raised 2 | on 0-2 allocated pending; 3-4 allocated armed unmasked');
    expect(answer(...swap, ...fires, eventfds('0+3', 'e20 e21 e22'))).toBe(
      'ok | e20 +1, e21 +1, e22 +1 | on 0-4 allocated armed unmasked',
    );
  });

  it('K24: a bad descriptor destroys the trigger it was to replace', () => {
    const on = eventfds('0+1', 'e0');
    expect(answer(on, eventfds('0+1', 'bad'))).toBe('EBADF | on 0 allocated');
    expect(answer(on, eventfds('0+1', 'notEventfd'))).toBe('EINVAL | on 0 allocated');
  });

  it('K30: BOOL signals where the byte is not 0', () => {
    const states = 'on 0-4 allocated armed unmasked';
    expect(answer(ON, bool('0+3', '1 0 2'))).toBe(`ok | e0 +1, e2 +1 | ${states}`);
    expect(answer(ON, bool('0+5', '256 -1 e9 bad 512'))).toBe(`ok | e1 +1, e2 +1, e3 +1 | ${states}`);
  });

  it('K32: INTX and MSI are EINVAL, and MSI-X stays as it is', () => {
    for (const line of [
      'vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e9]',
      'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e9]',
      'vfio.setIrqs MSI NONE|TRIGGER 0+0 []',
      'vfio.setIrqs INTX NONE|TRIGGER 0+0 []',
    ])
      expect(answer(ON, line), line).toBe('EINVAL | on 0-4 allocated armed unmasked');
  });

  it('K33: two vectors may share one eventfd', () => {
    const shared = eventfds('0+2', 'e7 e7');
    expect(answer(shared)).toBe('ok | on 0-1 allocated armed unmasked');
    expect(answer(shared, none('0+2'))).toBe('ok | e7 +2 | on 0-1 allocated armed unmasked');
    expect(answer(shared, 'device.raise 1')).toBe('ok | raised 1, e7 +1 | on 0-1 allocated armed unmasked');
  });

  it('K34: a trigger whose eventfd the user closed goes on, unseen', () => {
    const on = eventfds('0+1', 'e0');
    expect(answer('vfio.closeEventfd e0')).toBe('ok | off');
    expect(answer(on, 'vfio.closeEventfd e0', 'device.raise 0')).toBe('ok | raised 0 | on 0 allocated armed unmasked');
    expect(answer(on, 'vfio.closeEventfd e0', none('0+1'))).toBe('ok | on 0 allocated armed unmasked');
    expect(answer(on, 'vfio.closeEventfd e0', on, none('0+1'))).toBe('ok | e0 +1 | on 0 allocated armed unmasked');
  });

  it('K39: without a free vector a block that needs more is ENOSPC, and takes every trigger it had', () => {
    const eight = eventfds('0+8', 'e0 e1 e2 e3 e4 -1 -1 -1');
    expect(answer(eight, 'host.limitVectors 0', NEW_EIGHT)).toBe('ENOSPC | on 0-7 allocated');
    expect(answer(eight, 'host.limitVectors 0', NEW_EIGHT, ON)).toBe(
      'ok | on 0-4 allocated armed unmasked; 5-7 allocated',
    );
    expect(answer(eight, 'host.limitVectors 0', ON)).toBe('ok | on 0-4 allocated armed unmasked; 5-7 allocated');
  });

  it('K41: too few free vectors for an enable is ENOSPC, and MSI-X stays off', () => {
    const data = Array.from({ length: 256 }, (_, vector) => `e${vector}`).join(' ');
    const large: PciFunction = { msixVectors: 256, whileOff: 'drops' };
    const limit = 'host.limitVectors 194';
    expect(last(host, large, limit, eventfds('0+256', data))).toBe('ENOSPC | off');
    const most = data.split(' ').slice(0, 194).join(' ');
    expect(last(host, large, limit, eventfds('0+256', data), eventfds('0+194', most))).toBe(
      'ok | on 0-193 allocated armed unmasked',
    );
  });

  it('K42: events for a masked vector are one signal for the next trigger', () => {
    const lines = [eventfds('0+1', 'e0'), eventfds('0+1', '-1'), 'device.raise 0', 'device.raise 0'];
    expect(answer(...lines)).toBe('ok | raised 0 | on 0 allocated pending');
    expect(answer(...lines, eventfds('0+1', 'e1'))).toBe('ok | e1 +1 | on 0 allocated armed unmasked');
  });

  it('K44, K45: an event while MSI-X is off is dropped or latched; a pending bit survives disable and close', () => {
    const on = eventfds('0+1', 'e0');
    expect(answer(on, none('0+0'), 'device.raise 0')).toBe('ok | raised 0 | off');
    expect(latching('device.raise 0')).toBe('ok | raised 0 | off 0 pending');
    expect(latching('device.raise 0', on)).toBe('ok | e0 +1 | on 0 allocated armed unmasked');
    const pending = [on, 'device.raise 5', none('0+0')];
    expect(answer(...pending, 'vfio.close', 'vfio.open')).toBe('ok | off 5 pending');
    expect(answer(...pending, eventfds('0+6', 'e0 e1 e2 e3 e4 e5'))).toBe(
      'ok | e5 +1 | on 0-5 allocated armed unmasked',
    );
    // Even an enable that fails has unmasked the vectors before the bad descriptor.
    expect(answer(...pending, eventfds('5+2', 'e5 bad'))).toBe('EBADF | e5 +1 | off');
  });

  it('K58: of two descriptors one may go; the last takes everything; then all calls are EBADF', () => {
    expect(answer(ON, 'vfio.open', 'vfio.close')).toBe('ok | on 0-4 allocated armed unmasked');
    expect(answer(ON, 'vfio.close')).toBe('ok | off');
    for (const line of ['vfio.close', 'vfio.getIrqInfo MSIX unreadable', ON, 'vfio.setIrqs 7 0 0+0 [] unreadable'])
      expect(answer('vfio.close', line), line).toBe('EBADF | off');
    expect(answer('vfio.close', 'vfio.open', ON)).toBe('ok | on 0-4 allocated armed unmasked');
    expect(answer(req('EVENTFD', 1, 'e0'), 'vfio.close', 'vfio.open', req('NONE', 1))).toBe('EINVAL | off');
  });

  it('K68, K69 and the rest of the table of the request interrupt', () => {
    const set = req('EVENTFD', 1, 'e0');
    expect(answer(req('BOOL', 1, '1'))).toBe('ok | off');
    expect(answer(req('NONE', 1))).toBe('EINVAL | off');
    expect(answer(req('NONE', 0))).toBe('EINVAL | off');
    expect(answer(req('EVENTFD', 1, '4294967295'))).toBe('ok | off');
    expect(answer(set, req('NONE', 1))).toBe('ok | e0 +1 | off');
    expect(answer(set, req('BOOL', 1, '3'))).toBe('ok | e0 +1 | off');
    expect(answer(set, req('BOOL', 1, '0'))).toBe('ok | off');
    expect(answer(set, req('BOOL', 0))).toBe('EINVAL | off');
    expect(answer(set, req('EVENTFD', 0))).toBe('EINVAL | off');
    expect(answer(set, req('NONE', 0), req('NONE', 1))).toBe('EINVAL | off');
    expect(answer(set, req('EVENTFD', 1, '-1'), req('NONE', 1))).toBe('EINVAL | off');
    expect(answer(set, req('EVENTFD', 1, 'e1'), req('NONE', 1))).toBe('ok | e1 +1 | off');
    expect(answer(set, req('EVENTFD', 1, 'bad'))).toBe('EBADF | off');
    expect(answer(set, req('EVENTFD', 1, 'notEventfd'))).toBe('EINVAL | off');
    expect(answer(set, req('EVENTFD', 1, 'bad'), req('NONE', 1))).toBe('ok | e0 +1 | off');
    expect(answer(set, ON, none('0+0'), req('NONE', 1))).toBe('ok | e0 +1 | off');
    expect(answer(set, 'vfio.closeEventfd e0', req('NONE', 1))).toBe('ok | off');
    expect(answer('vfio.setIrqs REQ EVENTFD|TRIGGER 1+0 []')).toBe('EINVAL | off');
  });

  it('an armed event happens in the window that the next call opens, or right after that call', () => {
    const arm = 'device.arm 0 teardown-gap';
    expect(answer(ON, arm, none('0+0'))).toBe('ok | raised 0 in teardown-gap | off');
    expect(latching(ON, arm, none('0+0'))).toBe('ok | raised 0 in teardown-gap | off 0 pending');
    expect(answer(ON, arm, 'vfio.getIrqInfo ERR')).toBe('EINVAL | raised 0, e0 +1 | on 0-4 allocated armed unmasked');
    expect(answer(arm, 'vfio.close')).toBe('ok | raised 0 | off');
    expect(answer(arm, 'vfio.close', none('0+0'))).toBe('EBADF | off');
    expect(answer('vfio.close', arm, none('0+0'))).toBe('EBADF | raised 0 | off');
    expect(answer(arm, none('0+0'))).toBe('EINVAL | raised 0 | off');
    expect(answer(ON, 'device.arm 3 teardown-gap', arm, 'device.arm 10 teardown-gap', none('1+0'))).toBe(
      'ok | raised 3 in teardown-gap, raised 0 in teardown-gap, raised 10 in teardown-gap | off',
    );
    expect(answer(ON, arm, none('0+0'), ON)).toBe('ok | on 0-4 allocated armed unmasked');
  });

  it('an event for a vector beyond the table does nothing but be told', () => {
    for (const vector of [10, 32, 2047, 2048, 2 ** 31, 2 ** 32 - 1])
      expect(latching(`device.raise ${vector}`)).toBe(`ok | raised ${vector} | off`);
  });

  it('signals are told by ascending eventfd number, whatever order they came in', () => {
    const on = eventfds('0+5', 'e30 e4 e300 e4 e29');
    expect(answer(on, none('0+5'))).toBe('ok | e4 +2, e29 +1, e30 +1, e300 +1 | on 0-4 allocated armed unmasked');
  });

  it('two devices share eventfds and the free vectors of the host, and nothing else', () => {
    const second = `${eventfds('0+2', 'e0 e1')} @1`;
    const first = eventfds('0+1', 'e0');
    const twice = 'host.limitVectors 2';
    expect(last(host, [TEN, TEN], twice, first, second)).toBe('ENOSPC | on 0 allocated armed unmasked / off');
    expect(last(host, [TEN, TEN], twice, first, none('0+0'), second)).toBe(
      'ok | off / on 0-1 allocated armed unmasked',
    );
    expect(last(host, [TEN, TEN], first, second, 'device.arm 0 teardown-gap @1', 'vfio.open', 'vfio.close @1')).toBe(
      'ok | raised 0 @1 | on 0 allocated armed unmasked / off',
    );
  });

  it('tables end at 2048 vectors', () => {
    const large: PciFunction = { msixVectors: MSIX_VECTORS_MAX, whileOff: 'drops' };
    const on = eventfds('2047+1', 'e0');
    const states = 'on 0-2046 allocated; 2047 allocated armed unmasked';
    expect(last(host, large, on)).toBe(`ok | ${states}`);
    expect(last(host, large, on, 'device.raise 2047')).toBe(`ok | raised 2047, e0 +1 | ${states}`);
    expect(last(host, large, on, none('2047+0'))).toBe('ok | off');
  });
});

describe('where the columns differ', () => {
  const column =
    (host: HostTraits) =>
    (...lines: readonly string[]) =>
      last(host, TEN, ...lines);
  const a = column(A);
  const b = column(B);
  const bStatic = column(B_STATIC);
  const OLD_FIVE = 'on 0-4 allocated armed unmasked';

  it('K01: NORESIZE is clear where a vector can be added', () => {
    expect(a('vfio.getIrqInfo MSIX')).toBe('flags 9 count 10 | off');
    expect(b('vfio.getIrqInfo MSIX')).toBe('flags 1 count 10 | off');
    expect(bStatic('vfio.getIrqInfo MSIX')).toBe('flags 9 count 10 | off');
  });

  it('K15: enable of 3 vectors with an empty block', () => {
    expect(a(eventfds('3+0', ''))).toBe('EINVAL | off');
    expect(b(eventfds('3+0', ''))).toBe('ok | on 0-2 allocated');
    expect(bStatic(eventfds('3+0', ''))).toBe('ok | on 0-2 allocated');
  });

  it('K21: growing 5 triggers to 8', () => {
    expect(a(ON, NEW_EIGHT)).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(a(ON, NEW_EIGHT, none('0+2'))).toBe(`ok | e0 +1, e1 +1 | ${OLD_FIVE}`);
    expect(b(ON, NEW_EIGHT)).toBe('ok | on 0-7 allocated armed unmasked');
    expect(b(ON, NEW_EIGHT, none('0+2'))).toBe('ok | e10 +1, e11 +1 | on 0-7 allocated armed unmasked');
    expect(bStatic(ON, NEW_EIGHT)).toBe('EINVAL | on 0-4 allocated');
  });

  it('K25: -1 for a vector that is not allocated', () => {
    expect(a(ON, eventfds('8+1', '-1'))).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, eventfds('8+1', '-1'))).toBe(`ok | ${OLD_FIVE}`);
    expect(bStatic(ON, eventfds('8+1', '-1'))).toBe(`ok | ${OLD_FIVE}`);
  });

  it('K26: a bad descriptor for a vector that is not allocated: the allocation stays', () => {
    expect(a(ON, eventfds('8+1', 'bad'))).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, eventfds('8+1', 'bad'))).toBe(`EBADF | ${OLD_FIVE}; 8 allocated`);
    expect(bStatic(ON, eventfds('8+1', 'bad'))).toBe(`EINVAL | ${OLD_FIVE}`);
  });

  it('K27, K28: adding vector 9 alone, and taking its trigger away', () => {
    const add = eventfds('9+1', 'e9');
    expect(a(ON, add)).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, add)).toBe(`ok | ${OLD_FIVE}; 9 allocated armed unmasked`);
    expect(bStatic(ON, add)).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(a(ON, add, eventfds('9+1', '-1'))).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, add, eventfds('9+1', '-1'))).toBe(`ok | ${OLD_FIVE}; 9 allocated`);
    expect(b(ON, add, none('0+0'))).toBe('ok | off');
    expect(b(ON, add, none('0+0'), ON)).toBe(`ok | ${OLD_FIVE}`);
  });

  it('K29: loopback beyond the allocation', () => {
    expect(a(ON, none('0+10'))).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, none('0+10'))).toBe(`ok | e0 +1, e1 +1, e2 +1, e3 +1, e4 +1 | ${OLD_FIVE}`);
    expect(bStatic(ON, none('3+4'))).toBe(`ok | e3 +1, e4 +1 | ${OLD_FIVE}`);
  });

  it('K31: an empty block and an empty loopback beyond the allocation', () => {
    for (const line of [eventfds('9+0', ''), bool('9+0', '')]) {
      expect(a(ON, line)).toBe(`EINVAL | ${OLD_FIVE}`);
      expect(b(ON, line)).toBe(`ok | ${OLD_FIVE}`);
      expect(bStatic(ON, line)).toBe(`ok | ${OLD_FIVE}`);
    }
    // At the end of the allocation the two checks of 6.1 differ.
    expect(a(ON, eventfds('5+0', ''))).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(a(ON, bool('5+0', ''))).toBe(`ok | ${OLD_FIVE}`);
  });

  it('K35 as MSI-X without dynamic allocation: the vectors before the missing one lose their triggers', () => {
    expect(bStatic(ON, eventfds('4+2', 'e14 e15'))).toBe('EINVAL | on 0-3 allocated armed unmasked; 4 allocated');
    expect(a(ON, eventfds('4+2', 'e14 e15'))).toBe(`EINVAL | ${OLD_FIVE}`);
  });

  it('K40: growing 5 triggers to 8 without a free vector', () => {
    expect(a(ON, 'host.limitVectors 0', NEW_EIGHT)).toBe(`EINVAL | ${OLD_FIVE}`);
    expect(b(ON, 'host.limitVectors 0', NEW_EIGHT)).toBe('ENOSPC | on 0-5 allocated');
  });

  it('K43: an event for a vector that is not allocated waits for it', () => {
    const lines = [ON, 'device.raise 7', eventfds('7+1', 'e7')];
    expect(a(...lines)).toBe(`EINVAL | ${OLD_FIVE}; 7 pending`);
    expect(b(...lines)).toBe(`ok | e7 +1 | ${OLD_FIVE}; 7 allocated armed unmasked`);
    expect(bStatic(...lines)).toBe(`EINVAL | ${OLD_FIVE}; 7 pending`);
  });

  it('K67: a request eventfd below -1 is ignored or refused, and the old one stays', () => {
    const below = [req('EVENTFD', 1, 'e0'), req('EVENTFD', 1, '-2')];
    expect(a(...below)).toBe('ok | off');
    expect(b(...below)).toBe('EINVAL | off');
    expect(a(...below, req('NONE', 1))).toBe('ok | e0 +1 | off');
    expect(b(...below, req('NONE', 1))).toBe('ok | e0 +1 | off');
  });

  it('traits combine freely: whole ranges are looked at first where vectors could be added', () => {
    const mixed = column({ dynamicMsix: true, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' });
    expect(mixed('vfio.getIrqInfo MSIX')).toBe('flags 1 count 10 | off');
    expect(mixed(ON, NEW_EIGHT)).toBe(`EINVAL | ${OLD_FIVE}`);
  });
});

/** Every object that a Trace consists of and that is not a constant. */
function objectsOf({ steps }: Trace): object[] {
  return steps.flatMap((step) => [
    step,
    ...(['irqInfo', 'value', 'positive'].includes(step.outcome.kind) ? [step.outcome] : []),
    ...step.events,
    ...step.observation,
    ...step.observation.flatMap(({ changes }) => changes),
  ]);
}

describe('OptimisedMachine', () => {
  const grow = [ON, 'device.raise 0', NEW_EIGHT, none('0+8'), 'device.arm 1 teardown-gap', none('0+0')];
  const numbers = ['vfio.getIrqInfo REQ', 'vfio.configRead memory', 'host.failAllocation 3', ON];
  const operations = [...grow, ...numbers].map(parseOperation);

  it('allocates no object for a scenario that is the beginning of one before it', () => {
    const machine = new OptimisedMachine();
    const config = { host: B, devices: [TEN, TEN_LATCHING] };
    const first = objectsOf(machine.run({ config, operations }));
    expect(first.length).toBeGreaterThan(40);
    const hosts = [A, B, B_STATIC];
    const made = new Set(hosts.flatMap((host) => objectsOf(machine.run({ config: { ...config, host }, operations }))));
    for (const host of hosts) {
      for (let length = 0; length <= operations.length; length += 1) {
        const trace = machine.run({ config: { ...config, host }, operations: operations.slice(0, length) });
        expect(objectsOf(trace).filter((object) => !made.has(object))).toEqual([]);
      }
    }
    const again = objectsOf(machine.run({ config, operations }));
    expect(again.every((object, place) => object === first[place])).toBe(true);
  });

  it('begins a scenario with nothing allocated by the one before', () => {
    class Open extends OptimisedMachine {
      override readonly devices: Device[] = [];
    }
    const machine = new Open();
    const config = { host: B, devices: [TEN] };
    machine.run({ config, operations: [parseOperation(ON)] });
    expect(machine.devices.map(({ allocated }) => allocated.next(0))).toEqual([0]);
    machine.run({ config, operations: [] });
    expect(machine.devices.map(({ allocated }) => allocated.next(0))).toEqual([-1]);
  });

  it('shares the objects of its outcomes', () => {
    const machine = new OptimisedMachine();
    const infos = ['INTX', 'MSI', 'MSIX', 'REQ', 'ERR'].map((name) => `vfio.getIrqInfo ${name}`);
    const asked = [ON, none('0+10'), ...infos, 'vfio.pbaRead 3', none('0+0'), 'host.failAllocation 3', ON];
    const outcomes = (): unknown[] => {
      const config = { host: A, devices: [TEN] };
      return machine.run({ config, operations: asked.map(parseOperation) }).steps.map(({ outcome }) => outcome);
    };
    const before = outcomes();
    expect(outcomes().every((outcome, place) => outcome === before[place])).toBe(true);
  });

  it('lets a mutant replace one step', () => {
    class WithoutUnwind extends OptimisedMachine {
      protected override unwindBlock(_device: Device, _start: number, _failed: number): void {}
    }
    const config = { host: B, devices: [TEN] };
    const lines = [ON, eventfds('0+5', 'e10 e11 bad e13 e14')];
    const { steps } = new WithoutUnwind().run({ config, operations: lines.map(parseOperation) });
    expect(statesAfter(steps)).toBe('on 0-1 allocated armed unmasked; 2 allocated; 3-4 allocated armed unmasked');
  });

  it('throws for a device that the scenario does not have, and runs the next scenario as if nothing had been', () => {
    const machine = new OptimisedMachine();
    const config = { host: B, devices: [TEN] };
    const stray: Operation = { kind: 'device.raise', device: 1, vector: 0 };
    expect(() => machine.run({ config, operations: [...operations, stray] })).toThrow(HarnessError);
    expect(machine.run({ config, operations })).toEqual(new OptimisedMachine().run({ config, operations }));
  });
});

describe('optimisedSystem', () => {
  it('runs a scenario on its machine, at once, and sees and supports everything', async () => {
    const system = optimisedSystem();
    const trace = system.run({ config: { host: B, devices: [TEN] }, operations: [parseOperation(ON)] });
    expect(trace).toMatchObject({ steps: [{ outcome: { kind: 'ok' }, clauses: [] }] });
    expect(system.name).toBe('optimised');
    expect(system.precision).toEqual({ vectorState: 31, messageControl: true, registers: 31 });
    expect([...system.support.operations]).toEqual(OPERATION_KINDS);
    expect(system.support).toMatchObject({
      functions: 'any',
      withoutRemapping: true,
      vmm: 'configured',
      devicesMax: 4,
    });
    expect(system.support.host).toBe('configured');
    await expect(system.close()).resolves.toBeUndefined();
  });
});
