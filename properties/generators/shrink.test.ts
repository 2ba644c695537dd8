import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation, Scenario, Support, VfioSetIrqs } from '#vocabulary';
import { dataElementBytes, isEventfdName, OPERATION_KINDS, parseOperation, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import {
  ANYTHING,
  BOARD,
  crosses,
  DYNAMIC,
  describeFunction,
  EDU,
  excesses,
  firstBad,
  gapThenDisable,
  isArming,
  LITTLE,
  meets,
  promisesTooMuch,
  raisesBetween,
  STATIC,
  sample,
  setsOf,
  tableOf,
  tells,
  XHCI,
} from './drawn.fixture.ts';
import { TRIGGER_EVENTFD, UNMASK_EVENTFD } from './flags.ts';
import { isMisfit, isSimpler, measure } from './measure.ts';
import { shrinkPlanted } from './planted.fixture.ts';
import { scenarios } from './scenario.ts';
import { shrinkScenario } from './shrink.ts';

const DRAWN = sample(ANYTHING, DYNAMIC, 200);
const DRAWN_LITTLE = sample(LITTLE, STATIC, 20);
const DRAWN_BOARD = sample(BOARD, DYNAMIC, 60);

describe('shrinking, step by step', () => {
  const small = [
    ...DRAWN.slice(0, 120).map((scenario) => [scenario, ANYTHING] as const),
    ...DRAWN_LITTLE.map((scenario) => [scenario, LITTLE] as const),
    ...DRAWN_BOARD.map((scenario) => [scenario, BOARD] as const),
  ];

  it('offers only what is simpler and supported', () => {
    for (const [scenario, support] of small) {
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

  it('leaves every start within 32 bits', () => {
    const operation = parseOperation('vfio.setIrqs MSIX EVENTFD|TRIGGER 4294967295+4 [e0 e0 e0 e0]');
    const scenario = {
      config: { ...DYNAMIC, devices: [{ msixVectors: 1, whileOff: 'latches' } as const] },
      operations: [operation],
    };
    const starts = [...shrinkScenario(scenario, ANYTHING)].flatMap(({ scenario: { operations } }) =>
      operations.flatMap((simpler) => (simpler.kind === 'vfio.setIrqs' ? simpler.start : [])),
    );
    expect(Math.max(...starts)).toBe(0xffffffff);
  });

  it('ends at nothing on the smallest machine when everything fails', () => {
    for (const [drawn, support] of small) {
      let scenario = drawn;
      let steps = 0;
      for (let next = firstOf(scenario, support); next !== undefined; next = firstOf(scenario, support)) {
        scenario = next;
        steps++;
      }
      expect(scenario.operations).toEqual([]);
      expect(scenario.config.interruptRemapping).toBeUndefined();
      expect(scenario.config.devices).toEqual([{ msixVectors: support === ANYTHING ? 1 : 4, whileOff: 'latches' }]);
      expect(steps).toBeLessThan(200);
    }
  });

  it('speaks of MSI-X only where there is some', () => {
    const withoutMsix = DRAWN_BOARD.filter(({ config }) => config.devices.every((of) => of.msixVectors === 0));
    expect(withoutMsix.length).toBeGreaterThan(3);
    const count = (one: Scenario): number => setsOf(one).filter((of) => of.index === VFIO_PCI_MSIX_IRQ_INDEX).length;
    for (const scenario of withoutMsix) {
      for (const { scenario: simpler } of shrinkScenario(scenario, { ...BOARD, functions: scenario.config.devices })) {
        expect(count(simpler)).toBeLessThanOrEqual(count(scenario));
      }
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
  /** The functions, of which one with MSI-X alone is told by its size; then the operations. */
  readonly minimum: readonly string[];
}

/** The last vector of the table is given a second eventfd. */
function changesLast(one: Scenario): boolean {
  return meets(one, (of, _end, before) => {
    if (!isArming(of, one) || of.start + of.count !== tableOf(one, of)) return false;
    const name = of.data.at(-1);
    return before.some(
      (earlier) => isLastOfTable(earlier, one) && isEventfdName(name ?? -1) && earlier.data.at(-1) !== name,
    );
  });
}

function isLastOfTable(operation: Operation, one: Scenario): operation is VfioSetIrqs {
  return (
    isArming(operation, one) &&
    operation.start + operation.count === tableOf(one, operation) &&
    isEventfdName(operation.data.at(-1) ?? -1)
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
const ARM_MSI = 'vfio.setIrqs MSI EVENTFD|TRIGGER';
const ARM_INTX = 'vfio.setIrqs INTX EVENTFD|TRIGGER 0+1 [e0]';
const ATTACH = 'vfio.setIrqs INTX EVENTFD|UNMASK 0+1 [e100]';
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
    fails: (one) =>
      setsOf(one).some((of) => dataElementBytes(of.flags) === 4 && of.unreadable === undefined && promisesTooMuch(of)),
    minimum: ['1', `${ARM} 0+1 [] argsz=24`],
  },
  {
    what: 'an unmask eventfd written to',
    support: ANYTHING,
    fails: (one) => writesUnmasker(one, []),
    minimum: ['1', ATTACH, 'vfio.writeEventfd e100'],
  },
  {
    what: 'a trigger, and an unmask eventfd closed and written to',
    support: ANYTHING,
    fails: ({ config, operations }) =>
      operations.some(
        (of, place) =>
          armsIntx(of) && writesUnmasker({ config, operations: operations.slice(place) }, ['vfio.closeEventfd']),
      ),
    minimum: ['1', ARM_INTX, ATTACH, 'vfio.closeEventfd e100', 'vfio.writeEventfd e100'],
  },
  {
    what: 'an interrupt of a pin',
    support: ANYTHING,
    fails: (one) => tells(one, armsIntx, isKind('device.assertIntx')),
    minimum: ['{"intx":true,"msixVectors":0}', ARM_INTX, 'device.assertIntx'],
  },
  {
    what: 'an interrupt of a pin, on given devices',
    support: BOARD,
    fails: (one) => tells(one, armsIntx, isKind('device.assertIntx')),
    minimum: [describeFunction(EDU), ARM_INTX, 'device.assertIntx'],
  },
  {
    what: 'a range of MSI vectors crossing the end',
    support: ANYTHING,
    fails: crossesMsi,
    minimum: ['{"msiVectors":2,"msixVectors":0}', `${ARM_MSI} 0+1 [e0]`, `${ARM_MSI} 0+2 [e0 e0]`],
  },
  {
    what: 'a range of MSI vectors crossing the end, on given devices',
    support: BOARD,
    fails: crossesMsi,
    minimum: [describeFunction(XHCI), `${ARM_MSI} 0+1 [e0]`, `${ARM_MSI} 0+2 [e0 e0]`],
  },
  {
    what: 'a device asleep',
    support: ANYTHING,
    fails: (one) =>
      one.config.devices.some((of) => of.powerManagement) && tells(one, sleeps, (of) => isArming(of, one)),
    minimum: ['{"msixVectors":1,"powerManagement":true}', 'vfio.configWrite power 3', `${ARM} 0+1 [e0]`],
  },
  {
    what: 'a closed device that is mapped',
    support: ANYTHING,
    fails: (one) => tells(one, isKind('vfio.mapBar'), isKind('vfio.close'), isKind('vfio.unmapBar')),
    minimum: ['1', 'vfio.mapBar', 'vfio.close', 'vfio.unmapBar'],
  },
  {
    what: 'a mask bit written and read',
    support: BOARD,
    fails: ({ operations }) =>
      operations.some(
        (of, place) => of.kind === 'vfio.tableWrite' && of.value % 2 === 1 && isReadLater(operations, place),
      ),
    minimum: ['4', 'vfio.tableWrite 0 1', 'vfio.tableRead 0'],
  },
  {
    what: 'a second allocation that fails',
    support: ANYTHING,
    fails: (one) =>
      tells(
        one,
        (of) => of.kind === 'host.failAllocation' && of.nth > 1,
        (of) => isArming(of, one) && of.count > 1,
      ),
    minimum: ['2', 'host.failAllocation 2', `${ARM} 0+2 [e0 e0]`],
  },
  {
    what: 'a machine without remapping',
    support: ANYTHING,
    fails: ({ config, operations }) =>
      config.interruptRemapping === false &&
      operations.some((of) => armsMsi(of) && of.count === config.devices[of.device]?.msiVectors && of.count > 1),
    minimum: ['{"msiVectors":2,"msixVectors":0}', `${ARM_MSI} 0+2 [e0 e0]`],
  },
];

function isKind(kind: Operation['kind']): (of: Operation) => boolean {
  return (of) => of.kind === kind;
}

function sleeps(of: Operation): boolean {
  return of.kind === 'vfio.configWrite' && of.field === 'power' && of.value === 3;
}

function armsIntx(of: Operation): boolean {
  return of.kind === 'vfio.setIrqs' && of.index === 0 && of.flags === TRIGGER_EVENTFD && of.data.some(isEventfdName);
}

function armsMsi(of: Operation): of is VfioSetIrqs {
  return (
    of.kind === 'vfio.setIrqs' &&
    of.index === 1 &&
    of.flags === TRIGGER_EVENTFD &&
    of.count > 0 &&
    of.data.every(isEventfdName)
  );
}

/** A range of MSI vectors, and later one that begins in it and ends above it. */
function crossesMsi({ config, operations }: Scenario): boolean {
  return config.devices.some(({ msiVectors = 0 }, device) => {
    const ranges = operations.filter(armsMsi).filter((of) => of.device === device && of.start + of.count <= msiVectors);
    return ranges.some((of, place) => ranges.slice(0, place).some((by) => crosses(of, by.start + by.count)));
  });
}

/** An unmask eventfd is attached, and these are done to it in this order, the last of them a write. */
function writesUnmasker({ operations }: Scenario, before: readonly Operation['kind'][]): boolean {
  return operations.some((of, place) => {
    if (of.kind !== 'vfio.setIrqs' || of.index !== 0 || of.flags !== UNMASK_EVENTFD) return false;
    let left = [...before, 'vfio.writeEventfd'];
    for (const by of operations.slice(place)) {
      if ('eventfd' in by && by.kind === left[0] && of.data.includes(by.eventfd)) left = left.slice(1);
    }
    return left.length === 0;
  });
}

function isReadLater(operations: readonly Operation[], place: number): boolean {
  const written = operations[place];
  return operations.slice(place).some((of) => {
    if (of.kind !== 'vfio.tableRead' || written?.kind !== 'vfio.tableWrite') return false;
    return of.vector === written.vector && of.device === written.device;
  });
}

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

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[numbers.length >> 1] ?? 0;
}

describe('shrinking with fast-check', () => {
  it.each(PLANTED)('finds the minimum of: $what', (planted) => {
    const shrunk = Array.from({ length: 100 }, (_, seed) =>
      shrinkPlanted(planted.support, DYNAMIC, planted.fails, seed),
    );
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
