import { describe, expect, it } from 'vitest';
import { parseOperation } from '#vocabulary';
import { begin, configOf, did, enable, mdevOf, OFF, parentAfter, STATIC, steps } from './mdev.fixture.ts';
import { MdevMachine } from './mdev-machine.ts';

const ON = enable('0+3', 'e0 e1 e2');
const BOUND = ['guest.bindPasid 5', 'guest.msixPerm 1 on 5'];
const OPEN_PASIDS = ['pasid 1 active, default of VM 0, 1 reference', 'pasid 2 active, default of VM 1, 1 reference'];

describe('the beginning', () => {
  it('tells of mdevs that are open and attached, and of nothing else', () => {
    const { initial, initialParent } = new MdevMachine().run({ config: configOf(), operations: [] });
    const closed = { enable: false, functionMask: false, msixInfoFlags: 1, registers: 0, changes: [] };
    expect(initial).toEqual([closed, closed]);
    expect(initialParent).toEqual({
      entries: [],
      pasids: [
        { pasid: 1, state: 'active', vm: 0, guest: 0, references: 1 },
        { pasid: 2, state: 'active', vm: 1, guest: 0, references: 1 },
      ],
      mdevs: [
        { device: 0, life: 'open', defaultPasid: 1 },
        { device: 1, life: 'open', defaultPasid: 2 },
      ],
      perms: [],
      descriptors: [],
    });
  });

  it('leaves an mdev open and not attached where PASIDs have run out', () => {
    const config = configOf({}, { parent: { entries: 4, pasids: 1, quota: 4, handles: 'index' } });
    expect(did(config, enable('0+2', 'e0 e1', 1))).toBe('EINVAL');
    expect(did(config, 'host.detach @1')).toBe('EINVAL');
    expect(did(config, 'host.detach', 'host.attach @1')).toBe('ok');
  });

  it('shares a default PASID between the mdevs of a VM where that is how it is', () => {
    const config = configOf({ defaultPasid: 'per-domain' }, { devices: [mdevOf(4), mdevOf(4)] });
    expect(parentAfter(config)).toEqual(['pasid 1 active, default of VM 4, 2 references']);
    expect(parentAfter(config, 'host.detach')).toEqual(['pasid 1 active, default of VM 4, 1 reference']);
    expect(parentAfter(config, 'host.detach', 'host.detach @1')).toEqual([]);
  });
});

describe('SET_IRQS', () => {
  it('gives each IMS vector the lowest free entry with the default PASID, and vector 0 none', () => {
    expect(parentAfter(configOf(), ON)).toEqual([
      'entry 0 of @0.1: masked pasid 1 irq 0x101',
      'entry 1 of @0.2: masked pasid 1 irq 0x102',
      'pasid 1 active, default of VM 0, 3 references',
      OPEN_PASIDS[1],
    ]);
    expect(parentAfter(configOf(), ON, OFF)).toEqual(OPEN_PASIDS);
  });

  it('refuses what vfio-pci refuses, and every action but TRIGGER', () => {
    expect(did(configOf(), enable('0+4', 'e0 e1 e2 e3'))).toBe('EINVAL');
    expect(did(configOf(), enable('0+2', 'e0'))).toBe('EINVAL');
    expect(did(configOf(), 'vfio.setIrqs MSIX NONE|MASK 0+1 []')).toBe('ENOTTY');
    expect(did(configOf(), 'vfio.setIrqs REQ EVENTFD|TRIGGER 0+1 [e0]')).toBe('EINVAL');
    expect(did(configOf(), OFF)).toBe('EINVAL');
    expect(did(configOf(), 'vfio.getIrqInfo REQ')).toBe('EINVAL');
    expect(did(configOf(), 'vfio.getIrqInfo MSIX')).toBe('flags 1 count 3');
  });

  it('takes the triggers of a block that fails, also those that were there before, and gives entries back', () => {
    const swap = [ON, enable('1+2', 'e4 bad')];
    expect(did(configOf(), ...swap)).toBe('EBADF');
    expect(parentAfter(configOf(), ...swap)).toEqual(OPEN_PASIDS);
    expect(did(configOf(), ...swap, 'vfio.setIrqs MSIX NONE|TRIGGER 0+3 []')).toBe('ok | e0 +1');
    expect(did(configOf(), enable('0+2', 'e0 notEventfd'), 'vfio.setIrqs MSIX NONE|TRIGGER 0+1 []')).toBe('EINVAL');
  });

  it('runs out of entries, of the share of an mdev, and of irqs of the host', () => {
    const full = configOf({}, { devices: [mdevOf(0, true, 4), mdevOf(1)] });
    const taken = enable('0+4', 'e0 e1 e2 e3');
    expect(did(full, taken, enable('1+2', 'e4 e5', 1))).toBe('ENOSPC');
    expect(did(full, taken, enable('1+1', 'e4', 1), enable('2+1', 'e5', 1), OFF, enable('2+1', 'e5', 1))).toBe('ok');
    const poor = configOf({}, { parent: { entries: 4, pasids: 6, quota: 1, handles: 'index' } });
    expect(did(poor, ON)).toBe('ENOSPC');
    expect(parentAfter(configOf(), 'host.failAllocation 2', ON)).toEqual(OPEN_PASIDS);
    expect(did(configOf(), 'host.failAllocation 2', ON, ON)).toBe('ok');
  });

  it('counts no entry against the share of an mdev that there was none of', () => {
    const full = configOf({}, { parent: { entries: 2, pasids: 6, quota: 2, handles: 'index' } });
    const refused = [enable('1+1', 'e1'), enable('1+1', 'e3', 1), enable('2+1', 'e2')];
    expect(did(full, ...refused)).toBe('ENOSPC');
    expect(did(full, ...refused, enable('1+1', '-1', 1), enable('2+1', 'e2'))).toBe('ok');
  });

  it('delivers once what the driver has kept and what the entry has', () => {
    const kept = [enable('1+1', 'e1'), ...begin(0, 0), 'device.complete 0', enable('1+1', '-1')];
    const both = [...kept, enable('1+1', 'e1'), ...begin(1, 0), 'device.complete 1'];
    expect(did(configOf(), ...both, 'guest.unmask 1')).toBe('ok | e1 +1');
  });

  it('allocates all entries or none at the first trigger where the driver does so', () => {
    const closed = configOf({ allocation: 'all-closed' });
    expect(parentAfter(closed, enable('0+1', 'e0')).slice(0, 2)).toEqual([
      'entry 0 of @0.1: masked',
      'entry 1 of @0.2: masked',
    ]);
    const opened = configOf({ allocation: 'all-default' });
    expect(parentAfter(opened, enable('0+1', 'e0'))[0]).toBe('entry 0 of @0.1: masked pasid 1');
    const scarce = configOf(
      { allocation: 'all-closed' },
      { parent: { entries: 3, pasids: 6, quota: 4, handles: 'index' } },
    );
    expect(did(scarce, ON, enable('0+1', 'e4', 1))).toBe('ENOSPC');
    expect(parentAfter(scarce, ON, enable('0+1', 'e4', 1))).toHaveLength(4);
  });

  it('is for all vectors at once where none can be added', () => {
    expect(did(configOf({}, STATIC), enable('1+1', 'e0'))).toBe('EINVAL');
    expect(did(configOf({}, STATIC), enable('1+2', 'e0 e1'))).toBe('ok');
    expect(did(configOf({}, STATIC), 'vfio.getIrqInfo MSIX')).toBe('flags 9 count 3');
  });
});

describe('PASIDs', () => {
  it('T8, T9: an entry carries what its guest has bound, and the same number of another VM is another PASID', () => {
    const both = [...BOUND, 'guest.bindPasid 5 @1', 'guest.msixPerm 1 on 5 @1', ON, enable('0+2', 'e4 e5', 1)];
    expect(parentAfter(configOf(), ...both).filter((line) => line.startsWith('entry'))).toEqual([
      'entry 0 of @0.1: masked pasid 3 irq 0x101',
      'entry 1 of @0.2: masked pasid 1 irq 0x102',
      'entry 2 of @1.1: masked pasid 4 irq 0x901',
    ]);
  });

  it('T10: a PASID that is not bound is refused, or closed, or the default one', () => {
    const asked = ['guest.msixPerm 1 on 5', ON];
    expect(did(configOf(), ...asked)).toBe('ENXIO');
    expect(parentAfter(configOf({ noTranslation: 'closed' }), ...asked)[0]).toBe('entry 0 of @0.1: masked irq 0x101');
    expect(parentAfter(configOf({ noTranslation: 'default' }), ...asked)[0]).toBe(
      'entry 0 of @0.1: masked pasid 1 irq 0x101',
    );
    // A VM without a virtual IOMMU has no PASIDs.
    expect(did(configOf({}, { devices: [mdevOf(0, false)] }), BOUND[0] as string)).toBe('ENODEV');
  });

  it('T23 to T26: MSIX_PERM reaches an entry at the next trigger, at the unmask, or at once', () => {
    const late = [ON, ...BOUND];
    const carried = (permSync: 'atEnable' | 'atUnmask' | 'immediate', ...lines: readonly string[]): string =>
      parentAfter(configOf({ permSync }), ...late, ...lines)[0] as string;
    expect(carried('atEnable', 'guest.unmask 1')).toBe('entry 0 of @0.1: unmasked pasid 1 irq 0x101');
    expect(carried('atEnable', enable('1+1', 'e9'))).toBe('entry 0 of @0.1: masked pasid 3 irq 0x101');
    expect(carried('atUnmask')).toBe('entry 0 of @0.1: masked pasid 1 irq 0x101');
    expect(carried('atUnmask', 'guest.unmask 1')).toBe('entry 0 of @0.1: unmasked pasid 3 irq 0x101');
    expect(carried('immediate')).toBe('entry 0 of @0.1: masked pasid 3 irq 0x101');
  });

  it('T34, T35: a PASID that is freed closes its entries, which stay so when the number comes again', () => {
    const freed = [...BOUND, ON, 'guest.freePasid 5'];
    expect(parentAfter(configOf(), ...freed)[0]).toBe('entry 0 of @0.1: masked irq 0x101');
    expect(parentAfter(configOf(), ...freed, 'guest.bindPasid 5')[0]).toBe('entry 0 of @0.1: masked irq 0x101');
    expect(did(configOf(), ...freed, 'guest.freePasid 5')).toBe('ok');
  });

  it('is free only when the last descriptor that carries it is over', () => {
    const queued = ['guest.bindPasid 5', 'guest.submit 0 shared 5 handle=0', 'guest.freePasid 5'];
    expect(parentAfter(configOf(), ...queued)).toContain('pasid 3 free-pending, guest 5 of VM 0, 1 reference');
    expect(parentAfter(configOf(), ...queued, 'guest.bindPasid 6')).toContain(
      'pasid 4 active, guest 6 of VM 0, 1 reference',
    );
    expect(parentAfter(configOf(), ...queued, 'device.start 0')).toEqual(OPEN_PASIDS);
  });

  it('goes with the last mdev of its VM', () => {
    expect(parentAfter(configOf(), ...BOUND, ON, 'host.detach')).toEqual([OPEN_PASIDS[1]]);
    const sisters = configOf({}, { devices: [mdevOf(0), mdevOf(0)] });
    expect(parentAfter(sisters, ...BOUND, 'host.detach')).toHaveLength(2);
    expect(parentAfter(sisters, ...BOUND, 'host.crash 0')).toEqual([]);
    expect(did(sisters, 'host.crash 7')).toBe('ok');
  });
});

describe('descriptors', () => {
  const open = [ON, 'guest.unmask 1'];

  it('T13, T14: one that fits is delivered once, and one that does not is an error of its submitter', () => {
    expect(did(configOf(), ...open, ...begin(0, 0), 'device.complete 0')).toBe('ok | descriptor 0 done | e1 +1');
    expect(did(configOf(), ...open, ...begin(0, 0, 1))).toBe('ok | descriptor 0 @1 refused 0x19 | SWERROR pasid 0 @1');
    const shared = [...open, 'guest.submit 0 shared 6 handle=3', 'device.start 0'];
    expect(did(configOf(), ...shared)).toBe('ok | descriptor 0 refused 0x19 | SWERROR pasid 6');
  });

  it('T16, T17: what comes while the entry is masked is delivered once with the unmask', () => {
    const kept = [...open, 'guest.mask 1', ...begin(0, 0), ...begin(1, 0), 'device.complete 0', 'device.complete 1'];
    expect(did(configOf(), ...kept)).toBe('ok | descriptor 1 done');
    expect(did(configOf(), ...kept, 'guest.unmask 1')).toBe('ok | e1 +1');
    expect(did(configOf(), ...kept, 'guest.unmask 1', 'guest.mask 1', 'guest.unmask 1')).toBe('ok');
    expect(did(configOf(), ...open, ...begin(0, 0), 'guest.msixPerm 1 off 0 ignore', 'device.complete 0')).toBe(
      'ok | descriptor 0 done',
    );
  });

  it('T29: what was begun is done before its entry is given away', () => {
    const stolen = [...open, ...begin(0, 0), OFF];
    expect(did(configOf(), ...stolen)).toBe('ok | descriptor 0 done | e1 +1');
    expect(did(configOf(), ...stolen, enable('1+1', 'e9', 1), 'device.complete 0')).toBe('EINVAL');
  });

  it('abandons what is queued, and ends what was begun in the order of their numbers, when the mdev closes', () => {
    const inFlight = [...begin(7, 0), ...begin(3, 0), 'guest.submit 5 dedicated 0 handle=0'];
    expect(did(configOf(), ...open, ...inFlight, 'vfio.close')).toBe(
      'ok | descriptor 3 done | descriptor 5 abandoned | descriptor 7 done | e1 +2',
    );
  });

  it('names handles that were requested, where the hardware knows them', () => {
    const config = configOf({}, { parent: { entries: 4, pasids: 6, quota: 4, handles: 'requested' } });
    expect(did(config, ...open, ...begin(0, 0))).toMatch(/refused 0x19/);
    expect(did(config, ...open, 'guest.requestHandle 1', ...begin(0, 0))).toBe('ok');
    expect(did(config, ...open, 'guest.requestHandle 1', 'guest.releaseHandle 1', ...begin(0, 0))).toMatch(
      /refused 0x19/,
    );
  });
});

describe('handles', () => {
  it('T39, T40: requests and releases that cannot be', () => {
    expect(did(configOf(), 'guest.requestHandle 0')).toBe('status 0x41');
    expect(did(configOf(), 'guest.requestHandle 3')).toBe('status 0x41');
    expect(did(configOf(), 'guest.requestHandle 1')).toBe('status 0x42');
    expect(did(configOf(), ON, 'guest.requestHandle 1 ims')).toBe('status 0x42');
    expect(did(configOf(), ON, 'guest.releaseHandle 1')).toBe('status 0x41');
    expect(did(configOf({ releaseBy: 'handle' }), ON, 'guest.releaseHandle 1')).toBe('status 0x43');
    expect(did(configOf({ releaseBy: 'handle' }), ON, 'guest.requestHandle 2', 'guest.releaseHandle 1')).toBe('ok');
  });

  it('T41: a vector that gets another entry tells that the old handle is no more', () => {
    const moved = [ON, 'guest.requestHandle 1', enable('1+1', '-1'), enable('1+1', 'e9', 1), enable('1+1', 'e1')];
    expect(did(configOf(), ...moved)).toBe('ok | handles revoked');
    expect(did(configOf(), ...moved, 'guest.unmask 0')).toBe('ok | e0 +1');
  });
});

describe('closing', () => {
  it('T45: leaves an mdev as new, and everything else of it is EBADF', () => {
    const closed = [...BOUND, ON, 'guest.unmask 1', 'vfio.close'];
    const last = steps(configOf(), ...closed).at(-1);
    expect(last?.parent?.perms).toEqual([{ device: 0, vector: 1, value: 0 }]);
    expect(last?.observation[0]?.changes.every(({ state }) => state === 0)).toBe(true);
    for (const line of ['guest.unmask 1', 'guest.submit 0 dedicated 0 handle=0', 'guest.freePasid 5', 'vfio.close', ON])
      expect(did(configOf(), ...closed, line), line).toBe('EBADF');
    expect(did(configOf(), 'host.removeMdev', 'vfio.open')).toBe('ENODEV');
    expect(did(configOf(), 'host.removeMdev', 'host.createMdev', 'host.attach', 'vfio.open', ON)).toBe('ok');
  });

  it('T43: a reset keeps triggers, forgets MSIX_PERM, and the entries carry the default PASID', () => {
    expect(parentAfter(configOf(), ...BOUND, ON, 'guest.unmask 1', 'vfio.reset').slice(0, 2)).toEqual([
      'entry 0 of @0.1: masked pasid 1 irq 0x101',
      'entry 1 of @0.2: masked pasid 1 irq 0x102',
    ]);
  });
});

describe('a machine', () => {
  it('takes nothing that an mdev cannot be asked, and no Config without mdevs', () => {
    const machine = new MdevMachine();
    for (const line of ['device.wipe', 'vfio.mapBar', 'guest.reset', 'device.armDescriptor 0 after-set'])
      expect(() => machine.run({ config: configOf(), operations: [parseOperation(line)] }), line).toThrow(
        'cannot be asked',
      );
    expect(() => machine.run({ config: configOf(), operations: [parseOperation('vfio.open @2')] })).toThrow(
      'no device 2',
    );
    const { host, devices } = configOf();
    expect(() => machine.run({ config: { host, devices }, operations: [] })).toThrow('no mediated devices');
    const plain = { ...configOf(), devices: [{ msixVectors: 2, whileOff: 'drops' as const }] };
    expect(() => machine.run({ config: plain, operations: [] })).toThrow('not a mediated device');
  });
});
