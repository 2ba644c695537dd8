import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../../properties/generators/scenario.ts';
import { platformOf } from '../profiles.ts';
import { referenceSystem } from '../reference.ts';
import {
  type HostPasid,
  IMS_MASK,
  type ImsEntry,
  NotationError,
  OPERATION_KINDS,
  type Outcome,
  parseOperation,
  printChanges,
  printEvent,
  printHostPasid,
  printImsEntry,
  printOperation,
  printOutcome,
  printVectorState,
} from './index.ts';

/** By the user of vfio, and by a guest; of functions, and of mdevs. */
const DRIVEN = ['linux-6.12', 'linux-6.12+qemu-10.0', 'idxd-mdev', 'idxd-mdev+qemu-10.0'] as const;

describe('an operation', () => {
  it('is read back as it was printed', () => {
    const kinds = new Set<string>();
    const { support } = referenceSystem();
    const drawn = fc.oneof(...DRIVEN.map((profile) => scenarios(support, platformOf(profile))));
    fc.assert(
      fc.property(drawn, ({ operations }) => {
        for (const operation of operations) {
          kinds.add(operation.kind);
          expect(parseOperation(printOperation(operation))).toEqual(operation);
        }
      }),
      { seed: 7, numRuns: 600 },
    );
    expect([...kinds].sort()).toEqual([...OPERATION_KINDS].sort());
  });

  it.each([
    ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+5 [e0 -1 bad notEventfd 7]'],
    ['vfio.setIrqs 77 0 4294967295+0 [] argsz=19 unreadable @3'],
    ['vfio.setIrqs REQ NONE|BOOL|EVENTFD|MASK|UNMASK|TRIGGER|0x80000000 1+1 [1]'],
    ['vfio.getIrqInfo ERR argsz=15 unreadable'],
    ['vfio.open @1'],
    ['vfio.closeEventfd e12'],
    ['device.arm 3 teardown-gap @1'],
    ['guest.msixControl enable function-mask @1'],
    ['guest.configWrite +3/1 0xc0'],
    ['guest.unmask 3'],
    ['guest.tableWrite 2 +8/8 0x41 high=0xfffffffe'],
    ['guest.tableRead 2 +12'],
    ['guest.busMaster disable'],
    ['guest.reset @2'],
    ['host.limitVectors 0'],
    ['guest.msixPerm 1 on 5 ignore @1'],
    ['guest.msixPerm 0 off 0'],
    ['guest.bindPasid 1048575'],
    ['guest.requestHandle 2 ims @1'],
    ['guest.releaseHandle 3'],
    ['guest.submit 2 shared 5 handle=65535 no-rci @1'],
    ['guest.submit 0 dedicated 0 handle=0'],
    ['device.complete 2'],
    ['device.armDescriptor 2 after-set @1'],
    ['host.removeMdev @1'],
    ['host.crash 1'],
  ])('is printed as it was written: %s', (line) => {
    expect(printOperation(parseOperation(line))).toBe(line);
  });

  it.each([
    ['', 'expected an operation kind, got the end in: '],
    ['vfio.fly', `expected one of ${OPERATION_KINDS.join(', ')}, got vfio.fly in: vfio.fly`],
    ['device.raise x', 'expected a vector, got x in: device.raise x'],
    ['device.raise 1 2', 'expected the end, got 2 in: device.raise 1 2'],
    ['device.arm 1 never', 'expected one of teardown-gap, before-call, after-set, got never in: device.arm 1 never'],
    ['vfio.getIrqInfo XXL', 'expected one of INTX, MSI, MSIX, ERR, REQ or a number, got XXL in: vfio.getIrqInfo XXL'],
    [
      'vfio.setIrqs MSIX LOUD 0+1 []',
      'expected flags of NONE, BOOL, EVENTFD, MASK, UNMASK, TRIGGER or a hexadecimal number, ' +
        'got LOUD in: vfio.setIrqs MSIX LOUD 0+1 []',
    ],
    ['vfio.setIrqs MSIX NONE 0 []', 'expected start+count, got 0 in: vfio.setIrqs MSIX NONE 0 []'],
    [
      'vfio.setIrqs MSIX NONE 0+1 [x]',
      'expected an eventfd, bad, notEventfd or a number, got x in: vfio.setIrqs MSIX NONE 0+1 [x]',
    ],
    ['guest.msixPerm 1 maybe 5', 'expected one of on, off, got maybe in: guest.msixPerm 1 maybe 5'],
    ['guest.submit 0 shared 5 4', 'expected handle=N, got 4 in: guest.submit 0 shared 5 4'],
    ['host.crash', 'expected a VM, got the end in: host.crash'],
    ['vfio.setIrqs MSIX NONE 0+1 [e0', 'expected ] after the data, got the end in: vfio.setIrqs MSIX NONE 0+1 [e0'],
  ])('that is none says what was expected: %s', (line, message) => {
    expect(() => parseOperation(line)).toThrow(new NotationError(message));
  });
});

describe('an answer', () => {
  it.each<[Outcome, string]>([
    [{ kind: 'ok' }, 'ok'],
    [{ kind: 'irqInfo', flags: 9, count: 10 }, 'flags 9 count 10'],
    [{ kind: 'errno', errno: 'ENOSPC' }, 'ENOSPC'],
    [{ kind: 'status', status: 0x42 }, 'status 0x42'],
    [{ kind: 'positive', value: 3 }, 'returns 3'],
    [{ kind: 'unknown', reason: 'time-out' }, 'unknown (time-out)'],
  ])('prints its outcome: %j', (outcome, text) => {
    expect(printOutcome(outcome)).toBe(text);
  });

  it('prints its events and states', () => {
    expect(printEvent({ kind: 'raised', device: 0, vector: 3, window: null })).toBe('raised 3');
    expect(printEvent({ kind: 'raised', device: 1, vector: 3, window: 'teardown-gap' })).toBe(
      'raised 3 @1 in teardown-gap',
    );
    expect(printEvent({ kind: 'signalled', eventfd: 'e2', count: 4 })).toBe('e2 +4');
    expect(printEvent({ kind: 'completed', device: 1, descriptor: 3, status: 1 })).toBe('descriptor 3 @1 done');
    expect(printEvent({ kind: 'completed', device: 0, descriptor: 3, status: 0 })).toBe('descriptor 3 abandoned');
    expect(printEvent({ kind: 'completed', device: 0, descriptor: 3, status: 25 })).toBe('descriptor 3 refused 0x19');
    expect(printEvent({ kind: 'error', device: 1, pasid: 5 })).toBe('SWERROR pasid 5 @1');
    expect(printEvent({ kind: 'revoked', device: 0 })).toBe('handles revoked');
    expect(printVectorState(0)).toBe('idle');
    expect(printVectorState(15)).toBe('allocated armed unmasked pending');
    const changes = [0, 1, 2, 4, 5].map((vector) => ({ vector, state: vector === 5 ? 8 : 7 }));
    expect(printChanges({ enable: true, functionMask: false, msixInfoFlags: 1, registers: 0, changes })).toBe(
      '0-2 allocated armed unmasked; 4 allocated armed unmasked; 5 pending',
    );
  });
});

describe('what mdevs share', () => {
  const clean = { entry: 0, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false };

  it.each<[Partial<ImsEntry>, string]>([
    [{}, 'entry 0 free: masked'],
    [{ entry: 2, control: 0x3008, data: 0x901, device: 1, vector: 2 }, 'entry 2 of @1.2: unmasked pasid 3 irq 0x901'],
    [{ control: 0xfffff00f, handle: true }, 'entry 0 free: masked pending ignore pasid 1048575 handle'],
    [{ control: 0x5001 }, 'entry 0 free: masked disabled pasid 5'],
  ])('prints an entry: %j', (changes, text) => {
    expect(printImsEntry({ ...clean, ...changes })).toBe(text);
  });

  it.each<[Partial<HostPasid>, string]>([
    [{ state: 'free', vm: -1, references: 0 }, 'pasid 3 free'],
    [{}, 'pasid 3 active, default of VM 1, 1 reference'],
    [{ state: 'free-pending', guest: 5, references: 2 }, 'pasid 3 free-pending, guest 5 of VM 1, 2 references'],
  ])('prints a PASID: %j', (changes, text) => {
    expect(printHostPasid({ pasid: 3, state: 'active', vm: 1, guest: 0, references: 1, ...changes })).toBe(text);
  });
});
