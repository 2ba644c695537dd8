import { describe, expect, it } from 'vitest';
import { IMS_MASK, type ParentObservation, parseOperation, type Scenario, type Step, type Trace } from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { compare } from './compare.ts';
import type { Divergence } from './verdict.ts';

const FULL = { vectorState: 31, messageControl: true, registers: 31 };

const SCENARIO: Scenario = {
  config: {
    ...platformOf('idxd-mdev'),
    parent: { entries: 2, pasids: 4, quota: 2, handles: 'index' },
    devices: [{ msixVectors: 2, whileOff: 'drops', reset: true, mdev: { vm: 0, viommu: true } }],
  },
  operations: ['guest.unmask 1', 'guest.mask 1', 'device.complete 0'].map((line) => parseOperation(line)),
};

const DEVICE = { enable: false, functionMask: false, msixInfoFlags: 1, registers: 0, changes: [] };

function parent(changes: Partial<ParentObservation> = {}): ParentObservation {
  return { entries: [], pasids: [], mdevs: [], perms: [], descriptors: [], ...changes };
}

/** A run of which these are the observations of the parent, the first before the first operation. */
function run(...parents: readonly (Partial<ParentObservation> | undefined)[]): Trace {
  const [first, ...rest] = parents.map((one) => (one === undefined ? {} : { parent: parent(one) }));
  const step = { outcome: { kind: 'ok' }, events: [], observation: [DEVICE], clauses: [] } as const;
  return {
    initial: [DEVICE],
    ...(first?.parent === undefined ? {} : { initialParent: first.parent }),
    steps: rest.map((one): Step => ({ ...step, ...one })),
  };
}

function differences(reference: Trace, subject: Trace): Divergence[] {
  return compare(SCENARIO, reference, subject, FULL);
}

const ENTRY = { entry: 0, control: 0x2008, data: 0x101, device: 0, vector: 1, handle: false };
const PASID = { pasid: 2, state: 'active', vm: 0, guest: 5, references: 2 } as const;

describe('the comparer of parents', () => {
  it('finds nothing where both say the same, one of them twice', () => {
    const said = { entries: [ENTRY], pasids: [PASID] };
    expect(differences(run(said, {}, {}), run(said, said, {}))).toEqual([]);
    expect(differences(run(undefined, undefined), run(undefined, undefined))).toEqual([]);
  });

  it('remembers what both said of a thing before they differed in it', () => {
    const clean = { entry: 0, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false };
    const both = { entries: [ENTRY] };
    expect(differences(run({}, both, {}), run({}, both, { entries: [clean] }))).toEqual([
      {
        step: 1,
        path: 'parent entry 0',
        expected: 'entry 0 of @0.1: unmasked pasid 2 irq 0x101',
        got: 'entry 0 free: masked',
      },
    ]);
  });

  it('tells each thing that differs, in words', () => {
    const told = run({
      entries: [ENTRY],
      pasids: [PASID],
      mdevs: [{ device: 0, life: 'open', defaultPasid: 1 }],
      perms: [{ device: 0, vector: 1, value: 0x500c }],
      descriptors: [{ descriptor: 3, phase: 'started', device: 0, pasid: 2, entry: 0 }],
    });
    expect(differences(told, run({}))).toEqual(
      [
        ['entry 0', 'entry 0 of @0.1: unmasked pasid 2 irq 0x101', 'entry 0 free: masked'],
        ['pasid 2', 'pasid 2 active, guest 5 of VM 0, 2 references', 'pasid 2 free'],
        ['mdev 0', 'open, default pasid 1', 'gone, not attached'],
        ['MSIX_PERM @0.1', 'guest pasid 5 ignore', 'off'],
        ['descriptor 3', 'started on @0 with pasid 2 for entry 0', 'over'],
      ].map(([path, expected, got]) => ({ step: -1, path: `parent ${path}`, expected, got })),
    );
  });

  it('has words for everything', () => {
    const odd = run({
      mdevs: [{ device: 0, life: 'created', defaultPasid: 0 }],
      perms: [
        { device: 0, vector: 0, value: 0x7000 },
        { device: 0, vector: 1, value: 4 },
      ],
      descriptors: [{ descriptor: 0, phase: 'queued', device: 0, pasid: 1, entry: -1 }],
    });
    expect(differences(odd, run({})).map(({ expected }) => expected)).toEqual([
      'created, not attached',
      'disabled guest pasid 7',
      'ignore',
      'queued on @0 with pasid 1',
    ]);
  });

  it('tells a difference where it begins and where it changes, and again after it was gone', () => {
    const masked = { ...ENTRY, control: 0x2009 };
    const reference = run({ entries: [ENTRY] }, {}, {}, {});
    const pending = { ...masked, control: 0x200b };
    const subject = run({ entries: [masked] }, { entries: [pending] }, { entries: [ENTRY] }, { entries: [pending] });
    expect(differences(reference, subject).map(({ step, got }) => [step, got])).toEqual([
      [-1, 'entry 0 of @0.1: masked pasid 2 irq 0x101'],
      [0, 'entry 0 of @0.1: masked pending pasid 2 irq 0x101'],
      [2, 'entry 0 of @0.1: masked pending pasid 2 irq 0x101'],
    ]);
  });

  it('tells what only one of them speaks of, and that one speaks of none', () => {
    expect(differences(run({}, { pasids: [PASID] }), run({}, {}))).toHaveLength(1);
    expect(differences(run({}, {}), run({}, { pasids: [PASID] }))).toHaveLength(1);
    expect(differences(run({}, {}), run(undefined, undefined))).toEqual([
      { step: -1, path: 'parent', expected: 'seen', got: 'not seen' },
    ]);
  });

  it('ends where the subject died', () => {
    const subject = run({}, { pasids: [PASID] });
    const [died] = subject.steps.map((step): Step => ({ ...step, outcome: { kind: 'unknown', reason: 'crash' } }));
    const dead = { ...subject, steps: died === undefined ? [] : [died] };
    expect(differences(run({}, {}), dead).map(({ path }) => path)).toEqual(['outcome']);
  });
});
