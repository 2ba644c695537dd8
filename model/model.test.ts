import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostTraits, type Operation, parseOperation } from '#vocabulary';
import { declare } from './cite.ts';
import { allClauses } from './clauses.ts';
import {
  hostTraits,
  MDEV_PROFILE_NAMES,
  nearestHost,
  PROFILE_NAMES,
  platformOf,
  profileNamed,
  profileOf,
} from './profiles.ts';
import { specify } from './reference.ts';

const uint32 = fc.oneof(
  fc.nat(12),
  fc.constantFrom(0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff),
  fc.nat(0xffffffff),
);
const element = fc.oneof(
  fc.constantFrom('e0', 'e1', 'bad', 'notEventfd', -1, -2, 0, 4294967295),
  fc.nat(300),
) as fc.Arbitrary<'e0' | number>;

/** Any numbers at all, nonsense included, and some that get further. */
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  // A closed device answers EBADF to all of it.
  { weight: 3, arbitrary: fc.constant(parseOperation('vfio.open')) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('vfio.setIrqs' as const),
      device: fc.constant(0),
      flags: fc.constantFrom(9, 33, 34, 36, 36, 36),
      index: fc.constant(2),
      start: fc.nat(3),
      count: fc.nat(3),
      data: fc.array(element, { maxLength: 4 }),
      argsz: fc.constantFrom(20, 24, 32, 100),
    }),
  },
  fc.record({
    kind: fc.constant('vfio.setIrqs' as const),
    device: fc.constant(0),
    flags: fc.oneof(fc.constantFrom(33, 34, 36), fc.nat(127), uint32),
    index: fc.oneof(fc.constantFrom(2, 4), uint32),
    start: uint32,
    count: uint32,
    data: fc.array(element, { maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('vfio.getIrqInfo' as const), device: fc.constant(0), index: uint32, argsz: uint32 }),
  fc.record({ kind: fc.constant('device.raise' as const), device: fc.constant(0), vector: uint32 }),
  fc.constantFrom(
    ...['vfio.open', 'vfio.close', 'host.limitVectors 1', 'vfio.closeEventfd e0', 'device.arm 1 teardown-gap'].map(
      parseOperation,
    ),
  ),
);

const anyHost: fc.Arbitrary<HostTraits> = fc.record({
  dynamicMsix: fc.boolean(),
  rangeCheck: fc.constantFrom('whole-range-first', 'vector-by-vector'),
  belowMinusOne: fc.constantFrom('ignored', 'refused'),
});

describe('the model', () => {
  it('has an outcome for every operation in every state of every host', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(anyHost, fc.array(anyOperation, { maxLength: 40 }), (host, operations) => {
        const { steps } = specify({ config: { host, devices: [{ msixVectors: 6, whileOff: 'latches' }] }, operations });
        expect(steps).toHaveLength(operations.length);
        for (const { outcome } of steps) outcomes.add(outcome.kind === 'errno' ? outcome.errno : outcome.kind);
      }),
      { seed: 11, numRuns: 3000 },
    );
    expect([...outcomes].sort()).toEqual(['EBADF', 'EFAULT', 'EINVAL', 'ENOSPC', 'ENOTTY', 'ERANGE', 'irqInfo', 'ok']);
  });

  it('refuses an operation on a device that the Config does not have, as the mistake of its caller', () => {
    const scenario = {
      config: { host: hostTraits('linux-6.1'), devices: [] },
      operations: [parseOperation('vfio.open')],
    };
    expect(() => specify(scenario)).toThrow('the Config has no device 0');
  });
});

describe('a clause', () => {
  it('has an id of its own, a sentence and a source', () => {
    const clauses = allClauses();
    expect(clauses.length).toBeGreaterThan(40);
    expect(new Set(clauses.map(({ id }) => id)).size).toBe(clauses.length);
    for (const { id, title, source } of clauses) {
      expect(id).toMatch(/^(pci|irq|vfio|ims|qemu)(\.[a-z0-9-]+){2}$/);
      expect(title).toMatch(/^[A-Z-].*\.$/);
      expect(source).toMatch(/Linux|PCIe|QEMU|DSA|ioctl|close\(2\)|\b20[12]\d\b|^ours: /);
    }
  });

  it.each([
    ['pci.event.silent', { msixVectors: 4, whileOff: 'latches', silent: true }, 'device.raise 0'],
    ['pci.event.no-capability', { msixVectors: 0, whileOff: 'latches', intx: true }, 'device.raise 0'],
    ['pci.intx-pin.none', { msixVectors: 4, whileOff: 'latches' }, 'device.assertIntx'],
  ] as const)('that no generator draws is reached here: %s', (id, device, line) => {
    const config = { host: hostTraits('linux-6.12'), devices: [device] };
    const { steps } = specify({ config, operations: [parseOperation(line)] });
    expect(steps[0]?.clauses).toContain(id);
    expect(allClauses().filter(({ undrawn }) => undrawn !== undefined)).toContainEqual(expect.objectContaining({ id }));
  });

  it('cannot be declared twice', () => {
    const [clause] = allClauses();
    if (clause === undefined) throw new Error('there are no clauses');
    expect(() => declare({ again: clause })).toThrow(`clause ${clause.id} is declared twice`);
  });
});

describe('a profile', () => {
  it('is found by its traits', () => {
    for (const name of [...PROFILE_NAMES, ...MDEV_PROFILE_NAMES]) expect(profileOf(platformOf(name))).toBe(name);
    expect(profileOf({ host: { ...hostTraits('linux-6.1'), dynamicMsix: true } })).toBeUndefined();
    expect(nearestHost({ ...hostTraits('linux-6.12'), belowMinusOne: 'ignored' })).toBe('linux-6.12');
    expect(nearestHost({ ...hostTraits('linux-6.1'), belowMinusOne: 'refused' })).toBe('linux-6.1');
    expect(profileNamed('linux-6.1')).toBe('linux-6.1');
    expect(profileNamed('linux-6.1+qemu-7.2/userspace')).toBe('linux-6.1+qemu-7.2');
    expect(profileNamed('linux-6.1+qemu-7.2/irqfd')).toBe('linux-6.1+qemu-7.2/irqfd');
    expect(profileNamed('idxd-mdev+qemu-7.2/userspace')).toBe('idxd-mdev+qemu-7.2');
    expect(profileNamed('linux-6.1/userspace')).toBeUndefined();
    expect(profileNamed('toString')).toBeUndefined();
  });
});
