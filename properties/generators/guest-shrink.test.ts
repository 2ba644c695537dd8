import { describe, expect, it } from 'vitest';
import type { Operation, Scenario, Support, Window } from '#vocabulary';
import { printOperation } from '#vocabulary';
import { ANYTHING, excesses, sample } from './drawn.fixture.ts';
import type { Look } from './guest-drawn.fixture.ts';
import { BOX, controlOf, GUEST, maskBitOf, meetsGuest, misfits, setsMaximum } from './guest-drawn.fixture.ts';
import { isSimpler, measure } from './measure.ts';
import { shrinkPlanted } from './planted.fixture.ts';
import { shrinkScenario } from './shrink.ts';
import { simplifyOperation } from './simplify.ts';

const DRAWN = sample(ANYTHING, GUEST, 120);
const DRAWN_BOX = sample(BOX, GUEST, 40);

function outside({ config, operations }: Scenario): number {
  return operations.filter((of) => 'vector' in of && of.vector >= (config.devices[of.device]?.msixVectors ?? 0)).length;
}

describe('shrinking a guest, step by step', () => {
  const drawn = [
    ...DRAWN.map((scenario) => [scenario, ANYTHING] as const),
    ...DRAWN_BOX.map((scenario) => [scenario, BOX] as const),
  ];

  it('offers only what is simpler, supported and askable, on the same platform', () => {
    for (const [scenario, support] of drawn) {
      const size = measure(scenario);
      let candidates = 0;
      for (const { scenario: simpler } of shrinkScenario(scenario, support)) {
        const wrong = [...misfits(simpler), ...excesses(simpler, support)];
        if (!isSimpler(measure(simpler), size)) wrong.push('no simpler');
        if (simpler.config.vmm !== scenario.config.vmm || simpler.config.host !== scenario.config.host) {
          wrong.push('another platform');
        }
        if (outside(simpler) > outside(scenario)) wrong.push('a smaller table than its vectors need');
        if (wrong.length > 0) expect.fail(`${wrong}: ${JSON.stringify(simpler)} of ${JSON.stringify(scenario)}`);
        candidates++;
      }
      expect(candidates).toBeGreaterThan(0);
    }
  });

  it('ends at nothing on the smallest machine when everything fails', () => {
    for (const [first, support] of drawn) {
      let scenario = first;
      for (let next = firstOf(scenario, support); next !== undefined; next = firstOf(scenario, support)) {
        scenario = next;
      }
      expect(scenario.operations).toEqual([]);
      expect(scenario.config.devices).toEqual([{ msixVectors: support === ANYTHING ? 1 : 8, whileOff: 'latches' }]);
    }
  });

  it.each<[Operation, string]>([
    [{ kind: 'guest.tableWrite', device: 0, vector: 2, offset: 12, width: 4, value: 0xfffffffe }, 'guest.unmask 2'],
    [{ kind: 'guest.tableWrite', device: 0, vector: 2, offset: 12, width: 4, value: 0 }, 'guest.unmask 2'],
    [{ kind: 'guest.tableWrite', device: 0, vector: 2, offset: 12, width: 4, value: 3 }, 'guest.mask 2'],
    [{ kind: 'guest.tableWrite', device: 0, vector: 2, offset: 8, width: 8, value: 7 }, 'guest.unmask 2'],
    [{ kind: 'guest.tableWrite', device: 0, vector: 2, offset: 8, width: 8, value: 7, high: 1 }, 'guest.mask 2'],
    [{ kind: 'guest.configWrite', device: 0, offset: 3, width: 1, value: 0x80 }, 'guest.msixControl enable'],
    [
      { kind: 'guest.configWrite', device: 0, offset: 1, width: 4, value: 0xc00000 },
      'guest.msixControl enable function-mask',
    ],
    [
      { kind: 'guest.configWrite', device: 0, offset: 0, width: 4, value: 0x40ffffff },
      'guest.msixControl disable function-mask',
    ],
    [{ kind: 'device.arm', device: 0, vector: 1, window: 'after-set' }, 'device.raise 1'],
  ])('knows a plain form of %j', (operation, plain) => {
    const devices = [{ msixVectors: 4, whileOff: 'latches' }] as const;
    const config = { ...GUEST, devices };
    const simpler = [...simplifyOperation(operation, devices, ANYTHING)].find((of) => printOperation(of) === plain);
    expect(simpler).toBeDefined();
    const isPlainer = isSimpler(
      measure({ config, operations: simpler === undefined ? [] : [simpler] }),
      measure({ config, operations: [operation] }),
    );
    expect(isPlainer).toBe(true);
  });
});

function firstOf(scenario: Scenario, support: Support): Scenario | undefined {
  for (const candidate of shrinkScenario(scenario, support)) return candidate.scenario;
  return undefined;
}

interface Planted {
  readonly what: string;
  readonly fails: (scenario: Scenario) => boolean;
  /** The functions, of which one with MSI-X alone is told by its size; then the operations. */
  readonly minimum: readonly string[];
}

function sees(look: Look): (scenario: Scenario) => boolean {
  return (scenario) => meetsGuest(scenario, look);
}

function isArmedFor(window: Window, of: Operation | undefined): of is Extract<Operation, { kind: 'device.arm' }> {
  return of?.kind === 'device.arm' && of.window === window;
}

const ENABLE = 'guest.msixControl enable';

const PLANTED: readonly Planted[] = [
  {
    what: 'an event in the gap of a growth',
    fails: sees((of, seen) => {
      const arm = seen.before.at(-1);
      return isArmedFor('teardown-gap', arm) && seen.unmasked.has(arm.vector) && setsMaximum(of, seen);
    }),
    minimum: ['2', ENABLE, 'guest.unmask 0', 'device.arm 0 teardown-gap', 'guest.unmask 1'],
  },
  {
    what: 'an event after the vectors are set',
    fails: sees((of, seen) => {
      const arm = seen.before.at(-1);
      return isArmedFor('after-set', arm) && setsMaximum(of, seen) && 'vector' in of && of.vector === arm.vector;
    }),
    minimum: ['1', ENABLE, 'device.arm 0 after-set', 'guest.unmask 0'],
  },
  {
    what: 'a vector below one that is used',
    fails: sees((of, seen) => maskBitOf(of) === 0 && 'vector' in of && of.vector < Math.max(...seen.used)),
    minimum: ['2', ENABLE, 'guest.unmask 1', 'guest.unmask 0'],
  },
  {
    what: 'a batch with a hole',
    fails: sees(
      (of, seen) => !seen.enabled && controlOf(of)?.enable === true && Math.max(...seen.unmasked) >= seen.unmasked.size,
    ),
    minimum: ['2', 'guest.unmask 1', ENABLE],
  },
  {
    what: 'an event that waits',
    fails: sees((of, seen) => seen.enabled && maskBitOf(of) === 0 && 'vector' in of && seen.waiting.has(of.vector)),
    minimum: ['1', ENABLE, 'device.raise 0', 'guest.unmask 0'],
  },
  {
    what: 'Function Mask cleared over a vector that is used',
    fails: sees((of, seen) => seen.functionMask && controlOf(of)?.functionMask === false && seen.used.length > 0),
    minimum: ['1', ENABLE, 'guest.unmask 0', `${ENABLE} function-mask`, ENABLE],
  },
  {
    what: 'a pending bit read in the second word',
    fails: sees((of, seen) => of.kind === 'guest.readPba' && of.vector > 31 && of.vector < seen.size),
    minimum: ['33', 'guest.readPba 32'],
  },
  {
    what: 'reserved bits that are read back',
    fails: sees(
      (of, { before }) =>
        of.kind === 'guest.tableRead' &&
        of.offset === 12 &&
        before.some(
          (by) =>
            maskBitOf(by) === 0 &&
            by.kind === 'guest.tableWrite' &&
            by.vector === of.vector &&
            by.value > 1 &&
            by.width === 4,
        ),
    ),
    minimum: ['1', 'guest.tableWrite 0 +12/4 0x2', 'guest.tableRead 0 +12'],
  },
  {
    what: 'a write that is dropped',
    fails: sees((of) => of.kind === 'guest.tableWrite' && of.width < 4),
    minimum: ['1', 'guest.tableWrite 0 +0/2 0x0'],
  },
  {
    what: 'a message that is written anew',
    fails: sees(
      (of, { unmasked }) =>
        of.kind === 'guest.tableWrite' && of.offset === 0 && of.value > 0xffff && unmasked.has(of.vector),
    ),
    minimum: ['1', 'guest.unmask 0', 'guest.tableWrite 0 +0/4 0x10000'],
  },
  {
    what: 'a write of configuration space that changes nothing',
    fails: sees((of) => of.kind === 'guest.configWrite' && controlOf(of) === undefined),
    minimum: ['1', 'guest.configWrite +0/2 0x0'],
  },
  {
    what: 'an event without bus master',
    fails: sees(
      (of, { busMaster, enabled, unmasked }) =>
        of.kind === 'device.raise' && !busMaster && enabled && unmasked.has(of.vector),
    ),
    minimum: ['1', 'guest.busMaster disable', ENABLE, 'guest.unmask 0', 'device.raise 0'],
  },
  {
    what: 'a limit that a growth meets',
    fails: sees(
      (of, seen) => setsMaximum(of, seen) && seen.before.some((by) => by.kind === 'host.limitVectors' && by.count < 4),
    ),
    minimum: ['1', 'host.limitVectors 0', ENABLE, 'guest.unmask 0'],
  },
  {
    what: 'a reset of a function with a pin',
    fails: (one) =>
      one.config.devices.some(({ intx }) => intx === true) && sees((of) => of.kind === 'guest.reset')(one),
    minimum: ['{"intx":true,"msixVectors":0}', 'guest.reset'],
  },
  {
    what: 'two devices',
    fails: ({ operations }) =>
      new Set(operations.flatMap((of) => (of.kind === 'guest.unmask' ? of.device : []))).size > 1,
    minimum: ['1,1', 'guest.unmask 0', 'guest.unmask 0 @1'],
  },
];

describe('shrinking a guest with fast-check', () => {
  it.each(PLANTED)('finds the minimum of: $what', (planted) => {
    const shrunk = Array.from({ length: 50 }, (_, seed) => shrinkPlanted(ANYTHING, GUEST, planted.fails, seed));
    const others = shrunk
      .map(({ minimum }) => minimum.join('\n'))
      .filter((minimum) => minimum !== planted.minimum.join('\n'));
    expect(others.length, others[0]).toBeLessThanOrEqual(2);
    expect(Math.max(...shrunk.map(({ runs }) => runs))).toBeLessThan(300);
  });
});
