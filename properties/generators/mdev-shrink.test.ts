import { describe, expect, it } from 'vitest';
import type { Operation, Platform, Scenario, Support } from '#vocabulary';
import { isEventfdName, printOperation } from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { ANYTHING, isDisabling, sample } from './drawn.fixture.ts';
import type { MdevLook } from './mdev-drawn.fixture.ts';
import { describeMachine, FEW, MDEV, MDEV_GUEST, mdevMisfits, meetsMdev, vmOf } from './mdev-drawn.fixture.ts';
import { boundIn, deviceOfPlace, entryOf, NOBODY } from './mdev-memory.ts';
import { isSimpler, measure } from './measure.ts';
import { isSupportedConfig } from './pci-function.ts';
import { shrinkPlanted } from './planted.fixture.ts';
import { shrinkScenario } from './shrink.ts';
import { simplifyOperation } from './simplify.ts';

/** Without what would be simpler than what it has. */
const ARMED: Support = {
  ...ANYTHING,
  operations: new Set(['guest.submit', 'guest.unmask', 'device.armDescriptor', 'guest.bindPasid']),
};

describe('shrinking mdevs, step by step', () => {
  const drawn = [
    ...sample(ANYTHING, MDEV, 120).map((scenario) => [scenario, ANYTHING] as const),
    ...sample(ANYTHING, MDEV_GUEST, 60).map((scenario) => [scenario, ANYTHING] as const),
    ...sample(FEW, MDEV, 30).map((scenario) => [scenario, FEW] as const),
    ...sample(ARMED, MDEV_GUEST, 30).map((scenario) => [scenario, ARMED] as const),
  ];

  it('offers only what is simpler, supported and askable, on the same platform', () => {
    for (const [scenario, support] of drawn) {
      const size = measure(scenario);
      let candidates = 0;
      for (const { scenario: simpler } of shrinkScenario(scenario, support)) {
        const wrong = mdevMisfits(simpler);
        if (!isSimpler(measure(simpler), size)) wrong.push('no simpler');
        if (!simpler.operations.every(({ kind }) => support.operations.has(kind))) wrong.push('not supported');
        if (!isSupportedConfig(simpler.config, support)) wrong.push('no such machine');
        if (simpler.config.mdev !== scenario.config.mdev || simpler.config.host !== scenario.config.host) {
          wrong.push('another platform');
        }
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
      expect(describeMachine(scenario.config)).toBe('1/0, 1 1 1 index');
    }
  });
});

function firstOf(scenario: Scenario, support: Support): Scenario | undefined {
  for (const candidate of shrinkScenario(scenario, support)) return candidate.scenario;
  return undefined;
}

interface Planted {
  readonly what: string;
  readonly platform?: Platform;
  readonly fails: (scenario: Scenario) => boolean;
  /** The mdevs and what they share, then the operations. */
  readonly minimum: readonly string[];
}

function sees(look: MdevLook): (scenario: Scenario) => boolean {
  return (scenario) => meetsMdev(scenario, look);
}

const ARM = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
const OFF = 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []';

const PLANTED: readonly Planted[] = [
  {
    what: 'an entry that another VM has given back',
    fails: sees((of, { memory, before, scenario }) => {
      if (of.kind !== 'guest.submit' || memory.entries[of.handle] !== NOBODY) return false;
      return meetsMdev({ ...scenario, operations: before }, (by, then) => {
        const place = then.memory.entries[of.handle] ?? NOBODY;
        const isOwn = isDisabling(by) && place !== NOBODY && deviceOfPlace(place) === by.device;
        return isOwn && vmOf(scenario, by) !== vmOf(scenario, of);
      });
    }),
    minimum: ['2/0 1/1, 1 1 1 index', `${ARM} 1+1 [e0]`, OFF, 'guest.submit 0 dedicated 0 handle=0 @1'],
  },
  {
    what: 'an entry of another VM',
    fails: sees((of, { memory, scenario }) => {
      if (of.kind !== 'guest.submit') return false;
      const place = memory.entries[of.handle] ?? NOBODY;
      return place !== NOBODY && scenario.config.devices[deviceOfPlace(place)]?.mdev?.vm !== vmOf(scenario, of);
    }),
    minimum: ['2/0 1/1, 1 1 1 index', `${ARM} 1+1 [e0]`, 'guest.submit 0 dedicated 0 handle=0 @1'],
  },
  {
    what: 'a descriptor that is checked before a disable and ends after it',
    fails: sees(
      (of, { before }) =>
        of.kind === 'device.complete' &&
        before.some(
          (by, place) =>
            by.kind === 'device.start' &&
            by.descriptor === of.descriptor &&
            before.slice(place).some((off) => isDisabling(off)) &&
            before.slice(0, place).some((sub) => sub.kind === 'guest.submit' && sub.descriptor === of.descriptor),
        ),
    ),
    minimum: ['1/0, 1 1 1 index', 'guest.submit 0 dedicated 0 handle=0', 'device.start 0', OFF, 'device.complete 0'],
  },
  {
    what: 'a PASID in MSIX_PERM that nobody has bound',
    fails: sees((of, { memory }) => {
      if (of.kind !== 'vfio.setIrqs' || !isEventfdName(of.data[0]) || of.start === 0 || of.index !== 2) return false;
      const pasid = memory.mdevs[of.device]?.perms.get(of.start);
      return pasid !== undefined && pasid > 0 && !boundIn(memory, of.device).has(pasid);
    }),
    minimum: ['2/0, 1 1 1 index', 'guest.msixPerm 1 on 1', `${ARM} 1+1 [e0]`],
  },
  {
    what: 'one guest PASID of two VMs',
    fails: sees(
      (of, { memory, scenario }) =>
        of.kind === 'guest.bindPasid' &&
        [...memory.bound].some(([vm, bound]) => vm !== vmOf(scenario, of) && bound.has(of.pasid)),
    ),
    minimum: ['1/0i 1/1, 1 3 1 index', 'guest.bindPasid 1', 'guest.bindPasid 1 @1'],
  },
  {
    what: 'a PASID given back under a descriptor',
    fails: sees((of, { before }) => {
      const last = before.findLast((by) => by.kind === 'guest.submit');
      return of.kind === 'guest.freePasid' && last?.queue === 'shared' && last.pasid === of.pasid && of.pasid > 0;
    }),
    minimum: ['1/0, 1 1 1 index', 'guest.submit 0 shared 1 handle=0', 'guest.freePasid 1'],
  },
  {
    what: 'the later of two in flight',
    fails: sees((of, { memory }) => {
      const flights = [...memory.inFlight.keys()];
      return of.kind === 'device.complete' && flights.length > 1 && flights.at(-1) === of.descriptor;
    }),
    minimum: [
      ...['1/0, 1 1 1 index', 'guest.submit 0 dedicated 0 handle=0'],
      ...['guest.submit 1 dedicated 0 handle=0', 'device.complete 1'],
    ],
  },
  {
    what: 'a handle that was released',
    fails: sees(
      (of, { before }) =>
        of.kind === 'guest.submit' &&
        before.some((by) => by.kind === 'guest.releaseHandle' && by.device === of.device && by.operand > 0),
    ),
    minimum: ['1/0, 1 1 1 index', 'guest.releaseHandle 1', 'guest.submit 0 dedicated 0 handle=0'],
  },
  {
    what: 'a VM that dies with an mdev in use',
    fails: sees(
      (of, { memory }) =>
        of.kind === 'host.crash' && memory.mdevs.some(({ vm, armed }) => vm === of.vm && armed.has(1)),
    ),
    minimum: ['2/0, 1 1 1 index', `${ARM} 1+1 [e0]`, 'host.crash 0'],
  },
  {
    what: 'a handle that is submitted and released',
    platform: platformOf('idxd-mdev-immediate'),
    fails: ({ operations }) =>
      operations.some(
        (of, place) =>
          of.kind === 'guest.releaseHandle' &&
          of.operand > 0 &&
          operations.slice(0, place).some((by) => by.kind === 'guest.submit' && by.handle === of.operand),
      ),
    minimum: ['1/0, 1 1 1 index', 'guest.submit 0 dedicated 0 handle=1', 'guest.releaseHandle 1'],
  },
  {
    what: 'a VM that dies',
    fails: ({ operations }) => operations.some(({ kind }) => kind === 'host.crash'),
    minimum: ['1/0, 1 1 1 index', 'host.crash 0'],
  },
  {
    what: 'an entry that is closed under a descriptor, by whatever it is',
    fails: sees((of, { memory }) => {
      const isUsed = [...memory.inFlight.values()].some(({ isStarted }) => isStarted);
      const isBound = of.kind === 'guest.freePasid' && boundIn(memory, of.device).has(of.pasid);
      return isUsed && (isBound || isDisabling(of));
    }),
    minimum: [
      ...['2/0, 1 1 1 index', `${ARM} 1+1 [e0]`, 'guest.submit 0 dedicated 0 handle=0'],
      ...['device.start 0', OFF],
    ],
  },
  {
    what: 'the last vector',
    fails: sees(
      (of, { memory }) =>
        of.kind === 'guest.requestHandle' && of.vector > 0 && of.vector === (memory.mdevs[of.device]?.size ?? 0) - 1,
    ),
    minimum: ['2/0, 1 1 1 index', 'guest.requestHandle 1'],
  },
  {
    what: 'a PASID that is bound and named',
    fails: ({ operations }) =>
      operations.some(
        (of) =>
          of.kind === 'guest.bindPasid' &&
          of.pasid > 0 &&
          operations.some((by) => by.kind === 'guest.msixPerm' && by.pasidEnable && by.pasid === of.pasid),
      ),
    minimum: ['1/0, 1 1 1 index', 'guest.bindPasid 1', 'guest.msixPerm 0 on 1'],
  },
  {
    what: 'a second entry',
    fails: ({ config }) => (config.parent?.entries ?? 0) > 1,
    minimum: ['1/0, 2 1 2 index'],
  },
  {
    what: 'more vectors than the quota has',
    fails: sees(
      (of, { scenario: { config } }) =>
        of.kind === 'vfio.setIrqs' &&
        of.index === 2 &&
        of.start > 0 &&
        of.start + of.count <= (config.devices[of.device]?.msixVectors ?? 0) &&
        of.data.filter(isEventfdName).length > (config.parent?.quota ?? 0),
    ),
    minimum: ['3/0, 1 1 1 index', `${ARM} 1+2 [e0 e0]`],
  },
  {
    what: 'a quota that is smaller than the table',
    fails: ({ config }) => (config.parent?.quota ?? 0) < (config.parent?.entries ?? 0),
    minimum: ['1/0, 2 1 1 index'],
  },
  {
    what: 'handles that have to be asked for',
    fails: (one) =>
      one.config.parent?.handles === 'requested' && one.operations.some((of) => of.kind === 'guest.requestHandle'),
    minimum: ['1/0, 1 1 1 requested', 'guest.requestHandle 0'],
  },
  {
    what: 'a completion that makes no interrupt, and a mask',
    fails: ({ operations }) =>
      operations.some((of) => of.kind === 'guest.msixPerm' && of.ignore) &&
      operations.some((of) => of.kind === 'guest.mask'),
    minimum: ['1/0, 1 1 1 index', 'guest.msixPerm 0 off 0 ignore', 'guest.mask 0'],
  },
  {
    what: 'a second vector, whose entry is the second',
    fails: sees((of, { memory }) => of.kind === 'guest.submit' && entryOf(memory, of.device, 2) === of.handle),
    minimum: ['3/0, 1 1 1 index', `${ARM} 2+1 [e0]`, 'guest.submit 0 dedicated 0 handle=0'],
  },
  {
    what: 'a descriptor armed for a window',
    platform: MDEV_GUEST,
    fails: sees((of, { before }) => {
      const arm = before.at(-1);
      return arm?.kind === 'device.armDescriptor' && arm.window === 'after-set' && of.kind === 'guest.unmask';
    }),
    minimum: ['1/0, 1 1 1 index', 'device.armDescriptor 0 after-set', 'guest.unmask 0'],
  },
];

describe('shrinking mdevs with fast-check', () => {
  it.each(PLANTED)('finds the minimum of: $what', (planted) => {
    const shrunk = Array.from({ length: 50 }, (_, seed) =>
      shrinkPlanted(ANYTHING, planted.platform ?? MDEV, planted.fails, seed),
    );
    const others = shrunk
      .map(({ minimum }) => minimum.join('\n'))
      .filter((minimum) => minimum !== planted.minimum.join('\n'));
    expect(others.length, others[0]).toBeLessThanOrEqual(2);
    expect(Math.max(...shrunk.map(({ runs }) => runs))).toBeLessThan(300);
  });
});

it.each<[Operation, string]>([
  [{ kind: 'device.armDescriptor', device: 0, descriptor: 3, window: 'after-set' }, 'device.start 3'],
  [{ kind: 'guest.requestHandle', device: 0, vector: 1, ims: true }, 'guest.requestHandle 1'],
  [{ kind: 'host.removeMdev', device: 0 }, 'host.detach'],
])('knows a plain form of %j', (operation, plain) => {
  const [first] = sample(ANYTHING, MDEV, 1) as [Scenario];
  const simpler = [...simplifyOperation(operation, first.config.devices, ANYTHING)].find(
    (of) => printOperation(of) === plain,
  );
  const isPlainer =
    simpler !== undefined &&
    isSimpler(measure({ ...first, operations: [simpler] }), measure({ ...first, operations: [operation] }));
  expect(isPlainer).toBe(true);
});
