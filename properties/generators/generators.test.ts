import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, Operation, PciFunction, Platform, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import {
  dataElementBytes,
  isEventfdName,
  parseOperation,
  printOperation,
  RAW_KINDS,
  VFIO_PCI_REQ_IRQ_INDEX,
} from '#vocabulary';
import {
  ANYTHING,
  BOARD,
  bytesNeeded,
  crosses,
  DYNAMIC,
  describeFunction,
  EDU,
  excesses,
  firstBad,
  gapThenDisable,
  isArming,
  isDisabling,
  LITTLE,
  meets,
  NVME,
  promisesTooMuch,
  raisesBetween,
  SEED,
  STATIC,
  sample,
  setsOf,
  tableOf,
} from './drawn.fixture.ts';
import { TRIGGER_EVENTFD, TRIGGER_NONE } from './flags.ts';
import { isMisfit } from './measure.ts';
import { MIX_NAMES, MIXES } from './mix.ts';
import { isSupportedConfig } from './pci-function.ts';
import { OPERATIONS_MAX, OPERATIONS_MAX_LONG, OPERATIONS_MIN, scenarios } from './scenario.ts';

const SCENARIOS = 2000;

const DRAWN = sample(ANYTHING, DYNAMIC, SCENARIOS);
const DRAWN_LITTLE = sample(LITTLE, STATIC, 300);
const DRAWN_BOARD = sample(BOARD, DYNAMIC, SCENARIOS);

/** As many, of those whose devices have MSI-X and nothing else. */
const DRAWN_MSIX = sampleMsix(DYNAMIC);

function sampleMsix(platform: Platform): Scenario[] {
  return sample(ANYTHING, platform, 3 * SCENARIOS)
    .filter(({ config }) => config.devices.every((device) => /^{"msixVectors":\d+}$/.test(describeFunction(device))))
    .slice(0, SCENARIOS);
}

describe('what is drawn', () => {
  it('has the lengths it promises', () => {
    const lengths = DRAWN.map(({ operations }) => operations.length);
    expect(Math.min(...lengths)).toBe(OPERATIONS_MIN);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(OPERATIONS_MAX_LONG);
    expect(Math.max(...lengths)).toBeGreaterThan(150);
    const long = lengths.filter((length) => length > OPERATIONS_MAX).length;
    // One in 16, and of these 140 in 196.
    expect(long / SCENARIOS).toBeGreaterThan(0.03);
    expect(long / SCENARIOS).toBeLessThan(0.06);
    for (const length of [5, 20, 40, OPERATIONS_MAX]) expect(lengths).toContain(length);
  });

  it.each([1, 3, 12])('is never longer than the caller wants (%i)', (lengthMax) => {
    const lengths = sample(ANYTHING, DYNAMIC, 300, lengthMax).map(({ operations }) => operations.length);
    expect(Math.max(...lengths)).toBe(lengthMax);
    expect(Math.min(...lengths)).toBe(Math.min(lengthMax, OPERATIONS_MIN));
  });

  it('is nothing that is not supported', () => {
    expect(DRAWN.flatMap((scenario) => excesses(scenario, ANYTHING))).toEqual([]);
    expect(DRAWN_LITTLE.flatMap((scenario) => excesses(scenario, LITTLE))).toEqual([]);
    expect(DRAWN_BOARD.flatMap((scenario) => excesses(scenario, BOARD))).toEqual([]);
  });

  it('is everything that is supported, also where that is little', () => {
    const kinds = new Set(DRAWN_LITTLE.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect(kinds).toEqual(LITTLE.operations);
    const sizes = new Set(DRAWN_LITTLE.flatMap(({ config }) => config.devices.map(({ msixVectors }) => msixVectors)));
    expect(sizes).toEqual(new Set([4, 16, 65]));
    const functions = new Set(DRAWN_BOARD.flatMap(({ config }) => config.devices.map(describeFunction)));
    expect(functions).toEqual(new Set((BOARD.functions as PciFunction[]).map(describeFunction)));
    const boardKinds = new Set(DRAWN_BOARD.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect(boardKinds).toEqual(BOARD.operations);
  });

  it('is a machine with one device where the list has no other', () => {
    const lonely = { ...BOARD, functions: [EDU] };
    expect(new Set(sample(lonely, DYNAMIC, 100).map(({ config }) => config.devices.length))).toEqual(new Set([1]));
    const pairs = DRAWN_BOARD.filter(
      ({ config }) => new Set(config.devices.map(describeFunction)).size < config.devices.length,
    );
    expect(pairs.length).toBeGreaterThan(10);
  });

  it('is half MSI-X alone, small tables first, where there are others', () => {
    const firsts = DRAWN_BOARD.map(({ config }) => describeFunction(config.devices[0] as PciFunction));
    const share = (pattern: RegExp): number => firsts.filter((first) => pattern.test(first)).length / firsts.length;
    expect(share(/^{"msixVectors":\d+}$/)).toBeCloseTo(0.5, 1);
    expect(share(/^{"msixVectors":(4|10)}$/)).toBeGreaterThan(0.35);
    for (const [size] of [['4'], ['10'], ['36'], ['66']]) expect(share(new RegExp(`:${size}}`))).toBeGreaterThan(0.02);
  });

  it('carries the host it was drawn for', () => {
    expect(DRAWN.every(({ config }) => config.host === DYNAMIC.host)).toBe(true);
  });

  it('is the same for the same seed, and another for another', () => {
    expect(sample(ANYTHING, DYNAMIC, 100)).toEqual(DRAWN.slice(0, 100));
    const others = fc.sample(scenarios(ANYTHING, DYNAMIC), { numRuns: 100, seed: SEED + 1 });
    expect(others).not.toEqual(DRAWN.slice(0, 100));
  });

  it('can be written down and read back', () => {
    const operations = DRAWN.slice(0, 300).flatMap((scenario) => scenario.operations);
    expect(operations.map((operation) => parseOperation(printOperation(operation)))).toEqual(operations);
  });

  it('is made of all mixes, and each mix can arm', () => {
    for (const name of MIX_NAMES) {
      expect(MIXES[name].kinds['vfio.setIrqs'], name).toBeGreaterThan(0);
      expect(MIXES[name].requests.arm, name).toBeGreaterThan(0);
    }
  });
});

function hasFlags(bits: (flags: number) => boolean): (scenario: Scenario) => boolean {
  return (scenario) => setsOf(scenario).some(({ flags }) => bits(flags));
}

function hasSet(look: (operation: VfioSetIrqs, scenario: Scenario) => boolean): (scenario: Scenario) => boolean {
  return (scenario) => setsOf(scenario).some((operation) => look(operation, scenario));
}

function countBits(flags: number, mask: number): number {
  return [...(flags & mask).toString(2)].filter((bit) => bit === '1').length;
}

function isMask({ flags }: VfioSetIrqs): boolean {
  return countBits(flags, 0x38) === 1 && countBits(flags, 0x20) === 0;
}

function hasTable(look: (msixVectors: number) => boolean): (scenario: Scenario) => boolean {
  return ({ config }) => config.devices.some(({ msixVectors }) => look(msixVectors));
}

/** A device is closed, opened and given triggers that begin at 0 and are less than before; then it has an event. */
function tellsOfFewer(operations: readonly Operation[]): boolean {
  let before = 0;
  let place = 0;
  for (const of of operations) {
    const isSet = of.kind === 'vfio.setIrqs' && of.flags === TRIGGER_EVENTFD && of.index === 2;
    if (place === 0 && isSet) before = Math.max(before, of.start + of.count);
    if (of.kind === 'vfio.close') place = 1;
    else if (place === 1 && of.kind === 'vfio.open') place = 2;
    else if (place === 2 && isSet && of.start === 0 && of.count > 0 && of.count < before) place = 3;
    else if (place === 3 && of.kind === 'device.raise') return true;
  }
  return false;
}

/** Shapes by name, how many of 2,000 scenarios have them at least (about 3/4 of what was seen), how to see them. */
const SHAPES: readonly (readonly [string, number, (scenario: Scenario) => boolean])[] = [
  ['a small table', 1050, hasTable((size) => size <= 10)],
  ['a table of 31, 32 or 33', 160, hasTable((size) => size >= 31 && size <= 33)],
  ['a table of 65', 50, hasTable((size) => size === 65)],
  ['a table of 2048', 120, hasTable((size) => size === 2048)],
  ['a function that drops', 800, ({ config }) => config.devices.some(({ whileOff }) => whileOff === 'drops')],
  [
    'two devices, both used',
    150,
    ({ operations }) => new Set(operations.flatMap((of) => ('device' in of ? of.device : []))).size > 1,
  ],
  ['a range crossing the end', 900, (one) => meets(one, (of, end) => isArming(of, one) && crosses(of, end))],
  [
    'a range crossing the end, its last descriptor bad',
    70,
    (one) =>
      meets(one, (of, end) => isArming(of, one) && crosses(of, end) && firstBad(of) === of.count - 1 && of.count > 1),
  ],
  [
    'a single vector beyond the end',
    650,
    (one) => meets(one, (of, end) => isArming(of, one) && of.count === 1 && end > 0 && of.start >= end),
  ],
  [
    'a loopback partly beyond the end',
    450,
    (one) =>
      meets(
        one,
        (of, end) =>
          of.kind === 'vfio.setIrqs' &&
          of.flags !== TRIGGER_EVENTFD &&
          of.index === 2 &&
          !isMisfit(of) &&
          crosses(of, end),
      ),
  ],
  ['bad at a position above 0', 400, hasSet((of, one) => isArming(of, one) && firstBad(of) > 0)],
  [
    'an armed range again, bad at a position above 0',
    200,
    (one) => meets(one, (of, end) => isArming(of, one) && firstBad(of) > 0 && of.start + firstBad(of) < end),
  ],
  ['a -1 among eventfds', 350, hasSet((of) => of.data.includes(-1) && of.data.some(isEventfdName))],
  ['nothing but -1', 1000, hasSet((of) => of.data.length > 0 && of.data.every((element) => element === -1))],
  ['a number below -1', 550, hasSet((of) => of.data.some((element) => typeof element === 'number' && element < -1))],
  ['a number that is no descriptor', 250, hasSet((of) => of.data.includes(2147483647))],
  [
    'one eventfd for two vectors',
    1200,
    hasSet((of, one) => isArming(of, one) && new Set(of.data).size < of.data.length),
  ],
  ['BOOL that is 0 and 1', 400, hasSet((of) => of.data.includes(0) && of.data.includes(1))],
  ['BOOL of which the low byte is 0', 350, hasSet((of) => of.data.includes(256))],
  [
    'a gap raise armed, then the disable',
    350,
    (one) => meets(one, (of, end, before) => gapThenDisable(of, end, before)),
  ],
  ['enable, disable, raise, enable', 500, raisesBetween],
  ['a count of 0 with EVENTFD', 500, hasSet((of) => of.count === 0 && of.flags === TRIGGER_EVENTFD && of.index === 2)],
  ['a disable with a start', 450, hasSet((of) => isDisabling(of) && of.start > 0)],
  ['the end of the table', 1100, hasSet((of, one) => isArming(of, one) && of.start + of.count === tableOf(one, of))],
  ['a whole table', 750, hasSet((of, one) => isArming(of, one) && of.count === tableOf(one, of))],
  ['a whole table of 2048', 3, hasSet((of, one) => isArming(of, one) && of.count === 2048)],
  ['a range that leaves the table', 400, hasSet((of, one) => of.start + of.count === tableOf(one, of) + 1)],
  ['a start that is the table size', 450, hasSet((of, one) => of.start === tableOf(one, of) && of.index === 2)],
  ['a raise beyond the table', 250, beyondTable],
  ['the REQ trigger', 450, hasSet((of) => of.index === VFIO_PCI_REQ_IRQ_INDEX && of.flags === TRIGGER_EVENTFD)],
  ['REQ loopback', 300, hasSet((of) => of.index === VFIO_PCI_REQ_IRQ_INDEX && of.flags === TRIGGER_NONE)],
  ['no DATA bit', 130, hasFlags((flags) => countBits(flags, 7) === 0)],
  ['two DATA bits', 120, hasFlags((flags) => countBits(flags, 7) > 1)],
  ['no ACTION bit', 110, hasFlags((flags) => countBits(flags, 0x38) === 0)],
  ['two ACTION bits', 110, hasFlags((flags) => countBits(flags, 0x38) > 1)],
  ['MASK or UNMASK alone, MSI-X', 110, hasSet((of) => of.index === 2 && isMask(of))],
  ['MASK or UNMASK alone, REQ', 6, hasSet((of) => of.index === 4 && isMask(of))],
  ['unknown bit 0x40', 30, hasFlags((flags) => (flags & 0x40) !== 0)],
  ['the highest bit', 40, hasFlags((flags) => flags >= 0x80000000)],
  ['argsz one short', 50, hasSet((of) => of.argsz === bytesNeeded(of) - 1)],
  ['argsz 0, 15 or 19', 100, hasSet((of) => of.argsz === 0 || of.argsz === 15 || of.argsz === 19)],
  ['the largest argsz', 80, hasSet((of) => of.argsz === 0xffffffff)],
  ['an unreadable header', 130, hasSet((of) => of.unreadable === true)],
  ['a sum that wraps around', 100, hasSet((of) => of.count >= 0xffffffff - of.start)],
  ['a sum that only just does not', 30, hasSet((of) => of.count === 0xfffffffe - of.start)],
  [
    'data that ends too early',
    90,
    hasSet((of) => of.argsz === undefined && of.data.length < of.count && of.data.length > 0),
  ],
  ['data that is not mapped', 85, hasSet((of) => dataElementBytes(of.flags) > 0 && promisesTooMuch(of))],
  ['a malformed GET_IRQ_INFO', 110, oddIrqInfo],
  [
    'a limit of 0 to 6',
    160,
    ({ operations }) => operations.some((of) => of.kind === 'host.limitVectors' && of.count < 7),
  ],
  ['a closed device opened again', 110, ({ operations }) => follows(operations, 'vfio.close', 'vfio.open')],
  ['opened again, with fewer vectors, and an event', 65, ({ operations }) => tellsOfFewer(operations)],
  ['a raise while closed', 70, ({ operations }) => follows(operations, 'vfio.close', 'device.raise')],
  ['a closed eventfd', 600, ({ operations }) => operations.some(({ kind }) => kind === 'vfio.closeEventfd')],
  ['20 operations or more of which none is wrong', 450, isLongAndGood],
];

function beyondTable({ config, operations }: Scenario): boolean {
  return operations.some(
    (of) => of.kind === 'device.raise' && of.vector >= (config.devices[of.device]?.msixVectors ?? 0),
  );
}

function oddIrqInfo({ operations }: Scenario): boolean {
  return operations.some((of) => of.kind === 'vfio.getIrqInfo' && (of.argsz !== undefined || of.unreadable === true));
}

function follows(operations: readonly Operation[], one: Operation['kind'], other: Operation['kind']): boolean {
  return operations.some(({ kind }, place) => kind === one && operations[place + 1]?.kind === other);
}

/** No bad descriptor, nothing malformed, nothing outside the table. */
function isLongAndGood(scenario: Scenario): boolean {
  return (
    scenario.operations.length >= 20 &&
    setsOf(scenario).every(
      (of) =>
        firstBad(of) === -1 &&
        !of.data.includes(2147483647) &&
        !isMisfit(of) &&
        of.argsz === undefined &&
        of.unreadable === undefined &&
        (of.index === VFIO_PCI_REQ_IRQ_INDEX || of.start + of.count <= tableOf(scenario, of) + 2),
    )
  );
}

describe('how often it is drawn', () => {
  it.each(SHAPES)('%s: in %i of 2,000 scenarios at least', (_name, least, has) => {
    expect(DRAWN_MSIX.filter(has).length).toBeGreaterThanOrEqual(least);
  });

  it.each(RAW_KINDS)('%s: in many scenarios, and off in others', (kind) => {
    const having = DRAWN.filter(({ operations }) => operations.some((operation) => operation.kind === kind)).length;
    expect(having).toBeGreaterThan(200);
    if (kind === 'vfio.setIrqs') expect(having).toBeGreaterThan(SCENARIOS * 0.99);
    else expect(having).toBeLessThan(SCENARIOS * 0.9);
  });

  it.each([0, 1, 3, 4, 5, 0xffffffff])('index %i: for both calls', (index) => {
    const operations = DRAWN.flatMap((scenario) => scenario.operations);
    for (const kind of ['vfio.setIrqs', 'vfio.getIrqInfo']) {
      const having = operations.filter((of) => of.kind === kind && 'index' in of && of.index === index);
      expect(having.length, kind).toBeGreaterThan(20);
    }
  });

  it('a range inside what a static host allocated: more often than on a host that can add vectors', () => {
    const inside = (drawn: Scenario[]): number => {
      let count = 0;
      for (const one of drawn) {
        meets(one, (of, end) => {
          if (isArming(of, one) && of.start + of.count <= end) count++;
          return false;
        });
      }
      return count;
    };
    expect(inside(sampleMsix(STATIC))).toBeGreaterThan(1.1 * inside(DRAWN_MSIX));
  });
});

describe('a machine is supported', () => {
  const isSupported = (devices: readonly PciFunction[], support: Support, more: Partial<Config> = {}): boolean =>
    isSupportedConfig({ ...STATIC, devices, ...more }, support);
  const FOUR: PciFunction = { msixVectors: 4, whileOff: 'drops' };

  it('as far as its devices are there, each once, whatever they do while off', () => {
    expect(isSupported([FOUR, FOUR], BOARD)).toBe(true);
    expect(isSupported([NVME, EDU], BOARD)).toBe(true);
    expect(isSupported([NVME, NVME], BOARD)).toBe(false);
    expect(isSupported([{ ...FOUR, express: true }], BOARD)).toBe(false);
    expect(isSupported([{ ...FOUR, msixVectors: 5 }], BOARD)).toBe(false);
    expect(isSupported([{ ...FOUR, express: true }, NVME, NVME, EDU], ANYTHING)).toBe(true);
  });

  it('with no more devices than it can have, and without remapping where it can be', () => {
    expect(isSupported([FOUR, FOUR, EDU], BOARD)).toBe(false);
    expect(isSupported([EDU], BOARD, { interruptRemapping: false })).toBe(true);
    expect(isSupported([FOUR], LITTLE, { interruptRemapping: false })).toBe(false);
  });
});
