import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Config, type ParentObservation, parseOperation, type Step, type Trace } from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { referenceSystem, specify } from '../../model/reference.ts';
import { scenarios } from '../generators/scenario.ts';
import { RecordError, readRecorded, writeFinding } from './record.ts';
import type { Finding } from './verdict.ts';

const CONFIG: Config = {
  ...platformOf('idxd-mdev'),
  parent: { entries: 4, pasids: 8, quota: 3, handles: 'requested' },
  devices: [
    { msixVectors: 3, whileOff: 'drops', reset: true, mdev: { vm: 0, viommu: true } },
    { msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm: 1 } },
  ],
};

const PARENT: ParentObservation = {
  entries: [{ entry: 1, control: 0xfffff00f, data: 0x901, device: 1, vector: 1, handle: true }],
  pasids: [
    { pasid: 2, state: 'free-pending', vm: 1, guest: 0xfffff, references: 3 },
    { pasid: 3, state: 'free', vm: -1, guest: 0, references: 0 },
  ],
  mdevs: [{ device: 0, life: 'created', defaultPasid: 0 }],
  perms: [{ device: 0, vector: 1, value: 0xfffff00c }],
  descriptors: [{ descriptor: 7, phase: 'over', device: -1, pasid: 0, entry: -1 }],
};
const NOTHING: ParentObservation = { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [] };

const STEPS: readonly Step[] = [
  {
    outcome: { kind: 'status', status: 0x42 },
    events: [
      { kind: 'completed', device: 1, descriptor: 7, status: 0x19 },
      { kind: 'error', device: 1, pasid: 5 },
      { kind: 'revoked', device: 0 },
    ],
    observation: [],
    parent: PARENT,
    clauses: ['ims.handle.no-entry'],
  },
  { outcome: { kind: 'ok' }, events: [], observation: [], parent: NOTHING, clauses: [] },
];

/** Every operation that mdevs alone can be asked, once in each of its forms, and what others are asked of them. */
const LINES: readonly string[] = [
  'guest.msixPerm 1 on 1048575 ignore @1',
  'guest.msixPerm 0 off 0',
  'guest.bindPasid 0',
  'guest.freePasid 5 @1',
  'guest.requestHandle 2 ims',
  'guest.requestHandle 2',
  'guest.releaseHandle 65535',
  'guest.submit 3 shared 1048575 handle=65535 no-rci @1',
  'guest.submit 0 dedicated 0 handle=0',
  'device.start 3',
  'device.complete 3',
  'host.createMdev',
  'host.removeMdev @1',
  'host.attach',
  'host.detach',
  'host.crash 1',
  'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [e0] @1',
  'guest.unmask 1',
  'device.raise 0',
];

function findingOf(reference: Trace, subject: Trace): Finding {
  return {
    ...{ id: '0123abcd', verdict: 'divergence', system: 'some', profile: 'idxd-mdev', subjectProfile: 'idxd-mdev' },
    seed: 5,
    scenario: { config: CONFIG, operations: LINES.slice(0, STEPS.length).map(parseOperation) },
    judgement: { reference, subject, divergences: [], violations: [] },
  };
}

function fileOf(operations: readonly object[], config: object = CONFIG): string {
  return JSON.stringify({ schema: 'vfio-irq/scenario@1', config, operations });
}

describe('a record of mdevs', () => {
  it('that is a finding is read back as it was written', () => {
    const reference: Trace = { initial: [], initialParent: PARENT, steps: STEPS };
    const blind: Trace = { initial: [], steps: STEPS.map(({ parent: _, ...step }) => step) };
    for (const subject of [{ ...reference, initialParent: NOTHING }, blind]) {
      const finding = findingOf(reference, subject);
      expect(readRecorded(writeFinding(finding), 'f.jsonl')).toEqual({ kind: 'finding', finding });
    }
  });

  it('of another machine says nothing of a parent', () => {
    const trace: Trace = { initial: [], steps: STEPS.map(({ parent: _, ...step }) => step) };
    expect(writeFinding(findingOf(trace, trace))).not.toContain('parents');
  });

  it.each(['idxd-mdev', 'idxd-mdev-fixed+qemu-10.0'] as const)(
    'that is a scenario drawn for %s is read back, and so is what the model says of it',
    (profile) => {
      const drawn = scenarios(referenceSystem().support, platformOf(profile));
      for (const scenario of fc.sample(drawn, { seed: 3, numRuns: 60 })) {
        expect(readRecorded(fileOf(scenario.operations, scenario.config), 's')).toEqual({ kind: 'scenario', scenario });
        const trace = specify(scenario);
        const finding = { ...findingOf(trace, trace), scenario };
        expect(readRecorded(writeFinding(finding), 'f')).toEqual({ kind: 'finding', finding });
      }
    },
  );

  it('of every operation is read back as it was written', () => {
    const scenario = { config: CONFIG, operations: LINES.map(parseOperation) };
    expect(readRecorded(fileOf(scenario.operations), 's')).toEqual({ kind: 'scenario', scenario });
    const vmm = { allocation: 'all-at-enable', delivery: 'irqfd' } as const;
    const armed = { config: { ...CONFIG, vmm }, operations: [parseOperation('device.armDescriptor 1 after-set')] };
    expect(readRecorded(fileOf(armed.operations, armed.config), 's')).toEqual({ kind: 'scenario', scenario: armed });
  });

  it('that leaves out what is usual has it so', () => {
    const perm = { kind: 'guest.msixPerm', vector: 1, pasidEnable: false };
    const submit = { kind: 'guest.submit', descriptor: 0, queue: 'dedicated', handle: 0 };
    const recorded = readRecorded(fileOf([perm, submit]), 's');
    const { operations } = recorded.kind === 'scenario' ? recorded.scenario : { operations: [] };
    expect(operations).toEqual(
      ['guest.msixPerm 1 off 0', 'guest.submit 0 dedicated 0 handle=0'].map((line) => parseOperation(line)),
    );
  });

  const submit = { kind: 'guest.submit', descriptor: 0, queue: 'shared', pasid: 1, handle: 0 };
  it.each<[object, RegExp]>([
    [{ ...submit, pasid: 0x100000 }, /^s: operations\[0\]\.pasid: too big: expected number to be <=1048575$/],
    [{ ...submit, handle: 0x10000 }, /^s: operations\[0\]\.handle: too big/],
    [{ ...submit, queue: 'own' }, /^s: operations\[0\]\.queue: invalid option: expected one of "dedicated"\|"shared"$/],
    [{ ...submit, rci: true }, /^s: operations\[0\]\.rci: expected false, or nothing$/],
    [{ kind: 'guest.requestHandle', vector: 0, ims: false }, /^s: operations\[0\]\.ims: expected true, or nothing$/],
    [{ kind: 'guest.releaseHandle', operand: -1 }, /^s: operations\[0\]\.operand: too small/],
    [{ kind: 'host.attach', device: 2 }, /^s: operations\[0\]\.device: expected 0 to 1, got 2$/],
  ])('that is out of range is refused: %j', (operation, message) => {
    expect(() => readRecorded(fileOf([operation]), 's')).toThrow(RecordError);
    expect(() => readRecorded(fileOf([operation]), 's')).toThrow(message);
  });

  const { mdev, parent, devices, ...host } = CONFIG;
  const [first, second] = devices;
  const ALL_OR_NONE = /^s: config: expected mdev, parent and devices that are all mdevs, or none of these$/;
  const NO_MDEV =
    /^s: config: expected of an mdev one vector or more, "drops" while MSI-X is off, a reset and no more$/;
  it.each<[string, object, RegExp]>([
    ['without mdevs', { ...CONFIG, devices: [{ msixVectors: 1, whileOff: 'drops' }] }, ALL_OR_NONE],
    ['with one that is none', { ...CONFIG, devices: [first, { msixVectors: 1, whileOff: 'drops' }] }, ALL_OR_NONE],
    ['without a parent', { ...host, mdev, devices }, ALL_OR_NONE],
    ['with nothing but a parent', { ...host, parent, devices: [{ msixVectors: 1, whileOff: 'drops' }] }, ALL_OR_NONE],
    ['with mdevs alone', { ...host, devices }, ALL_OR_NONE],
    ['with an mdev that latches', { ...CONFIG, devices: [{ ...first, whileOff: 'latches' }] }, NO_MDEV],
    ['with an mdev without vectors', { ...CONFIG, devices: [second, { ...first, msixVectors: 0 }] }, NO_MDEV],
    ['with an mdev that has a pin', { ...CONFIG, devices: [{ ...first, intx: true }] }, NO_MDEV],
    ['without entries', { ...CONFIG, parent: { ...parent, entries: 0 } }, /^s: config\.parent\.entries: too small/],
    ['with a driver that is none', { ...CONFIG, mdev: { ...mdev, permSync: 'never' } }, /^s: config\.mdev\.permSync: /],
  ])('of a machine %s is refused', (_name, config, message) => {
    expect(() => readRecorded(fileOf([], config), 's')).toThrow(message);
  });

  it('that asks a machine what it cannot be asked is refused', () => {
    const plain = { ...host, devices: [{ msixVectors: 2, whileOff: 'latches' }] };
    const vmm = { allocation: 'as-irq-info-says', delivery: 'userspace' };
    expect(() => readRecorded(fileOf([parseOperation('host.attach')], plain), 's')).toThrow(
      /^s: operations\[0\]: expected nothing of mdevs, as the machine has none, got host\.attach$/,
    );
    expect(() => readRecorded(fileOf([parseOperation('vfio.mapBar')]), 's')).toThrow(
      /^s: operations\[0\]: expected what mdevs without a VMM can be asked, got vfio\.mapBar$/,
    );
    expect(() => readRecorded(fileOf([parseOperation('host.crash 0')], { ...CONFIG, vmm }), 's')).toThrow(
      /^s: operations\[0\]: expected a guest's operation or the device's, as the machine has a VMM, got host\.crash$/,
    );
  });
});
