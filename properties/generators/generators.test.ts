import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTraits, Operation, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import {
  dataElementBytes,
  IRQ_SET_BYTES,
  OPERATION_KINDS,
  parseOperation,
  printOperation,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_REQ_IRQ_INDEX,
} from '#vocabulary';
import { isMisfit, isName, isSimpler, measure } from './measure.ts';
import { isDisable, TRIGGER_EVENTFD, TRIGGER_NONE } from './memory.ts';
import { MIX_NAMES, MIXES } from './mix.ts';
import { OPERATIONS_MAX, OPERATIONS_MAX_LONG, OPERATIONS_MIN, scenarios } from './scenario.ts';
import { shrinkScenario } from './shrink.ts';

const SCENARIOS = 2000;
const SEED = 20261121;

const DYNAMIC: HostTraits = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' };
const STATIC: HostTraits = { dynamicMsix: false, rangeCheck: 'whole-range-first', belowMinusOne: 'ignored' };

const ANYTHING: Support = {
  operations: new Set(OPERATION_KINDS),
  msixVectors: 'any',
  whileOff: ['latches', 'drops'],
  devicesMax: 4,
  host: 'configured',
};

/** As a real machine might be: few devices, no control over the host. */
const LITTLE: Support = {
  operations: new Set(['vfio.setIrqs', 'device.raise', 'vfio.close']),
  msixVectors: [4, 16, 65],
  whileOff: ['drops'],
  devicesMax: 1,
  host: 'own',
};

function sample(support: Support, host: HostTraits, count = SCENARIOS, lengthMax?: number): Scenario[] {
  return fc.sample(scenarios(support, host, lengthMax), { numRuns: count, seed: SEED });
}

const DRAWN = sample(ANYTHING, DYNAMIC);
const DRAWN_LITTLE = sample(LITTLE, STATIC, 300);

/** What a scenario draws that its support does not have, in words. */
function excesses({ config, operations }: Scenario, support: Support): string[] {
  const found: string[] = [];
  if (config.devices.length > support.devicesMax || config.devices.length === 0) found.push('devices');
  for (const { msixVectors, whileOff } of config.devices) {
    const fits = support.msixVectors === 'any' ? msixVectors >= 1 : support.msixVectors.includes(msixVectors);
    if (!fits || msixVectors > 2048) found.push(`table of ${msixVectors}`);
    if (!support.whileOff.includes(whileOff)) found.push(whileOff);
  }
  for (const operation of operations) {
    if (!support.operations.has(operation.kind)) found.push(operation.kind);
    if ('device' in operation && config.devices[operation.device] === undefined) found.push(printOperation(operation));
  }
  return found;
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
  });

  it('is everything that is supported, also where that is little', () => {
    const kinds = new Set(DRAWN_LITTLE.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect(kinds).toEqual(LITTLE.operations);
    const sizes = new Set(DRAWN_LITTLE.flatMap(({ config }) => config.devices.map(({ msixVectors }) => msixVectors)));
    expect(sizes).toEqual(new Set([4, 16, 65]));
  });

  it('carries the host it was drawn for', () => {
    expect(DRAWN.every(({ config }) => config.host === DYNAMIC)).toBe(true);
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

/** Well-formed EVENTFD for MSI-X vectors of the table. */
function isArming(operation: Operation, { config }: Scenario): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    operation.index === VFIO_PCI_MSIX_IRQ_INDEX &&
    operation.flags === TRIGGER_EVENTFD &&
    operation.count > 0 &&
    operation.start + operation.count <= (config.devices[operation.device]?.msixVectors ?? 0) &&
    operation.argsz === undefined &&
    operation.unreadable === undefined &&
    !isMisfit(operation)
  );
}

function isDisabling(operation: Operation): operation is VfioSetIrqs {
  return (
    operation.kind === 'vfio.setIrqs' &&
    isDisable(operation) &&
    operation.argsz === undefined &&
    operation.unreadable === undefined
  );
}

function setsOf({ operations }: Scenario): VfioSetIrqs[] {
  return operations.filter((operation) => operation.kind === 'vfio.setIrqs');
}

function firstBad({ data }: VfioSetIrqs): number {
  return data.findIndex((element) => element === 'bad' || element === 'notEventfd');
}

function bytesNeeded({ count, flags }: VfioSetIrqs): number {
  return IRQ_SET_BYTES + count * dataElementBytes(flags);
}

/** Looks at each operation on a device with the end of what was asked for before it, MSI-X on: 0 when off. */
function meets(scenario: Scenario, look: (operation: Operation, end: number, before: Operation[]) => boolean): boolean {
  return scenario.config.devices.some((_, device) => {
    let end = 0;
    const before: Operation[] = [];
    return scenario.operations.some((operation) => {
      if (!('device' in operation) || operation.device !== device) return false;
      const met = look(operation, end, before);
      if (isDisabling(operation)) end = 0;
      if (isArming(operation, scenario) && firstBad(operation) === -1) {
        end = Math.max(end, operation.start + operation.count);
      }
      before.push(operation);
      return met;
    });
  });
}

function crosses({ start, count }: VfioSetIrqs, end: number): boolean {
  return end > 0 && start < end && start + count > end;
}

/** Enable, disable, raise of an enabled vector, the same vector again. */
function raisesBetween(scenario: Scenario): boolean {
  return scenario.config.devices.some((_, device) => {
    const stages = new Map<number, number>();
    return scenario.operations.some((operation) => {
      if (!('device' in operation) || operation.device !== device) return false;
      if (isDisabling(operation)) for (const [vector, stage] of stages) if (stage === 1) stages.set(vector, 2);
      if (operation.kind === 'device.raise' && stages.get(operation.vector) === 2) stages.set(operation.vector, 3);
      if (!isArming(operation, scenario)) return false;
      return operation.data.some((_, place) => {
        const vector = operation.start + place;
        if (stages.get(vector) === 3) return true;
        stages.set(vector, 1);
        return false;
      });
    });
  });
}

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

function tableOf({ config }: Scenario, { device }: VfioSetIrqs): number {
  return config.devices[device]?.msixVectors ?? 0;
}

function hasTable(look: (msixVectors: number) => boolean): (scenario: Scenario) => boolean {
  return ({ config }) => config.devices.some(({ msixVectors }) => look(msixVectors));
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
    250,
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
  ['a -1 among eventfds', 350, hasSet((of) => of.data.includes(-1) && of.data.some(isName))],
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
  ['a whole table of 2048', 4, hasSet((of, one) => isArming(of, one) && of.count === 2048)],
  ['a range that leaves the table', 400, hasSet((of, one) => of.start + of.count === tableOf(one, of) + 1)],
  ['a start that is the table size', 450, hasSet((of, one) => of.start === tableOf(one, of) && of.index === 2)],
  ['a raise beyond the table', 250, beyondTable],
  ['the REQ trigger', 450, hasSet((of) => of.index === VFIO_PCI_REQ_IRQ_INDEX && of.flags === TRIGGER_EVENTFD)],
  ['REQ loopback', 300, hasSet((of) => of.index === VFIO_PCI_REQ_IRQ_INDEX && of.flags === TRIGGER_NONE)],
  ['no DATA bit', 140, hasFlags((flags) => countBits(flags, 7) === 0)],
  ['two DATA bits', 120, hasFlags((flags) => countBits(flags, 7) > 1)],
  ['no ACTION bit', 110, hasFlags((flags) => countBits(flags, 0x38) === 0)],
  ['two ACTION bits', 110, hasFlags((flags) => countBits(flags, 0x38) > 1)],
  ['MASK or UNMASK alone, MSI-X', 110, hasSet((of) => of.index === 2 && isMask(of))],
  ['MASK or UNMASK alone, REQ', 6, hasSet((of) => of.index === 4 && isMask(of))],
  ['unknown bit 0x40', 30, hasFlags((flags) => (flags & 0x40) !== 0)],
  ['the highest bit', 40, hasFlags((flags) => flags >= 0x80000000)],
  ['argsz one short', 50, hasSet((of) => of.argsz === bytesNeeded(of) - 1)],
  ['argsz 0, 15 or 19', 110, hasSet((of) => of.argsz === 0 || of.argsz === 15 || of.argsz === 19)],
  ['the largest argsz', 90, hasSet((of) => of.argsz === 0xffffffff)],
  ['an unreadable header', 140, hasSet((of) => of.unreadable === true)],
  ['a sum that wraps around', 110, hasSet((of) => of.count >= 0xffffffff - of.start)],
  ['a sum that only just does not', 30, hasSet((of) => of.count === 0xfffffffe - of.start)],
  [
    'data that ends too early',
    90,
    hasSet((of) => of.argsz === undefined && of.data.length < of.count && of.data.length > 0),
  ],
  ['data that is not mapped', 90, hasSet((of) => dataElementBytes(of.flags) > 0 && promisesTooMuch(of))],
  ['a malformed GET_IRQ_INFO', 110, oddIrqInfo],
  [
    'a limit of 0 to 6',
    160,
    ({ operations }) => operations.some((of) => of.kind === 'host.limitVectors' && of.count < 7),
  ],
  ['a closed device opened again', 110, ({ operations }) => follows(operations, 'vfio.close', 'vfio.open')],
  ['a raise while closed', 70, ({ operations }) => follows(operations, 'vfio.close', 'device.raise')],
  ['a closed eventfd', 600, ({ operations }) => operations.some(({ kind }) => kind === 'vfio.closeEventfd')],
  ['20 operations or more of which none is wrong', 450, isLongAndGood],
];

function gapThenDisable(operation: Operation, end: number, before: Operation[]): boolean {
  return end > 0 && isDisabling(operation) && before.at(-1)?.kind === 'device.arm';
}

function beyondTable({ config, operations }: Scenario): boolean {
  return operations.some(
    (of) => of.kind === 'device.raise' && of.vector >= (config.devices[of.device]?.msixVectors ?? 0),
  );
}

/** Everything that argsz speaks of is not there. */
function promisesTooMuch(operation: VfioSetIrqs): boolean {
  return (operation.argsz ?? 0) >= bytesNeeded(operation) && operation.data.length < operation.count;
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
    expect(DRAWN.filter(has).length).toBeGreaterThanOrEqual(least);
  });

  it.each(OPERATION_KINDS)('%s: in many scenarios, and off in others', (kind) => {
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
    expect(inside(sample(ANYTHING, STATIC))).toBeGreaterThan(1.1 * inside(DRAWN));
  });
});

describe('shrinking, step by step', () => {
  const small = DRAWN.slice(0, 60).concat(DRAWN_LITTLE.slice(0, 20));

  it('offers only what is simpler and supported', () => {
    for (const scenario of small) {
      const support = scenario.config.host === DYNAMIC ? ANYTHING : LITTLE;
      const size = measure(scenario);
      let candidates = 0;
      for (const { scenario: simpler } of shrinkScenario(scenario, support)) {
        if (!isSimpler(measure(simpler), size) || excesses(simpler, support).length > 0) {
          expect.fail(`${JSON.stringify(simpler)} of ${JSON.stringify(scenario)}`);
        }
        candidates++;
      }
      expect(candidates).toBeGreaterThan(0);
    }
  });

  it('ends at nothing on the smallest machine when everything fails', () => {
    for (const [drawn, support] of [
      [DRAWN[0], ANYTHING],
      [DRAWN_LITTLE[0], LITTLE],
    ] as const) {
      let scenario = drawn as Scenario;
      let steps = 0;
      for (let next = firstOf(scenario, support); next !== undefined; next = firstOf(scenario, support)) {
        scenario = next;
        steps++;
      }
      expect(scenario.operations).toEqual([]);
      expect(scenario.config.devices).toHaveLength(1);
      expect(scenario.config.devices[0]?.msixVectors).toBe(support === ANYTHING ? 1 : 4);
      expect(steps).toBeLessThan(200);
    }
  });

  it('compares measures from the left, and equal ones are not simpler', () => {
    expect(isSimpler([1, 2], [1, 3])).toBe(true);
    expect(isSimpler([1, 3], [1, 2])).toBe(false);
    expect(isSimpler([1, 2], [1, 2])).toBe(false);
    expect(isSimpler([0, 9, 9], [1])).toBe(true);
  });

  it('goes on where it was, and comes round to what was before it', () => {
    const scenario = DRAWN[1] as Scenario;
    const all = [...shrinkScenario(scenario, ANYTHING)];
    const middle = all[all.length >> 1];
    const rest = [...shrinkScenario(scenario, ANYTHING, middle?.cursor)];
    expect(rest[0]?.cursor).toEqual(middle?.cursor);
    expect(new Set(rest.map(({ scenario: one }) => JSON.stringify(one)))).toEqual(
      new Set(all.map(({ scenario: one }) => JSON.stringify(one))),
    );
  });
});

function firstOf(scenario: Scenario, support: Support): Scenario | undefined {
  for (const candidate of shrinkScenario(scenario, support)) return candidate.scenario;
  return undefined;
}

interface Planted {
  readonly what: string;
  readonly support: Support;
  readonly fails: (scenario: Scenario) => boolean;
  /** Table sizes, then the operations. */
  readonly minimum: readonly string[];
}

/** The last vector of the table is given a second eventfd. */
function changesLast(one: Scenario): boolean {
  return meets(one, (of, _end, before) => {
    if (!isArming(of, one) || of.start + of.count !== tableOf(one, of)) return false;
    const name = of.data.at(-1);
    return before.some((earlier) => isLastOfTable(earlier, one) && isName(name ?? -1) && earlier.data.at(-1) !== name);
  });
}

function isLastOfTable(operation: Operation, one: Scenario): operation is VfioSetIrqs {
  return (
    isArming(operation, one) &&
    operation.start + operation.count === tableOf(one, operation) &&
    isName(operation.data.at(-1) ?? -1)
  );
}

/** An armed range again; two vectors of it were armed, the second descriptor or a later one is bad. */
function losesOld(one: Scenario): boolean {
  return meets(one, (of, end, before) => {
    if (!isArming(of, one) || firstBad(of) < 1 || end === 0) return false;
    const armed = (vector: number): boolean =>
      before.some((by) => isArming(by, one) && firstBad(by) < 0 && vector >= by.start && vector < by.start + by.count);
    return armed(of.start + firstBad(of) - 1) && armed(of.start + firstBad(of));
  });
}

const ARM = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const DISABLE = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';

const PLANTED: readonly Planted[] = [
  {
    what: 'a raise between two enables',
    support: ANYTHING,
    fails: raisesBetween,
    minimum: ['1', `${ARM} 0+1 [e0]`, DISABLE, 'device.raise 0', `${ARM} 0+1 [e0]`],
  },
  {
    what: 'a range crossing the end',
    support: ANYTHING,
    fails: (one) => meets(one, (of, end) => isArming(of, one) && crosses(of, end)),
    minimum: ['2', `${ARM} 0+1 [e0]`, `${ARM} 0+2 [e0 e0]`],
  },
  {
    what: 'a bad descriptor in an armed range',
    support: ANYTHING,
    fails: losesOld,
    minimum: ['2', `${ARM} 0+2 [e0 e0]`, `${ARM} 0+2 [e0 bad]`],
  },
  {
    what: 'a raise in the gap',
    support: ANYTHING,
    fails: (one) => meets(one, gapThenDisable),
    minimum: ['1', `${ARM} 0+1 [e0]`, 'device.arm 0 teardown-gap', DISABLE],
  },
  {
    what: 'two devices',
    support: ANYTHING,
    fails: (one) => new Set(setsOf(one).flatMap((of) => (isArming(of, one) ? of.device : []))).size > 1,
    minimum: ['1,1', `${ARM} 0+1 [e0]`, `${ARM} 0+1 [e0] @1`],
  },
  {
    what: 'a vector of the second word',
    support: ANYTHING,
    fails: ({ operations }) => operations.some((of) => of.kind === 'device.raise' && of.vector > 31 && of.vector < 65),
    minimum: ['1', 'device.raise 32'],
  },
  {
    what: 'a limit met by the third vector',
    support: ANYTHING,
    fails: ({ operations }) =>
      operations.some((of, at) => of.kind === 'host.limitVectors' && operations.slice(at).some((by) => armsThree(by))),
    minimum: ['1', 'host.limitVectors 0', `${ARM} 0+3 [e0 e0 e0]`],
  },
  {
    what: 'the last vector, on given tables',
    support: { ...LITTLE, operations: new Set(OPERATION_KINDS), devicesMax: 2 },
    fails: changesLast,
    minimum: ['4', `${ARM} 3+1 [e0]`, `${ARM} 3+1 [e1]`],
  },
  {
    what: 'two range requests before a bad one, or five, or eight',
    support: ANYTHING,
    fails: isThirdBad,
    minimum: ['1', `${ARM} 0+0 []`, `${ARM} 0+0 []`, `${ARM} 0+1 [bad]`],
  },
  {
    what: 'a header that promises too much',
    support: ANYTHING,
    fails: (one) => setsOf(one).some((of) => of.argsz === 4096 && of.unreadable === undefined),
    minimum: ['1', `${ARM} 0+0 [] argsz=4096`],
  },
  {
    what: 'data that is not mapped',
    support: ANYTHING,
    fails: hasSet((of) => dataElementBytes(of.flags) === 4 && of.unreadable === undefined && promisesTooMuch(of)),
    minimum: ['1', `${ARM} 0+1 [] argsz=24`],
  },
];

/** Needs operations to be dropped by threes. */
function isThirdBad(one: Scenario): boolean {
  let good = 0;
  return setsOf(one).some((of) => {
    if (of.index !== VFIO_PCI_MSIX_IRQ_INDEX || of.flags !== TRIGGER_EVENTFD || isMisfit(of)) return false;
    if (firstBad(of) === -1) good++;
    return firstBad(of) !== -1 && good % 3 === 2;
  });
}

function armsThree(operation: Operation): boolean {
  return operation.kind === 'vfio.setIrqs' && operation.flags === TRIGGER_EVENTFD && operation.data.length > 2;
}

interface Shrunk {
  readonly minimum: readonly string[];
  /** Runs after the first failure. */
  readonly runs: number;
}

function shrinkPlanted({ support, fails }: Planted, seed: number): Shrunk {
  let [runs, failed] = [0, false];
  const property = fc.property(scenarios(support, DYNAMIC), (scenario) => {
    const isFailing = fails(scenario);
    if (failed) runs++;
    if (isFailing) failed = true;
    return !isFailing;
  });
  const { counterexample } = fc.check(property, { seed, numRuns: 10_000 });
  const { config, operations } = counterexample?.[0] ?? { config: { devices: [] }, operations: [] };
  const sizes = config.devices.map(({ msixVectors }) => msixVectors).join();
  return { minimum: [sizes, ...operations.map(printOperation)], runs };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[numbers.length >> 1] ?? 0;
}

describe('shrinking with fast-check', () => {
  it.each(PLANTED)('finds the minimum of: $what', (planted) => {
    const shrunk = Array.from({ length: 100 }, (_, seed) => shrinkPlanted(planted, seed));
    const others = shrunk.filter(({ minimum }) => minimum.join('; ') !== planted.minimum.join('; '));
    expect(others.length, others[0]?.minimum.join('\n')).toBeLessThanOrEqual(3);
    const runs = shrunk.map((one) => one.runs);
    expect(median(runs)).toBeLessThan(120);
    expect(Math.max(...runs)).toBeLessThan(400);
  });

  it('shrinks a scenario that was given to it', () => {
    const long = DRAWN.find(({ operations }) => operations.length > 100) as Scenario;
    const property = fc.property(scenarios(ANYTHING, DYNAMIC), ({ operations }) => operations.length < 2);
    const details = fc.check(property, { examples: [[long]], numRuns: 1 });
    expect(details.counterexample?.[0]?.operations).toHaveLength(2);
    expect(details.numShrinks).toBeGreaterThan(1);
  });

  it('refuses to shrink what is not a scenario', () => {
    const arbitrary = scenarios(ANYTHING, DYNAMIC);
    for (const foreign of [undefined, null, 3, {}, { config: {} }]) {
      expect(arbitrary.canShrinkWithoutContext(foreign)).toBe(false);
    }
    expect(arbitrary.canShrinkWithoutContext(DRAWN[0])).toBe(true);
  });
});
