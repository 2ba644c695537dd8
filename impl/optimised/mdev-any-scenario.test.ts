import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Config,
  DataElement,
  HostPasid,
  ImsEntry,
  Operation,
  ParentObservation,
  PciFunction,
  Scenario,
} from '#vocabulary';
import { IMS_MASK, IMS_PASID_ENABLE, PASID_SHIFT, TABLE_WIDTHS, WINDOWS } from '#vocabulary';
import { MdevMachine } from './mdev-machine.ts';
import { optimisedSystem } from './system.ts';

const few = fc.nat(4);
const element: fc.Arbitrary<DataElement> = fc.oneof(
  { weight: 8, arbitrary: fc.nat(5).map((number) => `e${number}` as const) },
  fc.constantFrom<DataElement>('bad', 'notEventfd', -1, -1, 7, 4294967295),
);
/** Also what is behind every table. */
const vector = fc.oneof({ weight: 12, arbitrary: few }, fc.constantFrom(2047, 2048, 4294967295));
const pasid = fc.oneof({ weight: 12, arbitrary: fc.nat(6) }, fc.constantFrom(0xfffff, 0x100000));

const traits = fc.record({
  allocation: fc.constantFrom('per-vector' as const, 'all-closed' as const, 'all-default' as const),
  permSync: fc.constantFrom('atEnable' as const, 'atUnmask' as const, 'immediate' as const),
  noTranslation: fc.constantFrom('fail' as const, 'closed' as const, 'default' as const),
  defaultPasid: fc.constantFrom('per-mdev' as const, 'per-domain' as const),
  releaseBy: fc.constantFrom('handle' as const, 'index' as const),
});
const parent = fc.record({
  entries: fc.constantFrom(1, 4, 9),
  pasids: fc.constantFrom(1, 5, 80),
  quota: fc.constantFrom(1, 8),
  handles: fc.constantFrom('requested' as const, 'index' as const),
});
const mdev: fc.Arbitrary<PciFunction> = fc
  .record({ msixVectors: fc.constantFrom(1, 3, 4, 5), vm: fc.nat(1), viommu: fc.constantFrom(true, true, false) })
  .map(({ msixVectors, vm, viommu }) => {
    const facts = viommu ? { vm, viommu: true as const } : { vm };
    return { msixVectors, whileOff: 'drops' as const, reset: true as const, mdev: facts };
  });
const config: fc.Arbitrary<Config> = fc.record({
  host: fc.record({
    dynamicMsix: fc.boolean(),
    rangeCheck: fc.constant('vector-by-vector' as const),
    belowMinusOne: fc.constant('ignored' as const),
  }),
  mdev: traits,
  parent,
  devices: fc.array(mdev, { minLength: 1, maxLength: 3 }),
});
const vmm = fc.record({
  allocation: fc.constantFrom('vector-0-first' as const, 'as-irq-info-says' as const, 'all-at-enable' as const),
  delivery: fc.constantFrom('userspace' as const, 'irqfd' as const),
});

/** What is asked of an mdev with a VMM and without. */
function ofAny(device: number): fc.Arbitrary<Operation> {
  const at = fc.constant(device);
  return fc.oneof(
    { weight: 3, arbitrary: perm(at) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('guest.bindPasid' as const), device: at, pasid }) },
    fc.record({ kind: fc.constant('guest.freePasid' as const), device: at, pasid }),
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('guest.requestHandle' as const), device: at, vector }) },
    fc.record({ kind: fc.constant('guest.releaseHandle' as const), device: at, operand: vector }),
    { weight: 4, arbitrary: submit(at) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('device.start' as const), descriptor: few }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('device.complete' as const), descriptor: few }) },
    fc.record({ kind: fc.constant('device.raise' as const), device: at, vector }),
    fc.record({ kind: fc.constant('host.failAllocation' as const), nth: fc.integer({ min: 1, max: 4 }) }),
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('guest.unmask' as const), device: at, vector }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('guest.mask' as const), device: at, vector }) },
  );
}

function perm(device: fc.Arbitrary<number>): fc.Arbitrary<Operation> {
  const [pasidEnable, ignore] = [fc.boolean(), fc.boolean()];
  return fc.record({ kind: fc.constant('guest.msixPerm' as const), device, vector, pasidEnable, pasid, ignore });
}

function submit(device: fc.Arbitrary<number>): fc.Arbitrary<Operation> {
  return fc.record(
    {
      kind: fc.constant('guest.submit' as const),
      ...{ device, descriptor: few, pasid },
      queue: fc.constantFrom('dedicated' as const, 'shared' as const),
      handle: fc.oneof({ weight: 9, arbitrary: few }, fc.constant(65535)),
      rci: fc.constant(false as const),
    },
    { requiredKeys: ['kind', 'device', 'descriptor', 'pasid', 'queue', 'handle'] },
  );
}

/** What the user of vfio asks, and the host. */
function ofVfio(device: number): fc.Arbitrary<Operation> {
  const at = fc.constant(device);
  const call = fc
    .record({
      start: few,
      count: few,
      flags: fc.constantFrom(36, 36, 36, 36, 33, 34, 12),
      index: fc.constantFrom(2, 2, 4),
    })
    .chain(({ start, count, flags, index }) =>
      fc
        .array(element, flags === 33 ? { maxLength: 0 } : { minLength: count, maxLength: count })
        .map((data): Operation => ({ kind: 'vfio.setIrqs', device, flags, index, start, count, data })),
    );
  return fc.oneof(
    { weight: 8, arbitrary: call },
    fc.constantFrom<Operation>(
      { kind: 'vfio.open', device },
      { kind: 'vfio.close', device },
      { kind: 'vfio.reset', device },
      { kind: 'vfio.getIrqInfo', device, index: 2 },
      { kind: 'vfio.closeEventfd', eventfd: 'e1' },
      { kind: 'vfio.writeEventfd', eventfd: 'e1' },
      { kind: 'host.removeMdev', device },
      { kind: 'host.crash', vm: 1 },
    ),
    fc.record({ kind: fc.constantFrom('host.createMdev' as const, 'host.attach' as const), device: at }),
    fc.record({ kind: fc.constantFrom('host.detach' as const, 'host.attach' as const), device: at }),
  );
}

/** What a guest does to the MSI-X structures that a VMM shows it, and what its device has in store. */
function ofGuest(device: number): fc.Arbitrary<Operation> {
  const at = fc.constant(device);
  const word = fc.constantFrom(0, 1, 0xffffffff);
  return fc.oneof(
    fc.record({
      kind: fc.constant('guest.msixControl' as const),
      ...{ device: at, enable: fc.constantFrom(true, true, false), functionMask: fc.boolean() },
    }),
    fc.record({
      kind: fc.constant('guest.tableWrite' as const),
      ...{ device: at, vector: few, offset: fc.nat(15), width: fc.constantFrom(...TABLE_WIDTHS), value: word },
    }),
    fc.record({
      kind: fc.constant('device.armDescriptor' as const),
      ...{ device: at, descriptor: few, window: fc.constantFrom(...WINDOWS) },
    }),
    fc.constantFrom<Operation>(
      { kind: 'guest.readPba', device, vector: 1 },
      { kind: 'guest.busMaster', device, enable: true },
      { kind: 'guest.reset', device },
    ),
  );
}

function scenarioOn(at: fc.Arbitrary<Config>, more: (device: number) => fc.Arbitrary<Operation>) {
  return at.chain((one) => {
    const operation = fc.oneof(...one.devices.flatMap((_, device) => [ofAny(device), more(device)]));
    return fc.record({ config: fc.constant(one), operations: fc.array(operation, { maxLength: 60 }) });
  });
}

/** Without a VMM. */
const rawScenario = scenarioOn(config, ofVfio);
/** With one. */
const shownScenario = scenarioOn(
  fc.tuple(config, vmm).map(([one, traitsOfVmm]) => ({ ...one, vmm: traitsOfVmm })),
  ofGuest,
);
const anyScenario: fc.Arbitrary<Scenario> = fc.oneof(rawScenario, shownScenario);

/** All observations of the parent, the first one first. */
function parentsOf(scenario: Scenario): readonly ParentObservation[] {
  const { initialParent, steps } = new MdevMachine().run(scenario);
  return [initialParent, ...steps.map(({ parent }) => parent)].map((parent) => {
    if (parent === undefined) throw new Error('the parent was not observed');
    return parent;
  });
}

/** What is known after each observation: entries, PASIDs, and how many carry each PASID as a default and in flight. */
class Known {
  readonly entries = new Map<number, ImsEntry>();
  readonly pasids = new Map<number, HostPasid>();
  readonly defaults = new Map<number, number>();
  readonly inFlight = new Map<number, number>();

  hear({ entries, pasids, mdevs, descriptors }: ParentObservation): void {
    for (const entry of entries) this.entries.set(entry.entry, entry);
    for (const pasid of pasids) this.pasids.set(pasid.pasid, pasid);
    for (const { device, defaultPasid } of mdevs) this.defaults.set(device, defaultPasid);
    for (const { descriptor, pasid } of descriptors) this.inFlight.set(descriptor, pasid);
  }

  references(pasid: number): number {
    const carrying = [...this.entries.values()].filter(({ control }) => carries(control, pasid)).length;
    const isIt = (one: number): boolean => one === pasid;
    return carrying + [...this.defaults.values(), ...this.inFlight.values()].filter(isIt).length;
  }
}

function carries(control: number, pasid: number): boolean {
  return (control & IMS_PASID_ENABLE) !== 0 && control >>> (PASID_SHIFT & 31) === pasid;
}

describe('any scenario of mdevs', () => {
  it('gets the same Trace from a machine that ran others before as from a fresh one', () => {
    const used = optimisedSystem();
    fc.assert(
      fc.property(anyScenario, (one) => {
        const fresh = structuredClone(new MdevMachine().run(one));
        expect(structuredClone(used.run(one))).toEqual(fresh);
        expect(used.run(one)).toEqual(fresh);
      }),
      { numRuns: 300 },
    );
  });

  it('gets a step for each operation, with calls or signals as there is a VMM or none', () => {
    fc.assert(
      fc.property(anyScenario, (one) => {
        const { steps } = new MdevMachine().run(one);
        expect(steps).toHaveLength(one.operations.length);
        const unseen = one.config.vmm === undefined ? 'message' : 'signalled';
        for (const { calls, events, observation } of steps) {
          expect(calls === undefined).toBe(one.config.vmm === undefined);
          expect(events.some(({ kind }) => kind === unseen)).toBe(false);
          expect(observation).toHaveLength(one.config.devices.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is told changes that are real, each list ascending', () => {
    fc.assert(
      fc.property(anyScenario, (one) => {
        const told = new Map<string, string>();
        for (const { entries, pasids, mdevs, perms, descriptors } of parentsOf(one)) {
          const lists: readonly (readonly [string, number, unknown])[][] = [
            entries.map((entry) => ['entry', entry.entry, entry]),
            pasids.map((pasid) => ['pasid', pasid.pasid, pasid]),
            mdevs.map((mdev) => ['mdev', mdev.device, mdev]),
            perms.map((perm) => ['perm', perm.device * 2048 + perm.vector, perm]),
            descriptors.map((descriptor) => ['descriptor', descriptor.descriptor, descriptor]),
          ];
          for (const list of lists) {
            const numbers = list.map(([, number]) => number);
            expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
            for (const [kind, number, value] of list) {
              expect(JSON.stringify(value)).not.toBe(told.get(`${kind} ${number}`));
              told.set(`${kind} ${number}`, JSON.stringify(value));
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves every entry closed or with an active PASID of the VM of its owner', () => {
    fc.assert(
      fc.property(anyScenario, (one) => {
        const known = new Known();
        for (const parent of parentsOf(one)) {
          known.hear(parent);
          for (const { control, device, data, handle } of known.entries.values()) {
            if (device === -1) expect([control, data, handle]).toEqual([IMS_MASK, 0, false]);
            if ((control & IMS_PASID_ENABLE) === 0) expect(control & ~2).toBe(IMS_MASK);
            else {
              const pasid = known.pasids.get(control >>> (PASID_SHIFT & 31));
              expect([pasid?.state, pasid?.vm]).toEqual(['active', one.config.devices[device]?.mdev?.vm]);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('counts every reference to a PASID, and has it free when there is none', () => {
    fc.assert(
      fc.property(anyScenario, (one) => {
        const known = new Known();
        for (const parent of parentsOf(one)) {
          known.hear(parent);
          for (const { pasid, state, guest, references } of known.pasids.values()) {
            const allocator = state === 'active' && guest !== 0 ? 1 : 0;
            expect(references).toBe(known.references(pasid) + allocator);
            expect(state === 'free').toBe(references === 0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
