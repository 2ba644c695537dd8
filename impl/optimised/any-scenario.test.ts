import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataElement, Operation, Scenario, Step } from '#vocabulary';
import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  CONFIG_FIELDS,
  INTX_HANDLER,
  MSI_ENABLE,
  MSI_VECTORS,
  MSIX_VECTORS_MAX,
  PENDING,
  RAW_KINDS,
  UNMASKED,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { OptimisedMachine } from './machine.ts';

const host = fc.record({
  dynamicMsix: fc.boolean(),
  rangeCheck: fc.constantFrom('whole-range-first' as const, 'vector-by-vector' as const),
  belowMinusOne: fc.constantFrom('ignored' as const, 'refused' as const),
});
const whileOff = fc.constantFrom('latches' as const, 'drops' as const);
const element: fc.Arbitrary<DataElement> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9).map((number) => `e${number}` as const) },
  fc.constantFrom<DataElement>('bad', 'notEventfd', -1, -1, -2, 0, 1, 4294967295),
);
const word = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1),
);
const window = fc.constant('teardown-gap' as const);

/** A block, loopback or disable of MSI-X that is valid for a table of `vectorCount`. */
function msixCall(device: number, vectorCount: number): fc.Arbitrary<Operation> {
  return fc
    .tuple(fc.nat(vectorCount - 1), fc.nat(4), fc.constantFrom(33, 34, 36, 36, 36), fc.array(element, { minLength: 4 }))
    .map(([start, most, flags, elements]) => {
      const count = Math.min(most, vectorCount - start);
      const data = flags === 33 ? [] : elements.slice(0, count);
      return { kind: 'vfio.setIrqs', device, flags, index: 2, start, count, data };
    });
}

/** Operations on vectors that a table of `vectorCount` has. */
function tame(device: number, vectorCount: number): fc.Arbitrary<Operation> {
  const vector = fc.nat(vectorCount - 1);
  return fc.oneof(
    { weight: 6, arbitrary: msixCall(device, vectorCount) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('device.raise' as const), device: fc.constant(device), vector }),
    },
    fc.record({ kind: fc.constant('device.arm' as const), device: fc.constant(device), vector, window }),
    fc.record({ kind: fc.constantFrom('vfio.open' as const, 'vfio.close' as const), device: fc.constant(device) }),
    fc.record({
      kind: fc.constant('vfio.closeEventfd' as const),
      eventfd: fc.nat(9).map((number) => `e${number}` as const),
    }),
    fc.record({ kind: fc.constant('host.limitVectors' as const), count: fc.nat(6) }),
  );
}

/** What there is beside MSI-X, on any function, also on one that has nothing of it. */
function beside(device: number): fc.Arbitrary<Operation> {
  const index = fc.constantFrom(0, 0, 1, 3);
  const flags = fc.constantFrom(9, 10, 17, 18, 20, 33, 34, 36, 36);
  const calls = fc
    .record({ flags, index, count: fc.constantFrom(0, 1, 1, 1, 3), elements: fc.array(element, { minLength: 3 }) })
    .map(({ flags, index, count, elements }): Operation => {
      const data = (flags & 1) === 0 ? elements.slice(0, count) : [];
      return { kind: 'vfio.setIrqs', device, flags, index, start: 0, count, data };
    });
  const fields = fc
    .record({ field: fc.constantFrom(...CONFIG_FIELDS), value: fc.constantFrom(0, 1, 3) })
    .map(({ field, value }): Operation => ({ kind: 'vfio.configWrite', device, field, value }));
  const rest = fc
    .record({ kind: fc.constantFrom(...RAW_KINDS), field: fc.constantFrom(...CONFIG_FIELDS), number: fc.nat(4) })
    // Each kind takes of the fields what it has.
    .map(({ kind, field, number }) => {
      const [vector, value, count, nth] = [number, number, number, number + 1];
      const eventfd = `e${number}`;
      const numbers = { index: 1, flags: 33, start: 0, count, data: [], window: 'teardown-gap' };
      return { ...numbers, kind, device, field, vector, value, nth, eventfd } as unknown as Operation;
    });
  return fc.oneof({ weight: 3, arbitrary: calls }, { weight: 2, arbitrary: fields }, { weight: 3, arbitrary: rest });
}

/** Calls whose every number may be nonsense. */
function wild(device: number): fc.Arbitrary<Operation> {
  return fc.oneof(
    fc
      .record({ flags: word, index: fc.oneof(fc.constant(2), word), start: word, count: word, argsz: word })
      .chain((numbers) =>
        fc.array(element).map((data): Operation => ({ kind: 'vfio.setIrqs', device, data, ...numbers })),
      ),
    fc
      .record({ index: word, argsz: word })
      .map((numbers): Operation => ({ kind: 'vfio.getIrqInfo', device, ...numbers })),
    word.map((vector): Operation => ({ kind: 'device.raise', device, vector })),
    fc.constantFrom<Operation>(
      { kind: 'vfio.getIrqInfo', device, index: 2, unreadable: true },
      { kind: 'vfio.setIrqs', device, flags: 36, index: 4, start: 0, count: 1, data: ['e1'] },
      { kind: 'vfio.setIrqs', device, flags: 33, index: 4, start: 0, count: 1, data: [] },
    ),
  );
}

const scenario: fc.Arbitrary<Scenario> = fc
  .array(fc.record({ msixVectors: fc.constantFrom(1, 8, 33, 2048), whileOff }), { minLength: 1, maxLength: 4 })
  .chain((devices) => {
    const onOne = devices.flatMap(({ msixVectors }, place) => [
      { weight: 4, arbitrary: tame(place, msixVectors) },
      { weight: 1, arbitrary: wild(place) },
    ]);
    return fc.record({
      config: fc.record({ host, devices: fc.constant(devices) }),
      operations: fc.array(fc.oneof(...onOne), { maxLength: 30 }),
    });
  });

const anyFunction = fc.record(
  {
    msixVectors: fc.constantFrom(0, 4, 33),
    whileOff,
    msiVectors: fc.constantFrom(...MSI_VECTORS),
    intx: fc.constant(true as const),
    express: fc.constant(true as const),
    reset: fc.constant(true as const),
    powerManagement: fc.constant(true as const),
  },
  { requiredKeys: ['msixVectors', 'whileOff'] },
);
/** Every kind of operation on every kind of function. */
const everything: fc.Arbitrary<Scenario> = fc.array(anyFunction, { minLength: 1, maxLength: 2 }).chain((devices) =>
  fc.record({
    config: fc.record({ host, devices: fc.constant(devices) }),
    operations: fc.array(fc.oneof(...devices.flatMap((_, place) => [tame(place, 4), beside(place), beside(place)])), {
      maxLength: 40,
    }),
  }),
);

describe('any scenario', () => {
  it('gets the same Trace from a machine that ran others before as from a fresh one', () => {
    const used = new OptimisedMachine();
    fc.assert(
      fc.property(fc.oneof(scenario, everything), (one) => {
        const fresh = structuredClone(new OptimisedMachine().run(one));
        expect(structuredClone(used.run(one))).toEqual(fresh);
        expect(used.run(one)).toEqual(fresh);
      }),
      { numRuns: 300 },
    );
  });

  it('gets one step per operation, and changes that are real and ascending', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        const { initial, steps } = new OptimisedMachine().run(one);
        expect(initial.map(({ changes }) => changes)).toEqual(one.config.devices.map(() => []));
        expect(steps).toHaveLength(one.operations.length);
        one.config.devices.forEach(({ msixVectors }, place) => {
          const states = new Map<number, number>();
          for (const { changes } of steps.map(({ observation }) => ofDevice(observation, place))) {
            const vectors = changes.map(({ vector }) => vector);
            expect(vectors).toEqual([...new Set(vectors)].sort((a, b) => a - b));
            for (const { vector, state } of changes) {
              expect(vector).toBeLessThan(msixVectors);
              expect(state & ~VECTOR_STATE_MASK).toBe(0);
              expect(state).not.toBe(states.get(vector) ?? 0);
              states.set(vector, state);
            }
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('leaves only states that the layers allow', () => {
    fc.assert(
      fc.property(scenario, (one) => {
        const states = one.config.devices.map(() => new Map<number, number>());
        for (const { observation } of new OptimisedMachine().run(one).steps) {
          states.forEach((known, place) => {
            const { enable, functionMask, changes } = ofDevice(observation, place);
            for (const { vector, state } of changes) known.set(vector, state);
            expect(functionMask).toBe(false);
            for (const state of known.values()) {
              expect((state & ARMED) !== 0).toBe((state & UNMASKED) !== 0);
              if ((state & ARMED) !== 0) expect(state & (ALLOCATED | PENDING)).toBe(ALLOCATED);
              if (!enable) expect(state & ALLOCATED).toBe(0);
            }
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves only states that the layers allow, whatever the function', () => {
    fc.assert(
      fc.property(everything, (one) => {
        for (const { observation } of new OptimisedMachine().run(one).steps) {
          for (const { enable, registers, changes } of observation) {
            const types = [enable, (registers & MSI_ENABLE) !== 0, (registers & INTX_HANDLER) !== 0];
            expect(types.filter((isOn) => isOn).length).toBeLessThan(2);
            for (const { state } of changes) {
              if ((state & ADDRESS_0) !== 0) expect(state & UNMASKED).not.toBe(0);
              if ((state & UNMASKED) !== 0) expect(state & (ARMED | PENDING)).toBe(ARMED);
              if ((state & ARMED) !== 0) expect(state & ALLOCATED).toBe(ALLOCATED);
            }
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('tells events as they happened, then each signalled eventfd once by number', () => {
    fc.assert(
      fc.property(fc.oneof(scenario, everything), (one) => {
        for (const { events } of new OptimisedMachine().run(one).steps) {
          const kinds = events.map(({ kind }) => kind);
          expect(kinds).toEqual([...kinds].sort());
          const numbers = events.flatMap((event) =>
            event.kind === 'signalled' ? [Number(event.eventfd.slice(1))] : [],
          );
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('goes the same way on a table of 8 vectors as on one of 2048', () => {
    fc.assert(
      fc.property(host, whileOff, fc.array(tame(0, 8), { maxLength: 30 }), (traits, off, operations) => {
        const [small, large] = [8, MSIX_VECTORS_MAX].map((msixVectors) => {
          const config = { host: traits, devices: [{ msixVectors, whileOff: off }] };
          return new OptimisedMachine().run({ config, operations });
        });
        expect(large).toEqual(small);
      }),
      { numRuns: 300 },
    );
  });
});

function ofDevice(observation: Step['observation'], place: number): Step['observation'][number] {
  const one = observation[place];
  if (one === undefined) throw new Error(`no observation of device ${place}`);
  return one;
}
