import { describe, expect, it } from 'vitest';
import type { Operation, PciFunction, Scenario, VfioSetIrqs } from '#vocabulary';
import { CONFIG_FIELDS, isEventfdName, parseOperation } from '#vocabulary';
import { ANYTHING, BOARD, DYNAMIC, firstBad, sample, setsOf, tells } from './drawn.fixture.ts';
import {
  MASK_EVENTFD,
  MASK_NONE,
  TRIGGER_EVENTFD,
  TRIGGER_NONE,
  UNMASK_BOOL,
  UNMASK_EVENTFD,
  UNMASK_NONE,
} from './flags.ts';
import { isDisable } from './memory.ts';
import { isUnmaskName } from './names.ts';

const SCENARIOS = 2000;
const DRAWN = sample(ANYTHING, DYNAMIC, SCENARIOS);
const DRAWN_BOARD = sample(BOARD, DYNAMIC, SCENARIOS);

const [INTX, MSI, MSIX, ERR] = [0, 1, 2, 3];

type Look = (of: Operation) => boolean;

function sets(index: number | undefined, flags: number, more: (of: VfioSetIrqs) => boolean = () => true): Look {
  return (of) => of.kind === 'vfio.setIrqs' && of.index === index && of.flags === flags && more(of);
}

/** A trigger for all of it, and nothing wrong. */
function arms(index: number | undefined): Look {
  return sets(
    index,
    TRIGGER_EVENTFD,
    (of) => of.count > 0 && of.data.length === of.count && of.data.every(isEventfdName),
  );
}

function disables(index: number | undefined): Look {
  return (of) => of.kind === 'vfio.setIrqs' && isDisable(of) && of.index === index;
}

/** Written as this line, on whichever device. */
function does(line: string): Look {
  const { device: _one, ...wanted } = { device: 0, ...parseOperation(line) };
  return (of) => {
    const { device: _other, ...got } = { device: 0, ...of };
    return JSON.stringify(got) === JSON.stringify(wanted);
  };
}

function isKind(kind: Operation['kind']): Look {
  return (of) => of.kind === kind;
}

function told(...looks: readonly Look[]): (one: Scenario) => boolean {
  return (one) => tells(one, ...looks);
}

function asks(look: (of: VfioSetIrqs) => boolean): (one: Scenario) => boolean {
  return (one) => setsOf(one).some(look);
}

function hasFunction(look: (pciFunction: PciFunction) => boolean): (one: Scenario) => boolean {
  return ({ config }) => config.devices.some(look);
}

/** A range of MSI vectors that begins below what was armed before and ends above it. */
function crossesMsi({ config, operations }: Scenario): boolean {
  return config.devices.some(({ msiVectors = 0 }, device) => {
    let end = 0;
    return operations.some((of) => {
      if (of.kind !== 'vfio.setIrqs' || of.device !== device || !arms(MSI)(of)) return false;
      const past = of.start + of.count;
      const crosses = end > 0 && of.start < end && past > end && past <= msiVectors;
      if (past <= msiVectors) end = Math.max(end, past);
      return crosses;
    });
  });
}

/** An eventfd attached to unmask INTx is written to, or closed, later on. */
function comesBack(kind: 'vfio.writeEventfd' | 'vfio.closeEventfd'): (one: Scenario) => boolean {
  return ({ operations }) =>
    operations.some((of, place) => {
      if (of.kind !== 'vfio.setIrqs' || !sets(INTX, UNMASK_EVENTFD)(of)) return false;
      return operations.slice(place).some((by) => by.kind === kind && of.data.includes(by.eventfd));
    });
}

const raises = isKind('device.raise');
const asserts = isKind('device.assertIntx');

/** Shapes by name, how many of 2,000 scenarios have them at least (about 3/4 of what was seen), how to see them. */
const SHAPES: readonly (readonly [string, number, (one: Scenario) => boolean])[] = [
  ['MSI-X and nothing else', 840, hasFunction((of) => Object.keys(of).length === 2)],
  ['MSI of 1 vector', 170, hasFunction((of) => of.msiVectors === 1)],
  ['MSI of several vectors', 320, hasFunction((of) => (of.msiVectors ?? 0) > 1)],
  ['MSI of 32 vectors', 65, hasFunction((of) => of.msiVectors === 32)],
  ['INTx alone', 150, hasFunction((of) => of.intx === true && of.msixVectors + (of.msiVectors ?? 0) === 0)],
  [
    'MSI-X, MSI and INTx',
    150,
    hasFunction((of) => of.intx === true && of.msixVectors > 0 && of.msiVectors !== undefined),
  ],
  ['a silent function', 50, hasFunction((of) => of.silent === true)],
  [
    'no interrupt remapping, MSI of several vectors',
    25,
    (one) => one.config.interruptRemapping === false && hasFunction((of) => (of.msiVectors ?? 0) > 1)(one),
  ],
  ['a range of MSI vectors crossing the end', 95, crossesMsi],
  ['MSI, a bad descriptor above 0', 45, asks((of) => sets(MSI, TRIGGER_EVENTFD)(of) && firstBad(of) > 0)],
  [
    'MSI without a trigger, raise, again',
    35,
    told(
      sets(MSI, TRIGGER_EVENTFD, (of) => of.data[0] === -1),
      raises,
      arms(MSI),
    ),
  ],
  [
    'MSI: armed, turned off, raise, on, raise',
    8,
    told(arms(MSI), does('vfio.configWrite msiEnable 0'), raises, does('vfio.configWrite msiEnable 1'), raises),
  ],
  ['INTx: a trigger', 610, asks(arms(INTX))],
  ['INTx: no trigger', 210, asks(sets(INTX, TRIGGER_EVENTFD, (of) => of.data[0] === -1))],
  ['INTx: below -1', 35, asks(sets(INTX, TRIGGER_EVENTFD, (of) => of.data[0] === -2))],
  [
    'INTx: a bad swap',
    40,
    told(
      arms(INTX),
      sets(INTX, TRIGGER_EVENTFD, (of) => firstBad(of) === 0),
    ),
  ],
  ['INTx: start 1', 120, asks((of) => of.index === INTX && of.start === 1)],
  ['INTx: count 2', 150, asks((of) => of.index === INTX && of.count === 2)],
  ['INTx: UNMASK with BOOL 0', 95, asks(sets(INTX, UNMASK_BOOL, (of) => of.data[0] === 0))],
  ['INTx: MASK with an eventfd', 50, asks(sets(INTX, MASK_EVENTFD))],
  ['INTx: UNMASK with a bad descriptor', 60, asks(sets(INTX, UNMASK_EVENTFD, (of) => firstBad(of) === 0))],
  ['INTx: armed, asserted, unmasked', 95, told(arms(INTX), asserts, sets(INTX, UNMASK_NONE))],
  ['INTx: armed, masked, asserted', 35, told(arms(INTX), sets(INTX, MASK_NONE), asserts)],
  ['INTx: asserted, swapped', 110, told(arms(INTX), asserts, arms(INTX))],
  ['INTx: armed, DisINTx, asserted', 25, told(arms(INTX), does('vfio.configWrite intxDisable 1'), asserts)],
  [
    'INTx: asserted, DisINTx, and back',
    35,
    told(asserts, does('vfio.configWrite intxDisable 1'), does('vfio.configWrite intxDisable 0')),
  ],
  ['INTx: asserted, deasserted, unmasked', 75, told(asserts, isKind('device.deassertIntx'), sets(INTX, UNMASK_NONE))],
  ['INTx: attached twice', 140, told(sets(INTX, UNMASK_EVENTFD), sets(INTX, UNMASK_EVENTFD))],
  ['INTx: an unmask eventfd written to', 150, comesBack('vfio.writeEventfd')],
  ['INTx: an unmask eventfd closed', 40, comesBack('vfio.closeEventfd')],
  [
    'INTx: attached while asserted, written to',
    20,
    told(arms(INTX), asserts, sets(INTX, UNMASK_EVENTFD), isKind('vfio.writeEventfd')),
  ],
  ['the ERR trigger', 80, asks(arms(ERR))],
  ['MSI-X on, another refused, off, the other on', 13, (one) => switches(one, MSIX, MSI) || switches(one, MSIX, INTX)],
  ['MSI on, INTx refused, off, INTx on', 16, (one) => switches(one, MSI, INTX)],
  ['INTx on, MSI refused, off, MSI on', 20, (one) => switches(one, INTX, MSI)],
  [
    'asleep, armed, awake, armed',
    9,
    told(does('vfio.configWrite power 3'), arms(MSIX), does('vfio.configWrite power 0'), arms(MSIX)),
  ],
  [
    'no bus master, raise, bus master',
    60,
    told(does('vfio.configWrite busMaster 0'), raises, does('vfio.configWrite busMaster 1')),
  ],
  [
    'mapped, closed, raise or assert, unmapped',
    5,
    told(isKind('vfio.mapBar'), isKind('vfio.close'), (of) => raises(of) || asserts(of), isKind('vfio.unmapBar')),
  ],
  ['armed, reset, raise', 40, told(arms(MSIX), isKind('vfio.reset'), raises)],
  ['armed, wiped, raise, armed', 40, told(arms(MSIX), isKind('device.wipe'), raises, arms(MSIX))],
  [
    'an allocation that fails, armed',
    110,
    told(isKind('host.failAllocation'), (of) => arms(MSIX)(of) || arms(MSI)(of)),
  ],
  ['a limit, MSI armed', 30, told(isKind('host.limitVectors'), arms(MSI))],
  ['a table entry written and read', 45, told(isKind('vfio.tableWrite'), isKind('vfio.tableRead'))],
  ['a table entry beyond the table', 15, beyondTable],
];

/** One type on, another asked for in vain, the first turned off, the other on. */
function switches(one: Scenario, first: number | undefined, second: number | undefined): boolean {
  return tells(one, arms(first), arms(second), disables(first), arms(second));
}

function beyondTable({ config, operations }: Scenario): boolean {
  return operations.some(
    (of) => of.kind === 'vfio.tableRead' && of.vector >= (config.devices[of.device]?.msixVectors ?? 0),
  );
}

describe('how often the rest of the interface is drawn', () => {
  it.each(SHAPES)('%s: in %i of 2,000 scenarios at least', (_name, least, has) => {
    expect(DRAWN.filter(has).length).toBeGreaterThanOrEqual(least);
  });

  it.each(CONFIG_FIELDS)('%s: read, and written with two values', (field) => {
    const operations = DRAWN.flatMap((scenario) => scenario.operations);
    const values = operations.flatMap((of) => (of.kind === 'vfio.configWrite' && of.field === field ? [of.value] : []));
    expect(new Set(values).size).toBe(field === 'msixControl' ? 4 : 2);
    expect(values.length).toBeGreaterThan(100);
    expect(operations.some((of) => of.kind === 'vfio.configRead' && of.field === field)).toBe(true);
    // Mostly of a function that has it, and sometimes of another.
    const lacking = DRAWN.filter(({ config, operations: all }) =>
      all.some(
        (of) => of.kind === 'vfio.configWrite' && of.field === field && !hasField(config.devices[of.device], field),
      ),
    ).length;
    if (field === 'power' || field === 'msiEnable' || field === 'msixControl') {
      expect(lacking).toBeGreaterThan(0);
      expect(lacking).toBeLessThan(100);
    }
  });

  it('a device that is put to sleep is mostly woken soon', () => {
    let [asleep, operations] = [0, 0];
    for (const one of DRAWN) {
      for (const [device] of one.config.devices.entries()) {
        let sleeps = false;
        for (const of of one.operations) {
          if (!('device' in of) || of.device !== device) continue;
          if (of.kind === 'vfio.configWrite' && of.field === 'power') sleeps = of.value === 3;
          operations++;
          if (sleeps) asleep++;
        }
      }
    }
    expect(asleep / operations).toBeGreaterThan(0.005);
    expect(asleep / operations).toBeLessThan(0.05);
  });

  it('unmask eventfds have names of their own', () => {
    const names = new Set(
      [...DRAWN, ...DRAWN_BOARD].flatMap((one) => setsOf(one).flatMap(({ data }) => data.filter(isEventfdName))),
    );
    expect([...names].filter(isUnmaskName).sort()).toEqual(['e100', 'e101', 'e102']);
    expect([...names].filter((name) => !isUnmaskName(name)).sort()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5']);
  });

  it('a machine without remapping: for several MSI vectors far more often than for one, and never for none', () => {
    const share = (drawn: readonly Scenario[]): number =>
      drawn.filter(({ config }) => config.interruptRemapping === false).length / drawn.length;
    const most = ({ config }: Scenario): number => Math.max(...config.devices.map((of) => of.msiVectors ?? 0));
    expect(share(DRAWN.filter((one) => most(one) > 1))).toBeCloseTo(1 / 12, 1);
    expect(share(DRAWN.filter((one) => most(one) > 1))).toBeGreaterThan(0.05);
    expect(share([...DRAWN, ...DRAWN_BOARD].filter((one) => most(one) === 1))).toBeLessThan(0.05);
    expect(share([...DRAWN, ...DRAWN_BOARD].filter((one) => most(one) === 1))).toBeGreaterThan(0);
    expect(share(DRAWN.filter((one) => most(one) === 0))).toBe(0);
  });

  it('a silent function is asked of all that it has', () => {
    const silent = DRAWN_BOARD.filter(({ config }) => config.devices.every((of) => of.silent === true));
    for (const look of [arms(MSIX), arms(MSI), arms(INTX), sets(MSIX, TRIGGER_NONE), sets(INTX, UNMASK_EVENTFD)]) {
      expect(silent.filter(told(look)).length).toBeGreaterThan(5);
    }
  });
});

function hasField(pciFunction: PciFunction | undefined, field: string): boolean {
  if (field === 'power') return pciFunction?.powerManagement === true;
  if (field === 'msiEnable') return pciFunction?.msiVectors !== undefined;
  return (pciFunction?.msixVectors ?? 0) > 0;
}
