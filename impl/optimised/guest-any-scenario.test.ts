import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, Operation, Scenario } from '#vocabulary';
import {
  CONFIG_WIDTHS,
  MSIX_CAPABILITY_BYTES,
  MSIX_ENTRY_BYTES,
  MSIX_VECTORS_MAX,
  PENDING,
  TABLE_WIDTHS,
  UNMASKED,
  WINDOWS,
} from '#vocabulary';
import { B } from './answer.fixture.ts';
import { OptimisedMachine } from './machine.ts';

const value = fc.oneof(fc.constantFrom(0, 1, 0xfffffffe, 0xffffffff, 0x80000000, 0xc0000000), fc.nat(0xffffffff));
const anyFunction = fc.record(
  {
    msixVectors: fc.constantFrom(0, 1, 5, 5, 40, 2048),
    whileOff: fc.constantFrom('latches' as const, 'drops' as const),
    msiVectors: fc.constant(4),
    intx: fc.constant(true as const),
    express: fc.constant(true as const),
    reset: fc.constant(true as const),
    powerManagement: fc.constant(true as const),
    silent: fc.constant(true as const),
  },
  { requiredKeys: ['msixVectors', 'whileOff'] },
);
const config: fc.Arbitrary<Config> = fc.record({
  host: fc.record({
    dynamicMsix: fc.boolean(),
    rangeCheck: fc.constantFrom('whole-range-first' as const, 'vector-by-vector' as const),
    belowMinusOne: fc.constantFrom('ignored' as const, 'refused' as const),
  }),
  vmm: fc.record({
    allocation: fc.constantFrom('vector-0-first' as const, 'as-irq-info-says' as const, 'all-at-enable' as const),
    delivery: fc.constantFrom('userspace' as const, 'irqfd' as const),
  }),
  devices: fc.array(anyFunction, { minLength: 1, maxLength: 2 }),
});

const near = fc.nat(5);
/** Vectors that may lie behind the table. */
const anywhere = fc.oneof({ weight: 8, arbitrary: near }, fc.constantFrom(39, 40, 2047, 2048, 4294967295));

/** What a guest and its device do. */
function onDevice(device: number, vector: fc.Arbitrary<number>): fc.Arbitrary<Operation> {
  const at = fc.constant(device);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('device.raise' as const), device: at, vector }) },
    fc.record({ kind: fc.constant('device.arm' as const), device: at, vector, window: fc.constantFrom(...WINDOWS) }),
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('guest.mask' as const, 'guest.unmask' as const, 'guest.unmask' as const),
        device: at,
        vector,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('guest.msixControl' as const),
        device: at,
        enable: fc.nat(3).map((number) => number > 0),
        functionMask: fc.nat(3).map((number) => number === 0),
      }),
    },
    fc.record({
      kind: fc.constant('guest.configWrite' as const),
      device: at,
      offset: fc.nat(MSIX_CAPABILITY_BYTES - 1),
      width: fc.constantFrom(...CONFIG_WIDTHS),
      value,
    }),
    {
      weight: 2,
      arbitrary: fc.record(
        {
          kind: fc.constant('guest.tableWrite' as const),
          device: at,
          vector,
          offset: fc.nat(MSIX_ENTRY_BYTES - 1),
          width: fc.constantFrom(...TABLE_WIDTHS),
          value,
          high: value,
        },
        { requiredKeys: ['kind', 'device', 'vector', 'offset', 'width', 'value'] },
      ),
    },
    fc.record({
      kind: fc.constant('guest.tableRead' as const),
      device: at,
      vector,
      offset: fc.constantFrom(0, 4, 8, 12),
    }),
    fc.record({ kind: fc.constant('guest.readPba' as const), device: at, vector }),
    fc.record({ kind: fc.constant('guest.busMaster' as const), device: at, enable: fc.boolean() }),
    fc.record({ kind: fc.constant('guest.reset' as const), device: at }),
    fc.record({ kind: fc.constant('host.limitVectors' as const), count: fc.nat(6) }),
    fc.record({ kind: fc.constant('host.failAllocation' as const), nth: fc.integer({ min: 1, max: 6 }) }),
  );
}

const scenario: fc.Arbitrary<Scenario> = config.chain((one) =>
  fc.record({
    config: fc.constant(one),
    operations: fc.array(fc.oneof(...one.devices.map((_, place) => onDevice(place, anywhere))), { maxLength: 40 }),
  }),
);
const RAW: Scenario = {
  config: { host: B, devices: [{ msixVectors: 5, whileOff: 'latches', intx: true }] },
  operations: [
    { kind: 'vfio.setIrqs', device: 0, flags: 36, index: 2, start: 0, count: 2, data: ['e0', 'e4001'] },
    { kind: 'device.raise', device: 0, vector: 1 },
    { kind: 'vfio.setIrqs', device: 0, flags: 33, index: 2, start: 0, count: 0, data: [] },
    { kind: 'vfio.setIrqs', device: 0, flags: 36, index: 0, start: 0, count: 1, data: ['e8000'] },
    { kind: 'vfio.setIrqs', device: 0, flags: 20, index: 0, start: 0, count: 1, data: ['e8001'] },
  ],
};

describe('any scenario of a guest', () => {
  it('gets the same Trace from a machine that ran others before as from a fresh one', () => {
    const used = new OptimisedMachine();
    const raw = structuredClone(used.run(RAW));
    fc.assert(
      fc.property(scenario, (one) => {
        const fresh = structuredClone(new OptimisedMachine().run(one));
        expect(structuredClone(used.run(one))).toEqual(fresh);
        expect(used.run(one)).toEqual(fresh);
        expect(used.run(RAW)).toStrictEqual(raw);
      }),
      { numRuns: 400 },
    );
  });

  it('gets changes that are real and ascending, and bits that are as the guest reads them', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        const states = one.config.devices.map(() => new Map<number, number>());
        const { steps } = new OptimisedMachine().run(one);
        expect(steps).toHaveLength(one.operations.length);
        steps.forEach(({ observation, outcome, calls }, place) => {
          expect(Array.isArray(calls)).toBe(true);
          observation.forEach(({ guest }, device) => {
            const known = states[device] as Map<number, number>;
            let before = -1;
            for (const { vector, state } of guest?.changes ?? []) {
              expect(vector).toBeGreaterThan(before);
              expect(state).not.toBe(known.get(vector) ?? 0);
              known.set(vector, state);
              before = vector;
            }
          });
          const operation = one.operations[place] as Operation;
          if (outcome.kind !== 'value' || !('vector' in operation)) return;
          const known = states[operation.device] as Map<number, number>;
          // What was armed may change a bit of the PBA after the read, and none of the table.
          if (operation.kind === 'guest.tableRead' && operation.offset === 12)
            expect((outcome.value & 1) === 0).toBe(((known.get(operation.vector) ?? 0) & UNMASKED) !== 0);
          const wasArmed = one.operations.slice(0, place).some(({ kind }) => kind === 'device.arm');
          if (operation.kind === 'guest.readPba' && !wasArmed)
            for (let bit = 0; bit < 32; bit += 1)
              expect((outcome.value >>> (bit & 31)) & 1).toBe(
                ((known.get((operation.vector & ~31) + bit) ?? 0) & PENDING) === 0 ? 0 : 1,
              );
        });
      }),
      { numRuns: 400 },
    );
  });

  it('goes the same way on a table of 8 vectors as on one of 2048, unless the whole table is set up', () => {
    fc.assert(
      fc.property(
        config,
        fc.array(onDevice(0, near), { maxLength: 40 }),
        ({ host, vmm, devices: [first] }, operations) => {
          fc.pre(vmm?.allocation !== 'all-at-enable' && first !== undefined);
          const [small, large] = [8, MSIX_VECTORS_MAX].map((msixVectors) =>
            new OptimisedMachine().run({
              config: { host, ...(vmm === undefined ? {} : { vmm }), devices: [{ ...first, msixVectors }] },
              operations,
            }),
          );
          expect(large).toEqual(small);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells raises as they happened, then each message once in order', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        for (const { events } of new OptimisedMachine().run(one).steps) {
          const kinds = events.map(({ kind }) => kind);
          expect(kinds).toEqual([...kinds].sort().reverse());
          const messages = events.flatMap((event) =>
            event.kind === 'message' ? [[event.device, event.high, event.address, event.data]] : [],
          );
          const texts = messages.map((numbers) => numbers.map((part) => String(part).padStart(10, '0')).join());
          expect(texts).toEqual([...new Set(texts)].sort());
          expect(kinds).not.toContain('signalled');
        }
      }),
      { numRuns: 400 },
    );
  });
});
