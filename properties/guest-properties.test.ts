import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Config,
  Event,
  GuestOperation,
  Operation,
  PciFunction,
  Platform,
  Scenario,
  System,
  VmmTraits,
} from '#vocabulary';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { hostTraits, PROFILE_NAMES, platformOf } from '../model/profiles.ts';
import { referenceSystem } from '../model/reference.ts';
import { writtenControl } from './generators/guest-access.ts';
import { scenarios } from './generators/scenario.ts';

/** Those who implement the guest level; what holds of all policies must hold of each of them. */
const SYSTEMS: readonly System[] = [referenceSystem(), optimisedSystem()];
const VECTORS = 6;
const DEVICE: PciFunction = { msixVectors: VECTORS, whileOff: 'drops' };

/** A, B, C and D, all with one delivery: by KVM a message that was rewritten in use is an old one (W11). */
function policiesOf(delivery: VmmTraits['delivery']): readonly Platform[] {
  return [
    { host: hostTraits('linux-6.1'), vmm: { allocation: 'vector-0-first', delivery } },
    { host: hostTraits('linux-6.1'), vmm: { allocation: 'as-irq-info-says', delivery } },
    { host: hostTraits('linux-6.12'), vmm: { allocation: 'as-irq-info-says', delivery } },
    { host: hostTraits('linux-6.1'), vmm: { allocation: 'all-at-enable', delivery } },
  ];
}

/** What the guest received, step by step, without how often: events may merge in more places than one. */
async function received(system: System, config: Config, operations: readonly Operation[]): Promise<string[][]> {
  const { steps } = await system.run({ config, operations });
  return steps.map(({ events }) => events.flatMap(messageOf));
}

function messageOf(event: Event): string[] {
  return event.kind === 'message' ? [`${event.device} ${event.high} ${event.address} ${event.data}`] : [];
}

/** The vectors whose events reach the guest now: each raises, and its message comes or does not. */
async function deliverable(system: System, config: Config, operations: readonly Operation[]): Promise<string[]> {
  const raises = Array.from(
    { length: VECTORS },
    (_, vector): Operation => ({ kind: 'device.raise', device: 0, vector }),
  );
  return (await received(system, config, [...operations, ...raises])).slice(operations.length).flat();
}

const device = fc.constant(0);
const uint32 = fc.nat({ max: 0xffffffff });
const bool = fc.boolean();

/** Accesses of any width and value, at any place of the capability and the table, also beyond. */
const anyAccess: fc.Arbitrary<GuestOperation> = fc.oneof(
  fc.record({
    kind: fc.constant('guest.configWrite' as const),
    device,
    offset: fc.nat({ max: 11 }),
    width: fc.constantFrom(1, 2, 4),
    value: uint32,
  }),
  fc
    .record({
      kind: fc.constant('guest.tableWrite' as const),
      device,
      vector: fc.nat({ max: VECTORS }),
      offset: fc.nat({ max: 15 }),
      width: fc.constantFrom(1, 2, 4, 8),
      value: uint32,
      high: uint32,
    })
    .map(({ high, ...write }) => (write.width === 8 ? { ...write, high } : write)),
  fc.record({
    kind: fc.constant('guest.tableRead' as const),
    device,
    vector: fc.nat({ max: VECTORS }),
    offset: fc.constantFrom(0, 4, 8, 12),
  }),
  fc.record({ kind: fc.constant('guest.readPba' as const), device, vector: uint32 }),
  fc.record({ kind: fc.constant('guest.busMaster' as const), device, enable: bool }),
  fc.record({ kind: fc.constant('guest.reset' as const), device }),
);

/** Every access is answered; what the table does not have is refused. */
function answerTo(operation: GuestOperation): string {
  if ('vector' in operation && operation.vector >= VECTORS) return 'errno';
  return operation.kind === 'guest.tableRead' || operation.kind === 'guest.readPba' ? 'value' : 'ok';
}

/** Guest writes of different registers, each of which leaves what it names: their order is the guest's own business. */
const settingWrites = fc
  .record({
    unmasked: fc.subarray(Array.from({ length: VECTORS }, (_, at) => at)),
    rewritten: fc.subarray(Array.from({ length: VECTORS }, (_, at) => at)),
    functionMask: bool,
    enable: bool,
  })
  .map(({ unmasked, rewritten, functionMask, enable }): readonly Operation[] => [
    ...Array.from({ length: VECTORS }, (_, at): Operation => {
      return { kind: unmasked.includes(at) ? 'guest.unmask' : 'guest.mask', device: 0, vector: at };
    }),
    // An unmasked vector keeps its message: to rewrite one is undefined (PCIe 6.0, 6.1.4).
    ...rewritten.filter((at) => !unmasked.includes(at)).map(rewrite),
    { kind: 'guest.msixControl', device: 0, enable, functionMask },
  ]);

function rewrite(vector: number): Operation {
  return { kind: 'guest.tableWrite', device: 0, vector, offset: 8, width: 4, value: 0x5000 + vector };
}

describe.each(PROFILE_NAMES.filter((name) => name.includes('+')))('the guest on %s', (profile) => {
  const config: Config = { ...platformOf(profile), devices: [DEVICE] };

  it('may write anything anywhere: there is an answer', async () => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(anyAccess, { maxLength: 30 }), async (operations) => {
        for (const { kind } of operations) kinds.add(kind);
        for (const system of SYSTEMS) {
          const { steps } = await system.run({ config, operations });
          expect(steps.map(({ outcome }) => outcome.kind)).toEqual(operations.map(answerTo));
        }
      }),
      { seed: 4, numRuns: 150 },
    );
    expect(kinds.size).toBe(6);
  });

  it('has the same vectors deliverable whatever the order of its writes', async () => {
    const permuted = settingWrites.chain((writes) =>
      fc.tuple(fc.constant(writes), fc.shuffledSubarray([...writes], { minLength: writes.length })),
    );
    let delivered = 0;
    await fc.assert(
      fc.asyncProperty(permuted, async ([writes, permutation]) => {
        for (const system of SYSTEMS) {
          const expected = await deliverable(system, config, writes);
          delivered += expected.length;
          expect(await deliverable(system, config, permutation)).toEqual(expected);
        }
      }),
      { seed: 5, numRuns: 100 },
    );
    expect(delivered).toBeGreaterThan(100);
  });

  it('gets what is pending when the last gate opens, whichever that is', async () => {
    const gates: readonly Operation[] = [
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
    ];
    const shut: readonly Operation[] = [
      { kind: 'guest.unmask', device: 0, vector: 1 },
      { kind: 'guest.msixControl', device: 0, enable: true, functionMask: false },
      { kind: 'guest.mask', device: 0, vector: 1 },
      { kind: 'guest.msixControl', device: 0, enable: true, functionMask: true },
      { kind: 'device.raise', device: 0, vector: 1 },
    ];
    for (const system of SYSTEMS)
      for (const order of [gates, gates.toReversed()]) {
        const came = (await received(system, config, [...shut, ...order])).slice(shut.length);
        expect(came.map((messages) => messages.length)).toEqual([0, 1]);
      }
  });
});

describe.each(['userspace', 'irqfd'] as const)('the policies that deliver by %s', (delivery) => {
  const policies = policiesOf(delivery);
  const [first] = policies;
  if (first === undefined) throw new Error('there are no policies');
  const settled = fc.sample(scenarios(referenceSystem().support, first), { seed: 6, numRuns: 1500 });
  const undisturbed = settled.map(undisturbedPart).filter(({ operations }) => operations.length > 3);

  it('show the guest the same, as long as no event falls into a reaction and the host refuses nothing', async () => {
    expect(undisturbed.length).toBeGreaterThan(800);
    let messages = 0;
    for (const { config, operations } of undisturbed) {
      for (const system of SYSTEMS) {
        // One after the other: a trace lasts until its system runs again.
        const each: string[][][] = [];
        for (const platform of policies) each.push(await received(system, { ...config, ...platform }, operations));
        const [one, ...others] = each;
        messages += one?.flat().length ?? 0;
        for (const other of others) expect(other).toEqual(one);
      }
    }
    expect(messages).toBeGreaterThan(1000);
  });
});

/**
 * A scenario without windows and failures, up to the first end of MSI-X: what is pending then one policy forgets in its
 * eventfds and another leaves in the function (W7).
 */
function undisturbedPart({ config, operations }: Scenario): Scenario {
  const kept = operations.filter(({ kind }) => kind !== 'device.arm' && !kind.startsWith('host.'));
  const end = kept.findIndex(endsMsix);
  // The function latches or drops while MSI-X is off at the host, which is not at the same time under each policy.
  const devices = config.devices.map((pciFunction): PciFunction => ({ ...pciFunction, whileOff: 'drops' }));
  return { config: { ...config, devices }, operations: (end === -1 ? kept : kept.slice(0, end)).filter(isAlike) };
}

function endsMsix(operation: Operation): boolean {
  if (operation.kind === 'guest.reset') return true;
  if (operation.kind === 'guest.msixControl') return !operation.enable;
  return operation.kind === 'guest.configWrite' && writtenControl(operation)?.enable === false;
}

/** The PBA shows what the VMM holds and not what waits elsewhere (W9), and KVM asks no bus master (W8). */
function isAlike({ kind }: Operation): boolean {
  return kind !== 'guest.readPba' && kind !== 'guest.busMaster';
}
