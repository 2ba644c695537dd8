import { describe, expect, it } from 'vitest';
import {
  hostIrq,
  IMS_IGNORE,
  IMS_MASK,
  IMS_PASID_ENABLE,
  type ImsEntry,
  PASID_SHIFT,
  type ParentObservation,
} from '#vocabulary';
import { parentChanges } from './parent-changes.ts';

const NOTHING: ParentObservation = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };

function words(parent: Partial<ParentObservation>): readonly string[] {
  return parentChanges({ ...NOTHING, ...parent });
}

function entry(place: number, rest: Partial<ImsEntry> = {}): ImsEntry {
  const vector = place + 1;
  return { entry: place, control: IMS_MASK, data: hostIrq(1, vector), device: 1, vector, handle: false, ...rest };
}

const FREE = { data: 0, device: -1, vector: -1 };
const OVER = { phase: 'over', device: -1, pasid: 0, entry: -1 } as const;

describe('what changed in the parent', () => {
  it('is nothing where there is none, or where nothing did', () => {
    expect(parentChanges(undefined)).toEqual([]);
    expect(words({})).toEqual([]);
  });

  it('joins entries that stand next to each other and back vectors next to each other', () => {
    const entries = [entry(0), entry(1), entry(2), entry(3, { handle: true }), entry(5), entry(6, { data: 0 })];
    expect(words({ entries })).toEqual([
      'entries 0-2 of @1.1-3: masked irq 0x901-0x903',
      'entry 3 of @1.4: masked irq 0x904 handle',
      'entry 5 of @1.6: masked irq 0x906',
      'entry 6 of @1.7: masked',
    ]);
  });

  it.each([
    ['of another vector', { vector: 5 }],
    ['of another mdev', { device: 2 }],
    ['with another control word', { control: 0 }],
    ['with another interrupt', { data: hostIrq(1, 9) }],
  ])('keeps an entry apart that is %s', (_, rest) => {
    expect(words({ entries: [entry(0), entry(1, rest)] })).toHaveLength(2);
  });

  it("joins entries that are nobody's", () => {
    expect(words({ entries: [entry(0, FREE), entry(1, FREE), entry(2)] })).toEqual([
      'entries 0-1 free: masked',
      'entry 2 of @1.3: masked irq 0x903',
    ]);
    const same = { ...FREE, data: 7 };
    expect(words({ entries: [entry(0, same), entry(1, same)] })).toEqual(['entries 0-1 free: masked irq 0x7']);
  });

  it('joins PASIDs that are free', () => {
    const free = { state: 'free', vm: -1, guest: 0, references: 0 } as const;
    const pasids = [
      { pasid: 1, state: 'active', vm: 0, guest: 0, references: 2 },
      { pasid: 2, state: 'free-pending', vm: 0, guest: 9, references: 1 },
      { ...free, pasid: 3 },
      { ...free, pasid: 4 },
      { ...free, pasid: 6 },
    ] as const;
    expect(words({ pasids })).toEqual([
      'pasid 1 active, default of VM 0, 2 references',
      'pasid 2 free-pending, guest 9 of VM 0, 1 reference',
      'pasids 3-4 free',
      'pasid 6 free',
    ]);
  });

  it('tells what became of an mdev', () => {
    const mdevs = [
      { device: 0, life: 'open', defaultPasid: 1 },
      { device: 1, life: 'created', defaultPasid: 0 },
      { device: 2, life: 'created', defaultPasid: 0 },
      { device: 3, life: 'gone', defaultPasid: 0 },
    ] as const;
    expect(words({ mdevs })).toEqual([
      'mdev @0 open, default pasid 1',
      'mdev @1-2 created, not attached',
      'mdev @3 gone',
    ]);
  });

  it('tells MSIX_PERM as the guest wrote it', () => {
    const pasid = 5 * 2 ** PASID_SHIFT;
    const values = [IMS_PASID_ENABLE + pasid, IMS_PASID_ENABLE, pasid + IMS_IGNORE, 0, 0];
    const perms = values.map((value, place) => ({ device: 0, vector: place + 1, value }));
    expect(words({ perms })).toEqual([
      'MSIX_PERM of @0.1: guest pasid 5',
      'MSIX_PERM of @0.2: guest pasid 0',
      'MSIX_PERM of @0.3: disabled guest pasid 5 ignore',
      'MSIX_PERM of @0.4-5: off',
    ]);
  });

  it('tells where a descriptor is', () => {
    const descriptors = [
      { descriptor: 0, phase: 'queued', device: 1, pasid: 2, entry: -1 },
      { descriptor: 1, phase: 'started', device: 1, pasid: 2, entry: 3 },
      { descriptor: 2, phase: 'started', device: 1, pasid: 2, entry: -1 },
      { ...OVER, descriptor: 4 },
      { ...OVER, descriptor: 5 },
    ] as const;
    expect(words({ descriptors })).toEqual([
      'descriptor 0 queued on @1 with pasid 2',
      'descriptor 1 started on @1 with pasid 2 for entry 3',
      'descriptor 2 started on @1 with pasid 2',
      'descriptors 4-5 over',
    ]);
  });
});
