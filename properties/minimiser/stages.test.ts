import { describe, expect, it } from 'vitest';
import { type Operation, type OperationKind, parseOperation, printOperation, type Scenario } from '#vocabulary';
import { ANYTHING, DYNAMIC } from '../generators/drawn.fixture.ts';
import { alphabetOf } from './alphabet.ts';
import { simplifyJointly, simplifySingly } from './arguments.ts';
import { cut } from './cut.ts';
import { deltaDebug } from './delta-debugging.ts';
import { exchange } from './exchange.ts';
import { dropIdle } from './idle.ts';
import { minimise } from './minimise.ts';
import { search } from './search.ts';
import type { Stage } from './stage.ts';
import { keepSubset } from './subsets.ts';
import { type Suspect, Trials } from './trials.ts';

/** Breadth first alone, as a stage. */
const searchAlone: Stage = async (scenario, trials, support) => {
  const alphabet = alphabetOf(scenario, support);
  const lengthMax = scenario.operations.length - 1;
  const { found } = await search({ config: scenario.config, alphabet, lengthMax, merging: 'state' }, trials);
  return found ?? scenario;
};

const STAGES = { cut, dropIdle, deltaDebug, keepSubset, exchange, searchAlone, simplifySingly, simplifyJointly };
type StageName = keyof typeof STAGES;
const STAGE_NAMES = Object.keys(STAGES) as readonly StageName[];

interface Case {
  readonly what: string;
  /** The only stages that solve it. */
  readonly by: readonly StageName[];
  readonly operations: readonly string[];
  readonly fails: (operations: readonly Operation[]) => boolean;
  readonly runs: number;
  readonly goal: readonly string[];
}

const count = (operations: readonly Operation[], ...kinds: readonly OperationKind[]): number =>
  operations.filter(({ kind }) => kinds.includes(kind)).length;
const raises = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, place) => `device.raise ${from + place}`);
const raised = (operations: readonly Operation[]): string =>
  operations.flatMap((operation) => (operation.kind === 'device.raise' ? operation.vector : [])).join();
const limit = (operations: readonly Operation[]): number | undefined =>
  operations.find((operation) => operation.kind === 'host.limitVectors')?.count;
const nth = (operations: readonly Operation[]): number | undefined =>
  operations.find((operation) => operation.kind === 'host.failAllocation')?.nth;
const kindsOf = (operations: readonly Operation[]): string => operations.map(({ kind }) => kind).join();
/** The same, one of the first list before each of the second. */
const between = (some: readonly string[], others: readonly string[]): readonly string[] =>
  others.flatMap((other, place) => [...some.slice(place, place + 1), other]);

const READS = ['vfio.tableRead 0', 'vfio.configRead memory', 'vfio.getIrqInfo MSIX', 'vfio.pbaRead 0'];
const WRITTEN = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6'].map((name) => `vfio.writeEventfd ${name}`);

const CASES: readonly Case[] = [
  {
    // fast-check begins by halves, too.
    what: 'a long tail, where runs are dear',
    by: ['cut', 'simplifySingly'],
    operations: [...raises(0, 64), ...raises(0, 64)],
    fails: (operations) => raised(operations).startsWith('0,1,2'),
    runs: 8,
    goal: raises(0, 3),
  },
  {
    what: 'operations that change nothing, and that go all together or not at all',
    by: ['dropIdle'],
    operations: between([...READS, ...READS], raises(0, 8)),
    fails: (operations) => raised(operations) === '0,1,2,3,4,5,6,7' && [8, 16].includes(operations.length),
    runs: 3000,
    goal: raises(0, 8),
  },
  {
    // What fast-check tries one by one is tried by halves here, too.
    what: 'many neighbours that do something and do not matter',
    by: ['deltaDebug', 'simplifySingly'],
    operations: raises(0, 64),
    fails: (operations) => /^0,1,2,3,4,5,6,7,8,9,.*\b55,56,57,58,59,60,61,62,63$/.test(raised(operations)),
    runs: 200,
    goal: [...raises(0, 10), ...raises(55, 64)],
  },
  {
    what: 'four of different sorts that go all together or not at all',
    by: ['keepSubset'],
    operations: between(['vfio.open', 'vfio.mapBar', 'host.limitVectors 3', 'host.failAllocation 2'], raises(0, 6)),
    fails: (operations) => raised(operations) === '0,1,2,3,4,5' && [6, 10].includes(operations.length),
    runs: 3000,
    goal: raises(0, 6),
  },
  {
    what: 'a limit that falls with the number of those that use it up',
    by: ['exchange'],
    operations: [...WRITTEN, 'host.limitVectors 3', ...raises(0, 4)],
    fails: (operations) =>
      count(operations, 'vfio.writeEventfd') === 6 &&
      count(operations, 'device.raise') === (limit(operations) ?? Number.NaN) + 1,
    runs: 3000,
    goal: [...WRITTEN, 'host.limitVectors 0', 'device.raise 3'],
  },
  {
    what: 'an event that could be of another vector',
    by: ['exchange'],
    operations: [...WRITTEN, 'vfio.tableWrite 0 0', 'device.raise 1', 'device.arm 0 teardown-gap'],
    fails: (operations) => {
      const vectors = operations.flatMap((one) => ('vector' in one && one.kind !== 'device.arm' ? one.vector : []));
      const armed = operations.flatMap((one) => (one.kind === 'device.arm' ? one.vector : []));
      return (
        count(operations, 'vfio.writeEventfd') === 6 &&
        raised(operations) === '1' &&
        armed.some((vector) => vectors.includes(vector))
      );
    },
    runs: 3000,
    goal: [...WRITTEN, 'device.raise 1', 'device.arm 1 teardown-gap'],
  },
  {
    what: 'the same in another order',
    by: ['searchAlone'],
    operations: ['vfio.close', 'vfio.open', 'device.raise 0'],
    fails: (operations) => /vfio.close,vfio.open,device.raise|device.raise,vfio.close/.test(kindsOf(operations)),
    runs: 100,
    goal: ['device.raise 0', 'vfio.close'],
  },
  {
    what: 'a number that could be smaller',
    by: ['simplifySingly'],
    operations: ['device.raise 5'],
    fails: (operations) => count(operations, 'device.raise') === 1,
    runs: 100,
    goal: ['device.raise 0'],
  },
  {
    what: 'two numbers that could be smaller, but only in step',
    by: ['simplifyJointly'],
    operations: ['host.limitVectors 4', 'host.failAllocation 4'],
    fails: (operations) => limit(operations) !== undefined && limit(operations) === nth(operations),
    runs: 100,
    goal: ['host.limitVectors 1', 'host.failAllocation 1'],
  },
];

function scenarioOf({ operations }: Case): Scenario {
  return {
    config: { ...DYNAMIC, devices: [{ msixVectors: 64, whileOff: 'latches' }] },
    operations: operations.map(parseOperation),
  };
}

function suspectOf({ fails }: Case): Suspect {
  return { stillFails: ({ operations }) => fails(operations), atOnce: 1 };
}

describe('each stage has a case that no other solves', () => {
  it('none is left out', () => {
    expect(new Set(CASES.flatMap(({ by }) => by.slice(0, 1)))).toEqual(new Set(STAGE_NAMES));
  });

  it.each(CASES.map((one) => [one.what, one] as const))('%s', async (_, one) => {
    const solvers: StageName[] = [];
    for (const name of STAGE_NAMES) {
      const trials = new Trials(suspectOf(one), { kind: 'runs', most: one.runs });
      const { operations } = await STAGES[name](scenarioOf(one), trials, ANYTHING);
      expect(one.fails(operations), `${name} ends at something that fails`).toBe(true);
      if (operations.map(printOperation).join('; ') === one.goal.join('; ')) solvers.push(name);
    }
    expect(solvers).toEqual(one.by);
  });

  it.each(CASES.map((one) => [one.what, one] as const))('all together: %s', async (_, one) => {
    const { scenario } = await minimise(scenarioOf(one), suspectOf(one), ANYTHING, { kind: 'steps', most: 40_000 });
    expect(scenario.operations).toHaveLength(one.goal.length);
  });
});
