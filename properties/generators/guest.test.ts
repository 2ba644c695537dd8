import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation, Scenario, Window } from '#vocabulary';
import { firstMessage, isAskable, OPERATION_KINDS, parseOperation, printOperation, WINDOWS } from '#vocabulary';
import { ANYTHING, BOARD, DYNAMIC, SEED, sample } from './drawn.fixture.ts';
import type { Look } from './guest-drawn.fixture.ts';
import {
  BOX,
  controlOf,
  GUEST,
  maskBitOf,
  meetsGuest,
  misfits,
  PLATFORMS,
  setsMaximum,
} from './guest-drawn.fixture.ts';
import { GUEST_OPERATIONS_MAX, GUEST_OPERATIONS_MAX_LONG, GUEST_OPERATIONS_MIN } from './guest-scenario.ts';
import { scenarios } from './scenario.ts';

const SCENARIOS = 1000;
const DRAWN = sample(ANYTHING, GUEST, SCENARIOS);
const DRAWN_BOX = sample(BOX, GUEST, 300);

describe('what is drawn of a guest', () => {
  it('has the lengths it promises', () => {
    const lengths = DRAWN.map(({ operations }) => operations.length);
    expect(Math.min(...lengths)).toBe(GUEST_OPERATIONS_MIN);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(GUEST_OPERATIONS_MAX_LONG);
    const long = lengths.filter((length) => length > GUEST_OPERATIONS_MAX).length;
    expect(long / SCENARIOS).toBeGreaterThan(0.02);
    expect(long / SCENARIOS).toBeLessThan(0.08);
    for (const lengthMax of [1, 3, 12]) {
      const short = sample(ANYTHING, GUEST, 200, lengthMax).map(({ operations }) => operations.length);
      expect(Math.max(...short)).toBe(lengthMax);
      expect(Math.min(...short)).toBe(Math.min(lengthMax, GUEST_OPERATIONS_MIN));
    }
  });

  it.each(PLATFORMS)('can be asked, and is in range: $vmm, dynamic $host.dynamicMsix', (platform) => {
    const drawn = sample(ANYTHING, platform, 300);
    expect(drawn.flatMap(misfits)).toEqual([]);
    expect(drawn.every(({ config }) => config.vmm === platform.vmm && config.host === platform.host)).toBe(true);
    // What is asked does not depend on who is to answer.
    expect(drawn.map(({ operations }) => operations)).toEqual(DRAWN.slice(0, 300).map(({ operations }) => operations));
  });

  it('is nothing that is not supported', () => {
    expect(DRAWN_BOX.flatMap(misfits)).toEqual([]);
    const kinds = new Set(DRAWN_BOX.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
    expect(kinds).toEqual(BOX.operations);
    const sizes = new Set(DRAWN_BOX.flatMap(({ config }) => config.devices.map(({ msixVectors }) => msixVectors)));
    expect(sizes).toEqual(new Set([8, 64]));
  });

  it('is a scenario without a guest where there can be none', () => {
    expect(sample(BOARD, GUEST, 50)).toEqual(sample(BOARD, { host: GUEST.host }, 50));
    expect(sample(BOARD, GUEST, 50).every(({ config }) => !('vmm' in config))).toBe(true);
  });

  it('has no windows but its own where there is no VMM', () => {
    const arms = sample(ANYTHING, DYNAMIC, 300).flatMap(({ operations }) =>
      operations.flatMap((of) => (of.kind === 'device.arm' ? of.window : [])),
    );
    expect(new Set(arms)).toEqual(new Set(['teardown-gap']));
  });

  it('is the same for the same seed, and can be written down and read back', () => {
    expect(sample(ANYTHING, GUEST, 100)).toEqual(DRAWN.slice(0, 100));
    expect(fc.sample(scenarios(ANYTHING, GUEST), { numRuns: 100, seed: SEED + 1 })).not.toEqual(DRAWN.slice(0, 100));
    const operations = DRAWN.slice(0, 300).flatMap((scenario) => scenario.operations);
    expect(operations.map((operation) => parseOperation(printOperation(operation)))).toEqual(operations);
  });
});

function has(look: (of: Operation) => boolean): (scenario: Scenario) => boolean {
  return ({ operations }) => operations.some(look);
}

function sees(look: Look): (scenario: Scenario) => boolean {
  return (scenario) => meetsGuest(scenario, look);
}

function hasTable(look: (msixVectors: number) => boolean): (scenario: Scenario) => boolean {
  return ({ config }) => config.devices.some(({ msixVectors }) => look(msixVectors));
}

/** The last so many vectors used, each compared with the one before it. */
function grows(count: number, isNext: (before: number, after: number) => boolean): (scenario: Scenario) => boolean {
  return sees((_, { used }) => {
    const last = used.slice(-count);
    return last.length === count && last.every((vector, at) => at === 0 || isNext(last[at - 1] as number, vector));
  });
}

/** An armed device, and directly after it what is to open the window. */
function opens(window: Window | undefined, look: Look): (scenario: Scenario) => boolean {
  return sees((of, seen) => {
    const arm = seen.before.at(-1);
    return arm?.kind === 'device.arm' && (window === undefined || arm.window === window) && look(of, seen);
  });
}

const isRaise: Look = (of) => of.kind === 'device.raise';
const isHeard: Look = (of, { enabled, functionMask, unmasked }) =>
  isRaise(of, NOTHING) && enabled && !functionMask && 'vector' in of && unmasked.has(of.vector);
const turnsOff: Look = (of, { enabled }) => enabled && controlOf(of)?.enable === false;
const turnsOn: Look = (of, { enabled }) => !enabled && controlOf(of)?.enable === true;
const masks: Look = (of, { enabled, unmasked }) =>
  enabled && maskBitOf(of) === 1 && 'vector' in of && unmasked.has(of.vector);
const writesMessage: Look = (of) =>
  of.kind === 'guest.tableWrite' && of.offset % 4 === 0 && of.offset < 12 && of.width > 2;

const NOTHING = {
  ...{ size: 0, enabled: false, functionMask: false, busMaster: true, top: 0 },
  ...{ unmasked: new Set<number>(), used: [], waiting: new Set<number>(), before: [] },
};

/** Whether the vector's message was written since, and it was raised then. */
function isRewritten(before: readonly Operation[], vector: number): boolean {
  return before.some((of) => writesMessage(of, NOTHING) && 'vector' in of && of.vector === vector);
}

function isHost(of: Operation): boolean {
  return of.kind.startsWith('host.');
}

function follows(before: readonly Operation[], ...kinds: readonly Operation['kind'][]): boolean {
  let told = 0;
  for (const { kind } of before) if (kind === kinds[told]) told++;
  return told === kinds.length;
}

/** Shapes by name, how many of 1,000 scenarios have them at least (about 2/3 of what was seen), how to see them. */
const SHAPES: readonly (readonly [string, number, (scenario: Scenario) => boolean])[] = [
  ['a table of 2 to 10', 550, hasTable((size) => size >= 2 && size <= 10)],
  ['a table of 31, 32 or 33', 40, hasTable((size) => size >= 31 && size <= 33)],
  ['a table of 64 or more', 70, hasTable((size) => size >= 64)],
  ['a table of 2048', 12, hasTable((size) => size === 2048)],
  ['no table', 7, hasTable((size) => size === 0)],
  ['a pin', 430, ({ config }) => config.devices.some(({ intx }) => intx)],
  ['no pin', 300, ({ config }) => config.devices.some(({ intx }) => !intx)],
  ['a reset of its own', 380, ({ config }) => config.devices.some(({ reset }) => reset)],
  ['a function that drops', 360, ({ config }) => config.devices.some(({ whileOff }) => whileOff === 'drops')],
  [
    'two devices, both used',
    90,
    ({ operations }) => new Set(operations.flatMap((of) => ('device' in of ? of.device : []))).size > 1,
  ],
  ['growth, ascending by one', 100, grows(3, (before, after) => after === before + 1)],
  ['growth, ascending with gaps', 90, grows(3, (before, after) => after > before + 1)],
  ['growth, descending', 160, grows(3, (before, after) => after < before)],
  ['growth, down and up', 390, grows(2, (before, after) => after > before + 1)],
  [
    'three new maxima',
    260,
    sees((_, { used }) => used.filter((vector, at) => vector >= Math.max(0, ...used.slice(0, at + 1))).length > 2),
  ],
  [
    'a batch',
    400,
    sees((of, seen) => turnsOn(of, seen) && controlOf(of)?.functionMask === false && seen.unmasked.size > 1),
  ],
  [
    'a batch with a hole',
    390,
    sees(
      (of, seen) =>
        turnsOn(of, seen) &&
        controlOf(of)?.functionMask === false &&
        seen.unmasked.size > 0 &&
        Math.max(...seen.unmasked) >= seen.unmasked.size,
    ),
  ],
  ['nothing unmasked at the enable', 510, sees((of, seen) => turnsOn(of, seen) && seen.unmasked.size === 0)],
  [
    'Function Mask set over unmasked entries',
    170,
    sees(
      (of, seen) =>
        seen.enabled &&
        !seen.functionMask &&
        controlOf(of)?.functionMask === true &&
        controlOf(of)?.enable === true &&
        seen.unmasked.size > 0,
    ),
  ],
  [
    'Function Mask cleared over unmasked entries',
    210,
    sees(
      (of, seen) =>
        seen.functionMask &&
        controlOf(of)?.functionMask === false &&
        controlOf(of)?.enable === true &&
        seen.unmasked.size > 0,
    ),
  ],
  [
    'Function Mask cleared over new vectors',
    100,
    sees(
      (of, seen) =>
        seen.functionMask &&
        controlOf(of)?.functionMask === false &&
        controlOf(of)?.enable === true &&
        [...seen.unmasked].filter((v) => !seen.used.includes(v)).length > 1,
    ),
  ],
  [
    'a vector unmasked under Function Mask',
    220,
    sees((of, seen) => seen.enabled && seen.functionMask && maskBitOf(of) === 0),
  ],
  ['an event of a vector that is heard', 590, sees(isHeard)],
  [
    'an event of a masked vector, then unmasked',
    220,
    sees(
      (of, seen) =>
        seen.enabled && !seen.functionMask && maskBitOf(of) === 0 && 'vector' in of && seen.waiting.has(of.vector),
    ),
  ],
  [
    'an event of a masked vector that was used',
    180,
    sees(
      (of, seen) =>
        isRaise(of, seen) &&
        seen.enabled &&
        'vector' in of &&
        seen.used.includes(of.vector) &&
        !seen.unmasked.has(of.vector),
    ),
  ],
  ['an event under Function Mask', 180, sees((of, seen) => isRaise(of, seen) && seen.functionMask)],
  ['an event while off', 300, sees((of, seen) => isRaise(of, seen) && !seen.enabled)],
  ['an event without bus master', 140, sees((of, seen) => isHeard(of, seen) && !seen.busMaster)],
  [
    'a vector unmasked without bus master',
    160,
    sees((of, seen) => seen.enabled && maskBitOf(of) === 0 && !seen.busMaster),
  ],
  [
    'an event after a reset',
    30,
    sees((of, seen) => isHeard(of, seen) && follows(seen.before, 'guest.reset', 'guest.busMaster')),
  ],
  [
    'a message while masked, then an event',
    80,
    sees(
      (of, seen) =>
        isHeard(of, seen) &&
        seen.before
          .slice(-5)
          .some(
            (by, at, last) =>
              writesMessage(by, seen) &&
              'vector' in by &&
              'vector' in of &&
              by.vector === of.vector &&
              last.slice(at).some((un) => maskBitOf(un) === 0 && 'vector' in un && un.vector === of.vector),
          ),
    ),
  ],
  [
    'a message while unmasked, then an event',
    100,
    sees((of, seen) => isHeard(of, seen) && 'vector' in of && isRewritten(seen.before.slice(-3), of.vector)),
  ],
  [
    'two vectors of one message',
    30,
    has(
      (of) =>
        of.kind === 'guest.tableWrite' &&
        of.offset === 0 &&
        [1, 2, 3, -1, -2, -3].some((by) => of.value === firstMessage(of.device, of.vector + by).address),
    ),
  ],
  [
    'mask and unmask',
    280,
    sees(
      (of, seen) =>
        maskBitOf(of) === 0 && 'vector' in of && seen.used.includes(of.vector) && !seen.unmasked.has(of.vector),
    ),
  ],
  [
    'masked, off and on again',
    320,
    sees((of, seen) => turnsOn(of, seen) && seen.before.some((by) => maskBitOf(by) === 1)),
  ],
  [
    'off and on again over unmasked entries',
    400,
    sees(
      (of, seen) =>
        turnsOn(of, seen) && seen.unmasked.size > 0 && seen.before.some((by) => controlOf(by)?.enable === true),
    ),
  ],
  [
    'an event between off and on',
    100,
    sees(
      (of, seen) =>
        turnsOn(of, seen) &&
        seen.before
          .slice(-3)
          .some(
            (by, at, last) =>
              by.kind === 'device.raise' && last.slice(0, at).some((off) => controlOf(off)?.enable === false),
          ),
    ),
  ],
  ...WINDOWS.map((window) => [`armed for ${window}, a new maximum`, 20, opens(window, setsMaximum)] as const),
  ...WINDOWS.map((window) => [`armed for ${window}, off`, 6, opens(window, turnsOff)] as const),
  ...WINDOWS.map((window) => [`armed for ${window}, on`, 4, opens(window, turnsOn)] as const),
  ...WINDOWS.map((window) => [`armed for ${window}, a mask`, 7, opens(window, masks)] as const),
  [
    'armed for the gap with a used vector, a new maximum',
    20,
    opens('teardown-gap', (of, seen) => {
      const arm = seen.before.at(-1);
      return setsMaximum(of, seen) && arm?.kind === 'device.arm' && seen.unmasked.has(arm.vector);
    }),
  ],
  [
    'armed, Function Mask cleared',
    30,
    opens(undefined, (of, seen) => seen.functionMask && controlOf(of)?.functionMask === false),
  ],
  ['armed, a reset', 30, opens(undefined, (of) => of.kind === 'guest.reset')],
  ['armed twice', 80, opens(undefined, (of) => of.kind === 'device.arm')],
  [
    'armed, nothing that opens a window',
    20,
    opens(undefined, (of) => of.kind === 'guest.tableRead' || of.kind === 'guest.readPba'),
  ],
  ['a limit of 0 to 3', 90, has((of) => of.kind === 'host.limitVectors' && of.count < 4)],
  [
    'a limit, and then a new maximum',
    20,
    sees(
      (of, seen) =>
        setsMaximum(of, seen) && seen.before.slice(-3).some((by) => by.kind === 'host.limitVectors' && by.count < 4),
    ),
  ],
  [
    'a failing allocation, and then a new maximum',
    20,
    sees((of, seen) => setsMaximum(of, seen) && seen.before.slice(-3).some((by) => by.kind === 'host.failAllocation')),
  ],
  ['no host operation', 650, ({ operations }) => !operations.some(isHost)],
  [
    'bus master off and on',
    60,
    sees((_, { before }) =>
      before.some(
        (of, at) =>
          of.kind === 'guest.busMaster' &&
          !of.enable &&
          before.slice(at).some((by) => by.kind === 'guest.busMaster' && by.enable),
      ),
    ),
  ],
  ['a reset with MSI-X on', 190, sees((of, { enabled }) => of.kind === 'guest.reset' && enabled)],
  ['a reset with MSI-X off', 40, sees((of, { enabled }) => of.kind === 'guest.reset' && !enabled)],
  [
    'a reset, a message, and on',
    70,
    sees((of, seen) => turnsOn(of, seen) && follows(seen.before, 'guest.reset', 'guest.tableWrite')),
  ],
  [
    'PBA read with a masked event',
    130,
    sees((of, { waiting }) => of.kind === 'guest.readPba' && waiting.has(of.vector)),
  ],
  ...[1, 2, 4, 8].map(
    (width) =>
      [`a table write of ${width}`, 30, has((of) => of.kind === 'guest.tableWrite' && of.width === width)] as const,
  ),
  [
    'a table write of 4 or 8 that is not aligned',
    40,
    has((of) => of.kind === 'guest.tableWrite' && of.width > 2 && of.offset % 4 > 0),
  ],
  ['a table write into the next entry', 20, has((of) => of.kind === 'guest.tableWrite' && of.offset + of.width > 16)],
  ['data and control in one', 150, has((of) => of.kind === 'guest.tableWrite' && of.width === 8 && of.offset === 8)],
  [
    '0xfffffffe in Vector Control',
    70,
    has((of) => of.kind === 'guest.tableWrite' && of.offset === 12 && of.value === 0xfffffffe),
  ],
  [
    '0xffffffff in Vector Control',
    30,
    has((of) => of.kind === 'guest.tableWrite' && of.offset === 12 && of.value === 0xffffffff),
  ],
  [
    'Vector Control read after odd bits',
    20,
    sees(
      (of, { before }) =>
        of.kind === 'guest.tableRead' &&
        of.offset === 12 &&
        before.some((by) => by.kind === 'guest.tableWrite' && by.vector === of.vector && by.value > 1),
    ),
  ],
  ...[1, 2, 4].map(
    (width) =>
      [
        `a configuration write of ${width}`,
        90,
        has((of) => of.kind === 'guest.configWrite' && of.width === width),
      ] as const,
  ),
  [
    'Message Control in some other way',
    230,
    has((of) => of.kind === 'guest.configWrite' && controlOf(of) !== undefined),
  ],
  ['a configuration write beside it', 70, has((of) => of.kind === 'guest.configWrite' && controlOf(of) === undefined)],
  [
    'a configuration write that leaves the capability',
    13,
    has((of) => of.kind === 'guest.configWrite' && of.offset + of.width > 12),
  ],
  ['a vector past the table', 100, sees((of, { size }) => 'vector' in of && of.vector >= size)],
];

describe('how often it is drawn', () => {
  it.each(SHAPES)('%s: in %i of 1,000 scenarios at least', (_name, least, shows) => {
    expect(DRAWN.filter(shows).length).toBeGreaterThanOrEqual(least);
  });

  it.each(OPERATION_KINDS.filter((kind) => isAskable(GUEST, kind)))('%s: in many, and off in others', (kind) => {
    const having = DRAWN.filter(has((of) => of.kind === kind)).length;
    expect(having).toBeGreaterThan(kind.startsWith('host.') ? 80 : 180);
    if (!['guest.msixControl', 'guest.unmask', 'device.raise'].includes(kind)) {
      expect(having).toBeLessThan(SCENARIOS * 0.9);
    }
  });
});
