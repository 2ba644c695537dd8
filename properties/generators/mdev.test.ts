import fc, { type Random } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation, Scenario, Support } from '#vocabulary';
import {
  type Config,
  isAskable,
  isEventfdName,
  OPERATION_KINDS,
  PASID_MAX,
  parseOperation,
  printOperation,
  VFIO_PCI_MSIX_IRQ_INDEX,
  WINDOWS,
} from '#vocabulary';
import { ANYTHING, BOARD, DYNAMIC, firstBad, isArming, isDisabling, SEED, sample } from './drawn.fixture.ts';
import type { MdevLook, Part } from './mdev-drawn.fixture.ts';
import { FEW, MDEV, MDEV_GUEST, MDEV_PLATFORMS, mdevMisfits, meetsMdev, tellsOf, vmOf } from './mdev-drawn.fixture.ts';
import { boundIn, deviceOfPlace, entryOf, NOBODY } from './mdev-memory.ts';
import { MDEV_OPERATIONS_MAX, MDEV_OPERATIONS_MAX_LONG, MDEV_OPERATIONS_MIN } from './mdev-scenario.ts';
import { isSupportedConfig } from './pci-function.ts';
import { scenarios } from './scenario.ts';

/** Numbers of a range, and none of an empty one. */
function strict(seed: number): Random {
  let state = seed;
  const nextInt = (min: number, max: number): number => {
    if (max < min) throw new Error(`a number from ${min} to ${max}`);
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return min + Math.floor((state / 2 ** 32) * (max - min + 1));
  };
  return { nextInt } as Random;
}

const SCENARIOS = 1000;
const DRAWN = sample(ANYTHING, MDEV, SCENARIOS);
const DRAWN_GUEST = sample(ANYTHING, MDEV_GUEST, SCENARIOS);

describe('what is drawn of mdevs', () => {
  it('has the lengths it promises', () => {
    for (const drawn of [DRAWN, DRAWN_GUEST]) {
      const lengths = drawn.map(({ operations }) => operations.length);
      expect(Math.min(...lengths)).toBe(MDEV_OPERATIONS_MIN);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(MDEV_OPERATIONS_MAX_LONG);
      const long = lengths.filter((length) => length > MDEV_OPERATIONS_MAX).length;
      expect(long / SCENARIOS).toBeGreaterThan(0.02);
      expect(long / SCENARIOS).toBeLessThan(0.08);
    }
    for (const lengthMax of [1, 3, 12]) {
      const short = sample(ANYTHING, MDEV, 200, lengthMax).map(({ operations }) => operations.length);
      expect(Math.max(...short)).toBe(lengthMax);
      expect(Math.min(...short)).toBe(Math.min(lengthMax, MDEV_OPERATIONS_MIN));
    }
  });

  it.each(MDEV_PLATFORMS)('can be asked, and is in range: %s', (_name, platform) => {
    const drawn = sample(ANYTHING, platform, 150);
    expect(drawn.flatMap(mdevMisfits)).toEqual([]);
    const { host, mdev, vmm } = platform;
    expect(drawn.every(({ config }) => config.mdev === mdev && config.host === host && config.vmm === vmm)).toBe(true);
    expect(drawn.every(({ config }) => isSupportedConfig(config, ANYTHING))).toBe(true);
  });

  it('is nothing that is not supported', () => {
    const drawn = sample(FEW, MDEV_GUEST, 300);
    expect(drawn.flatMap(mdevMisfits)).toEqual([]);
    const kinds = new Set(drawn.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect(kinds).toEqual(FEW.operations);
    expect(drawn.every(({ config }) => config.devices.length <= 2 && config.vmm === undefined)).toBe(true);
  });

  it('is picked from nothing that is empty, where nothing can upset a descriptor either', () => {
    const support: Support = { ...ANYTHING, operations: new Set(['vfio.setIrqs', 'guest.unmask', 'guest.submit']) };
    const arbitrary = scenarios(support, MDEV);
    for (let seed = 1; seed <= 300; seed += 1)
      expect(arbitrary.generate(strict(seed), undefined).value.operations.length).toBeGreaterThan(0);
  });

  it('is a scenario without mdevs where there can be none', () => {
    expect(sample(BOARD, MDEV, 50)).toEqual(sample(BOARD, { host: MDEV.host }, 50));
    expect(sample(BOARD, MDEV, 50).every(({ config }) => !('mdev' in config))).toBe(true);
    const [first] = sample(ANYTHING, MDEV, 1) as [Scenario];
    const operations = new Set([...ANYTHING.operations].filter((kind) => kind !== 'guest.submit'));
    expect(isSupportedConfig(first.config, { ...ANYTHING, operations })).toBe(false);
    expect(isSupportedConfig(first.config, { ...ANYTHING, functions: [] })).toBe(true);
    expect(isSupportedConfig(first.config, { ...ANYTHING, devicesMax: 0 })).toBe(false);
  });

  it('leaves what is drawn of other machines as it is', () => {
    const kinds = new Set(sample(ANYTHING, DYNAMIC, 300).flatMap(({ operations }) => operations.map((of) => of.kind)));
    expect([...kinds].filter((kind) => !isAskable(DYNAMIC, kind))).toEqual([]);
  });

  it('is the same for the same seed, and can be written down and read back', () => {
    expect(sample(ANYTHING, MDEV, 100)).toEqual(DRAWN.slice(0, 100));
    expect(fc.sample(scenarios(ANYTHING, MDEV), { numRuns: 100, seed: SEED + 1 })).not.toEqual(DRAWN.slice(0, 100));
    for (const drawn of [DRAWN, DRAWN_GUEST]) {
      const operations = drawn.slice(0, 300).flatMap((scenario) => scenario.operations);
      expect(operations.map((operation) => parseOperation(printOperation(operation)))).toEqual(operations);
    }
  });
});

function has(look: (of: Operation) => boolean): (scenario: Scenario) => boolean {
  return ({ operations }) => operations.some(look);
}

function tells(...parts: readonly Part[]): (scenario: Scenario) => boolean {
  return (scenario) => tellsOf(scenario, ...parts);
}

function sees(look: MdevLook): (scenario: Scenario) => boolean {
  return (scenario) => meetsMdev(scenario, look);
}

function machine(look: (config: Required<Pick<Scenario['config'], 'parent' | 'devices'>>) => boolean) {
  return ({ config: { parent, devices } }: Scenario): boolean => parent !== undefined && look({ parent, devices });
}

/** Of the story so far, the last operation of a kind. */
function lastOf<Kind extends Operation['kind']>(
  told: readonly Operation[],
  kind: Kind,
): Extract<Operation, { readonly kind: Kind }> | undefined {
  return told.findLast((of): of is Extract<Operation, { readonly kind: Kind }> => of.kind === kind);
}

const submits: Part = (of) => of.kind === 'guest.submit';
const starts: Part = (of, told) =>
  of.kind === 'device.start' && of.descriptor === lastOf(told, 'guest.submit')?.descriptor;
const completes: Part = (of, told) =>
  of.kind === 'device.complete' && of.descriptor === lastOf(told, 'guest.submit')?.descriptor;
const isKind =
  (...kinds: readonly Operation['kind'][]): Part =>
  (of) =>
    kinds.includes(of.kind);
/** About the mdev that the descriptor was submitted to. */
const ofSubmitter =
  (part: Part): Part =>
  (of, told, scenario) =>
    part(of, told, scenario) && 'device' in of && of.device === lastOf(told, 'guest.submit')?.device;
/** About an mdev of another VM than the descriptor's. */
const ofStranger =
  (part: Part): Part =>
  (of, told, scenario) => {
    const submit = lastOf(told, 'guest.submit');
    return part(of, told, scenario) && submit !== undefined && vmOf(scenario, of) !== vmOf(scenario, submit);
  };
const removes: Part = (of) =>
  of.kind === 'vfio.setIrqs' && of.data.includes(-1) && of.index === VFIO_PCI_MSIX_IRQ_INDEX;
const disables: Part = (of, told, scenario) => isDisabling(of) || removes(of, told, scenario);
const arms: Part = (of, _told, scenario) =>
  isArming(of, scenario) && of.data.some(isEventfdName) && firstBad(of) === -1;
const frees: Part = (of, told) =>
  of.kind === 'guest.freePasid' && of.pasid > 0 && of.pasid === lastOf(told, 'guest.submit')?.pasid;
const turnsOff: Part = (of) => of.kind === 'guest.msixControl' && !of.enable;

/** A VM with an mdev that has PASIDs of the guest, and one that has none. */
function isMixed({ devices }: Pick<Config, 'devices'>): boolean {
  return devices.some(({ mdev: one }) =>
    devices.some(({ mdev: other }) => one?.vm === other?.vm && one?.viommu !== other?.viommu),
  );
}

/** Machines and operations by name, how many of 1,000 scenarios have them at least (about 2/3 of what was seen). */
const MACHINES: readonly (readonly [string, number, (scenario: Scenario) => boolean])[] = [
  ['two mdevs', 270, machine(({ devices }) => devices.length === 2)],
  ['four mdevs', 120, machine(({ devices }) => devices.length === 4)],
  ['two VMs', 530, machine(({ devices }) => new Set(devices.map(({ mdev }) => mdev?.vm)).size === 2)],
  ['one VM', 100, machine(({ devices }) => new Set(devices.map(({ mdev }) => mdev?.vm)).size === 1)],
  ['an mdev of vector 0 alone', 80, machine(({ devices }) => devices.some(({ msixVectors }) => msixVectors === 1))],
  ['an mdev of 5 vectors or more', 150, machine(({ devices }) => devices.some(({ msixVectors }) => msixVectors > 4))],
  ['a VM without virtual IOMMU', 180, machine(({ devices }) => devices.some(({ mdev }) => mdev?.viommu === undefined))],
  ['one of its mdevs that is not behind the virtual IOMMU, and one that is', 25, machine(isMixed)],
  ['2 to 6 entries', 540, machine(({ parent }) => parent.entries >= 2 && parent.entries <= 6)],
  ['one entry', 30, machine(({ parent }) => parent.entries === 1)],
  ['64 entries', 30, machine(({ parent }) => parent.entries === 64)],
  ['2 to 4 PASIDs', 90, machine(({ parent }) => parent.pasids >= 2 && parent.pasids <= 4)],
  ['a quota', 130, machine(({ parent }) => parent.quota < parent.entries)],
  ['handles that are requested', 330, machine(({ parent }) => parent.handles === 'requested')],
];

/** The same of mdevs that the user of vfio drives. */
const SHAPES: typeof MACHINES = [
  ...MACHINES,
  ['a descriptor from submission to end', 550, tells(submits, starts, completes)],
  [
    'a descriptor checked before and ended after a disable of its mdev',
    80,
    tells(submits, starts, ofSubmitter(disables), completes),
  ],
  [
    'a descriptor that ends when another VM may have its entry',
    40,
    tells(submits, starts, ofSubmitter(disables), ofStranger(arms), completes),
  ],
  ['a descriptor submitted before and checked after a disable', 120, tells(submits, ofSubmitter(disables), starts)],
  ['a PASID freed under a descriptor that is checked', 35, tells(submits, starts, ofSubmitter(frees), completes)],
  ['a PASID freed under one that waits', 45, tells(submits, ofSubmitter(frees), completes)],
  ['a reset under one', 70, tells(submits, starts, ofSubmitter(isKind('vfio.reset')))],
  ['a close under one', 50, tells(submits, starts, ofSubmitter(isKind('vfio.close')))],
  ['a detach under one', 25, tells(submits, starts, ofSubmitter(isKind('host.detach')))],
  ['a removal under one', 25, tells(submits, starts, ofSubmitter(isKind('host.removeMdev')))],
  ['a crash under one', 16, tells(submits, starts, isKind('host.crash'), completes)],
  ['two in flight', 380, sees((_, { memory }) => memory.inFlight.size > 1)],
  ['three in flight', 130, sees((_, { memory }) => memory.inFlight.size > 2)],
  [
    'one that is in flight submitted again',
    90,
    sees((of, { memory }) => of.kind === 'guest.submit' && memory.inFlight.has(of.descriptor)),
  ],
  [
    'started without a submission',
    120,
    sees((of, { memory }) => of.kind === 'device.start' && !memory.inFlight.has(of.descriptor)),
  ],
  [
    'a guest PASID that is the number of a default PASID',
    350,
    sees((of, { memory }) => of.kind === 'guest.bindPasid' && of.pasid > 0 && of.pasid <= memory.mdevs.length),
  ],
  ['the same guest PASID in two VMs', 100, sees(inTwoVms)],
  [
    'a PASID freed and bound by another VM',
    75,
    tells(
      isKind('guest.freePasid'),
      (of, told, one) => of.kind === 'guest.bindPasid' && vmOf(one, of) !== vmOf(one, told[0] as Operation),
    ),
  ],
  [
    'more PASIDs than there are',
    55,
    sees((of, { memory }) => of.kind === 'guest.bindPasid' && pasidsOf(memory) >= memory.config.parent.pasids),
  ],
  ['guest PASID 0', 18, has((of) => of.kind === 'guest.bindPasid' && of.pasid === 0)],
  ['a bind of more than 20 bits', 10, has((of) => of.kind === 'guest.bindPasid' && of.pasid > PASID_MAX)],
  ['a free of more than 20 bits', 8, has((of) => of.kind === 'guest.freePasid' && of.pasid > PASID_MAX)],
  ['PASIDs far apart', 40, has((of) => of.kind === 'guest.bindPasid' && of.pasid > 0x20000 && of.pasid < PASID_MAX)],
  ['the largest guest PASID', 12, has((of) => 'pasid' in of && of.pasid === PASID_MAX)],
  [
    'the entry of another VM',
    150,
    sees(
      (of, { memory, scenario }) => of.kind === 'guest.submit' && isStrange(memory.entries[of.handle], scenario, of),
    ),
  ],
  [
    "an entry that is nobody's",
    390,
    sees((of, { memory }) => of.kind === 'guest.submit' && memory.entries[of.handle] === NOBODY),
  ],
  [
    'its own entry',
    570,
    sees((of, { memory }) => of.kind === 'guest.submit' && isOwn(memory.entries[of.handle], of.device)),
  ],
  [
    'a handle past the table',
    25,
    sees((of, { memory }) => of.kind === 'guest.submit' && of.handle >= memory.config.parent.entries),
  ],
  ['handle 0xffff', 10, has((of) => of.kind === 'guest.submit' && of.handle === 0xffff)],
  ['no completion interrupt', 35, has((of) => of.kind === 'guest.submit' && of.rci === false)],
  [
    'MSIX_PERM after the trigger',
    250,
    sees(
      (of, { memory }) =>
        of.kind === 'guest.msixPerm' && of.pasidEnable && memory.mdevs[of.device]?.armed.has(of.vector) === true,
    ),
  ],
  [
    'a trigger after MSIX_PERM',
    350,
    sees(
      (of, { memory, scenario }) =>
        arms(of, [], scenario) && of.kind === 'vfio.setIrqs' && memory.mdevs[of.device]?.perms.has(of.start) === true,
    ),
  ],
  [
    'a trigger while the PASID in MSIX_PERM is not bound',
    160,
    sees(
      (of, { memory, scenario }) =>
        arms(of, [], scenario) &&
        of.kind === 'vfio.setIrqs' &&
        isUnbound(memory, of.device, memory.mdevs[of.device]?.perms.get(of.start)),
    ),
  ],
  [
    'a second trigger without a disable',
    180,
    sees(
      (of, { memory, scenario }) =>
        arms(of, [], scenario) &&
        of.kind === 'vfio.setIrqs' &&
        of.start > 0 &&
        memory.mdevs[of.device]?.armed.has(of.start) === true,
    ),
  ],
  [
    'a masked vector with an event, disabled',
    45,
    tells((of) => of.kind === 'guest.mask' && of.vector > 0, submits, starts, completes, ofSubmitter(disables)),
  ],
  [
    'a masked vector with an event, unmasked',
    80,
    tells(
      (of) => of.kind === 'guest.mask' && of.vector > 0,
      submits,
      starts,
      completes,
      ofSubmitter(isKind('guest.unmask')),
    ),
  ],
  [
    'ignore, and then another one has the entry',
    10,
    tells(
      (of) => of.kind === 'guest.msixPerm' && of.ignore,
      (of, told, one) => disables(of, told, one) && vmOf(one, of) === vmOf(one, told[0] as Operation),
      (of, told, one) => arms(of, told, one) && vmOf(one, of) !== vmOf(one, told[0] as Operation),
    ),
  ],
  [
    'a handle requested before the trigger',
    200,
    sees(
      (of, { memory }) =>
        of.kind === 'guest.requestHandle' && of.vector > 0 && entryOf(memory, of.device, of.vector) === undefined,
    ),
  ],
  [
    'a handle that was told, and now another entry',
    50,
    sees(
      (of, { memory, scenario }) =>
        arms(of, [], scenario) && of.kind === 'vfio.setIrqs' && isMoving(memory, of.device, of.start),
    ),
  ],
  ['a handle of the IMS table', 13, has((of) => of.kind === 'guest.requestHandle' && of.ims === true)],
  ['a handle of vector 0', 65, has((of) => of.kind === 'guest.requestHandle' && of.vector === 0)],
  [
    'a handle released and used',
    110,
    tells(
      isKind('guest.releaseHandle'),
      (of, told) => of.kind === 'guest.submit' && of.device === lastOf(told, 'guest.releaseHandle')?.device,
    ),
  ],
  ['no entry left', 95, sees((of, { memory, scenario }) => arms(of, [], scenario) && !memory.entries.includes(NOBODY))],
  ['a failing allocation and then a trigger', 60, tells(isKind('host.failAllocation'), arms)],
  ['an event of vector 0', 140, has((of) => of.kind === 'device.raise' && of.vector === 0)],
  [
    'an operation of an mdev that is closed',
    65,
    sees(
      (of, { memory }) => of.kind.startsWith('guest.') && 'device' in of && memory.mdevs[of.device]?.descriptors === 0,
    ),
  ],
  [
    'a trigger for one that is not attached',
    20,
    sees(
      (of, { memory, scenario }) =>
        arms(of, [], scenario) && 'device' in of && memory.mdevs[of.device]?.isAttached === false,
    ),
  ],
  [
    'removed, created, attached and opened',
    25,
    tells(isKind('host.removeMdev'), isKind('host.createMdev'), isKind('host.attach'), isKind('vfio.open')),
  ],
  [
    'opened twice',
    60,
    sees((of, { memory }) => of.kind === 'vfio.open' && (memory.mdevs[of.device]?.descriptors ?? 0) > 0),
  ],
  [
    'a single vector',
    630,
    has((of) => of.kind === 'vfio.setIrqs' && of.count === 1 && of.start > 0 && of.data.some(isEventfdName)),
  ],
  [
    'a range',
    140,
    has((of) => of.kind === 'vfio.setIrqs' && of.count > 1 && of.start > 0 && of.data.some(isEventfdName)),
  ],
  [
    'a range with one that is bad',
    17,
    has((of) => of.kind === 'vfio.setIrqs' && of.data.length > 1 && firstBad(of) >= 0),
  ],
  [
    'a range past the table',
    50,
    sees(
      (of, { memory }) =>
        of.kind === 'vfio.setIrqs' && of.start + of.count === (memory.mdevs[of.device]?.size ?? 0) + 1,
    ),
  ],
  ['loopback', 110, has((of) => of.kind === 'vfio.setIrqs' && of.flags !== 0x24 && of.count > 0)],
  ['another index', 3, has((of) => of.kind === 'vfio.setIrqs' && of.index !== VFIO_PCI_MSIX_IRQ_INDEX)],
  ['an argsz', 18, has((of) => of.kind === 'vfio.setIrqs' && of.argsz !== undefined)],
  [
    'nothing malformed',
    610,
    ({ operations }) =>
      operations.every(
        (of) =>
          of.kind !== 'vfio.setIrqs' || (of.argsz === undefined && of.unreadable === undefined && firstBad(of) === -1),
      ),
  ],
];

/** With a VMM, whose guest does the rest. */
const GUEST_SHAPES: typeof MACHINES = [
  ['a descriptor from submission to end', 510, tells(submits, starts, completes)],
  [
    'a descriptor checked before and ended after MSI-X is off',
    70,
    tells(submits, starts, ofSubmitter(turnsOff), completes),
  ],
  ['a reset under one', 100, tells(submits, starts, ofSubmitter(isKind('guest.reset')))],
  ['a PASID freed under one', 30, tells(submits, starts, ofSubmitter(frees), completes)],
  ...WINDOWS.map(
    (window) =>
      [
        `armed for ${window}, and a vector unmasked`,
        60,
        tells(
          (of) => of.kind === 'device.armDescriptor' && of.window === window,
          (of, told) => of.kind === 'guest.unmask' && of.device === lastOf(told, 'device.armDescriptor')?.device,
        ),
      ] as const,
  ),
  [
    'armed, and MSI-X off',
    55,
    tells(
      isKind('device.armDescriptor'),
      (of, told) =>
        turnsOff(of, told, NOTHING) && 'device' in of && of.device === lastOf(told, 'device.armDescriptor')?.device,
    ),
  ],
  [
    'armed with a descriptor that is checked',
    160,
    tells(
      submits,
      starts,
      (of, told) => of.kind === 'device.armDescriptor' && of.descriptor === lastOf(told, 'guest.submit')?.descriptor,
    ),
  ],
  [
    'armed with one of another mdev',
    110,
    tells(
      submits,
      (of, told) =>
        of.kind === 'device.armDescriptor' &&
        of.descriptor === lastOf(told, 'guest.submit')?.descriptor &&
        of.device !== lastOf(told, 'guest.submit')?.device,
    ),
  ],
  ['armed twice', 95, tells(isKind('device.armDescriptor'), isKind('device.armDescriptor'))],
  [
    'the entry of another VM',
    130,
    sees(
      (of, { memory, scenario }) => of.kind === 'guest.submit' && isStrange(memory.entries[of.handle], scenario, of),
    ),
  ],
  [
    'MSIX_PERM after the vector is in use',
    220,
    sees(
      (of, { memory }) =>
        of.kind === 'guest.msixPerm' && of.pasidEnable && memory.mdevs[of.device]?.armed.has(of.vector) === true,
    ),
  ],
  ['Function Mask', 95, has((of) => of.kind === 'guest.msixControl' && of.functionMask)],
  ['a write of the table', 120, has((of) => of.kind === 'guest.tableWrite')],
  ['a failing allocation', 130, has((of) => of.kind === 'host.failAllocation')],
];

const NOTHING = DRAWN[0] as Scenario;

type Memory = Parameters<MdevLook>[1]['memory'];

function inTwoVms(of: Operation, { memory, scenario }: Parameters<MdevLook>[1]): boolean {
  if (of.kind !== 'guest.bindPasid') return false;
  return [...memory.bound].some(([vm, bound]) => vm !== vmOf(scenario, of) && bound.has(of.pasid));
}

function pasidsOf(memory: Memory): number {
  const bound = [...memory.bound.values()].reduce((sum, { size }) => sum + size, 0);
  return bound + memory.mdevs.filter(({ isAttached }) => isAttached).length;
}

function isStrange(place: number | undefined, scenario: Scenario, of: Operation): boolean {
  if (place === undefined || place === NOBODY) return false;
  return scenario.config.devices[deviceOfPlace(place)]?.mdev?.vm !== vmOf(scenario, of);
}

function isOwn(place: number | undefined, device: number): boolean {
  return place !== undefined && place !== NOBODY && deviceOfPlace(place) === device;
}

function isUnbound(memory: Memory, device: number, pasid: number | undefined): boolean {
  return pasid !== undefined && !boundIn(memory, device).has(pasid);
}

/** The vector has no entry, its guest knows one, and that is not the one it will get. */
function isMoving(memory: Memory, device: number, vector: number): boolean {
  const handle = memory.mdevs[device]?.told.get(vector);
  return (
    handle !== undefined &&
    entryOf(memory, device, vector) === undefined &&
    memory.entries.indexOf(NOBODY) !== handle &&
    memory.entries.includes(NOBODY)
  );
}

describe('how often it is drawn of mdevs', () => {
  it.each(SHAPES)('%s: in %i of 1,000 scenarios at least', (_name, least, shows) => {
    expect(DRAWN.filter(shows).length).toBeGreaterThanOrEqual(least);
  });

  it.each(GUEST_SHAPES)('with a VMM, %s: in %i of 1,000 scenarios at least', (_name, least, shows) => {
    expect(DRAWN_GUEST.filter(shows).length).toBeGreaterThanOrEqual(least);
  });

  it.each(OPERATION_KINDS.filter((kind) => isAskable(MDEV, kind)))('%s: in many, and off in others', (kind) => {
    const having = DRAWN.filter(has((of) => of.kind === kind)).length;
    expect(having).toBeGreaterThan(40);
    if (!ALWAYS.includes(kind)) expect(having).toBeLessThan(SCENARIOS * 0.9);
  });

  it.each(OPERATION_KINDS.filter((kind) => isAskable(MDEV_GUEST, kind)))('with a VMM, %s: in many', (kind) => {
    const having = DRAWN_GUEST.filter(has((of) => of.kind === kind)).length;
    expect(having).toBeGreaterThan(40);
  });
});

const ALWAYS: readonly Operation['kind'][] = [
  'vfio.setIrqs',
  'guest.unmask',
  'guest.submit',
  'device.start',
  'device.complete',
];
