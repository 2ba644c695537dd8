import { describe, expect, it } from 'vitest';
import { type Config, type PciFunction, parseOperation } from '#vocabulary';
import {
  type Entry,
  type Mdev,
  mdevAt,
  type ParentState,
  type PasidState,
  type Perm,
  setEntry,
  setVectorState,
  type Vector,
  type Work,
} from './ims/parent.ts';
import { initialMdevMachine, type MdevMachine, observeMdevs, stepMdev } from './mdev-machine.ts';
import { putMdevs, restoreMdevs, saveMdevs } from './mdev-saved.ts';
import { platformOf } from './profiles.ts';
import { type Changes, changes, wordsTold } from './words.fixture.ts';

const ENTRY: Entry = {
  device: 0,
  vector: 1,
  mask: true,
  pending: false,
  ignore: false,
  pasid: 1,
  data: 7,
  handle: true,
};
const PASID: PasidState = { vm: 0, guest: 2, holders: 1, users: 1 };
const WORK: Work = { device: 0, pasid: 1, guestPasid: 2, handle: 0, rci: true, started: false, entry: null };
const PERM: Perm = { pasidEnable: false, pasid: 3, ignore: false };

/** An entry, a PASID, a descriptor and a vector in each state that one can be in, whether or not all go together. */
function machineOf(): MdevMachine {
  const devices = [0, 1].map(
    (vm): PciFunction => ({ msixVectors: 3, whileOff: 'drops', reset: true, mdev: { vm, viommu: true } }),
  );
  const config: Config = {
    ...platformOf('idxd-mdev'),
    parent: { entries: 4, pasids: 8, quota: 3, handles: 'index' },
    devices,
  };
  const machine = initialMdevMachine(config);
  const { parent } = machine;
  parent.entries.set(2, ENTRY);
  parent.pasids.set(5, PASID);
  parent.work.set(4, WORK);
  parent.bindings.set(0, new Map([[2, 5]]));
  setVectorState(mdevAt(parent, 0), 1, { perm: PERM, entry: 2, told: 1 });
  observeMdevs(machine);
  return machine;
}

const PARENT: Changes<ParentState> = {
  hardware: 'never changes',
  driver: 'never changes',
  dynamic: 'never changes',
  tableHidden: 'never changes',
  entries: (parent) => parent.entries.delete(2),
  pasids: (parent) => parent.pasids.set(6, PASID),
  bindings: (parent) => parent.bindings.set(0, new Map([[3, 5]])),
  mdevs: 'has a table of its own',
  work: (parent) => parent.work.set(3, WORK),
  // What is open and no trigger is as good as one that was never made.
  eventfds: 'follows from the rest',
  failing: (parent) => (parent.failing += 1),
  events: 'is of one step',
};

const MDEV: Changes<Mdev> = {
  index: 'never changes',
  facts: 'never changes',
  gone: (mdev) => (mdev.gone = !mdev.gone),
  descriptors: (mdev) => (mdev.descriptors += 1),
  defaultPasid: (mdev) => (mdev.defaultPasid += 1),
  setUp: (mdev) => (mdev.setUp = !mdev.setUp),
  vectors: 'has a table of its own',
  touched: 'is of one step',
};

/**
 * What is in a map is replaced: a change of each field alone.
 * @param other differs in every field from what is there
 */
function replaced<Part extends object>(
  name: string,
  other: Required<Part>,
  replace: (parent: ParentState, change: Partial<Part>) => void,
): readonly (readonly [string, (machine: MdevMachine) => void])[] {
  return Object.keys(other).map((field) => {
    const change = Object.fromEntries(Object.entries(other).filter(([key]) => key === field)) as Partial<Part>;
    return [`${name}.${field}`, ({ parent }: MdevMachine) => replace(parent, change)] as const;
  });
}

const OTHER_PERM: Perm = { pasidEnable: true, pasid: 4, ignore: true };
const OTHER_VECTOR: Vector = {
  ...{ perm: OTHER_PERM, masked: false, pending: true, entry: null, told: null },
  trigger: { name: 'e9', number: 9, open: false, count: 0, watchers: null },
};
const OTHER_ENTRY: Entry = {
  ...{ device: 1, vector: 2, mask: false, pending: true, ignore: true, pasid: 0, data: 0, handle: false },
};
const OTHER_PASID: PasidState = { vm: 1, guest: 0, holders: 0, users: 2 };
const OTHER_WORK: Work = { device: 1, pasid: 2, guestPasid: 0, handle: 1, rci: false, started: true, entry: 2 };

const CASES = [
  ...changes('parent', PARENT, ({ parent }: MdevMachine) => parent),
  ...changes('mdev', MDEV, ({ parent }: MdevMachine) => mdevAt(parent, 0)),
  ...replaced('vector', OTHER_VECTOR, (parent, change) => setVectorState(mdevAt(parent, 0), 1, change)),
  ...replaced('perm', OTHER_PERM, (parent, change) =>
    setVectorState(mdevAt(parent, 0), 1, { perm: { ...PERM, ...change } }),
  ),
  ...replaced('entry', OTHER_ENTRY, (parent, change) => setEntry(parent, 2, change)),
  ...replaced('pasid', OTHER_PASID, (parent, change) => parent.pasids.set(5, { ...PASID, ...change })),
  ...replaced('work', OTHER_WORK, (parent, change) => parent.work.set(4, { ...WORK, ...change })),
];

function wordsOf(machine: MdevMachine): readonly number[] {
  return wordsTold((words) => putMdevs(machine, words));
}

describe('a change of one field of a machine with mediated devices', () => {
  it.each(CASES)('is in the words, and put back as often as one likes: %s', (_, change) => {
    const machine = machineOf();
    const words = wordsOf(machine);
    const saved = saveMdevs(machine);
    change(machine);
    const changed = wordsOf(machine);
    expect(changed).not.toEqual(words);
    const savedChanged = saveMdevs(machine);
    restoreMdevs(machine, saved);
    expect(wordsOf(machine)).toEqual(words);
    change(machine);
    restoreMdevs(machine, saved);
    restoreMdevs(machine, savedChanged);
    expect(wordsOf(machine)).toEqual(changed);
    restoreMdevs(machine, saved);
    expect(wordsOf(machine)).toEqual(words);
  });

  it('is not in the words where it is the order in which maps were filled', () => {
    const [one, other] = [machineOf(), machineOf()];
    one.parent.entries.set(1, ENTRY);
    other.parent.entries.clear();
    for (const index of [1, 2]) other.parent.entries.set(index, ENTRY);
    expect(wordsOf(one)).toEqual(wordsOf(other));
  });

  it('is not in the words where a VM has given back all that it had bound', () => {
    const [one, other] = [machineOf(), machineOf()];
    one.parent.bindings.set(1, new Map());
    expect(wordsOf(one)).toEqual(wordsOf(other));
  });
});

describe('a machine with mediated devices that is put back', () => {
  it('says again what it has said', () => {
    const machine = machineOf();
    const operations = [
      ...['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+3 [e0 e1 e2]', 'guest.unmask 1', 'guest.msixPerm 1 on 2'],
      ...['guest.bindPasid 2', 'guest.submit 0 shared 2 handle=0', 'device.start 0', 'vfio.closeEventfd e1'],
      ...['device.complete 0', 'host.failAllocation 1', 'vfio.reset', 'vfio.close', 'host.detach', 'host.removeMdev'],
    ].map(parseOperation);
    const first = saveMdevs(machine);
    const steps = operations.map((operation) => stepMdev(machine, operation));
    restoreMdevs(machine, first);
    for (const [index, operation] of operations.entries()) {
      const saved = saveMdevs(machine);
      for (const later of operations.slice(index)) stepMdev(machine, later);
      restoreMdevs(machine, saved);
      expect(stepMdev(machine, operation)).toEqual(steps[index]);
    }
  });
});
