import { describe, expect, it } from 'vitest';
import type { Scenario, System } from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { hunts } from './mutant-hunts.ts';
import { type Hunt, hunt, type Quarry, shortestOf, summarise, unanswered } from './mutants.ts';

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';

/** What is known of the system below. */
const QUARRY: Quarry = {
  id: 'X1',
  invariant: 'reset-state',
  shortest: {
    profile: 'linux-6.12',
    devices: [{ msixVectors: 1, whileOff: 'latches', reset: true }],
    operations: ['device.raise 0', 'vfio.reset'],
  },
};

/** The implementation, with resets that are refused. */
function withoutResets(): System {
  const system = optimisedSystem();
  return {
    ...system,
    run: async (scenario: Scenario) => {
      const trace = await system.run(scenario);
      const steps = trace.steps.map((step, index) =>
        scenario.operations[index]?.kind === 'vfio.reset' && step.outcome.kind === 'ok'
          ? { ...step, outcome: { kind: 'errno', errno: 'EIO' } as const }
          : step,
      );
      return { ...trace, steps };
    },
  };
}

describe('a search', () => {
  it('ends with the first scenario that breaks the promise, and shrinks it', async () => {
    const found = await hunt(QUARRY, withoutResets(), { seed: 1, scenarios: 500 });
    expect(found).toMatchObject({ id: 'X1', seed: 1, verdict: 'killed', by: 'reset-state' });
    expect(found.toldAfter).toBeGreaterThanOrEqual(found.scenarios);
    expect(found.operations).toBeGreaterThanOrEqual(found.scenarios);
    expect(found.shrunk?.operations.map(({ kind }) => kind)).toEqual(['vfio.reset']);
  });

  it('is the same for the same seed, and another for another', async () => {
    const told = async (seed: number): Promise<Partial<Hunt>> => {
      const { seconds: _, ...rest } = await hunt(QUARRY, withoutResets(), { seed, scenarios: 500 });
      return rest;
    };
    expect(await told(2)).toEqual(await told(2));
    expect((await told(2)).operations).not.toBe((await told(3)).operations);
  });

  it('says what else is broken when the promise that was named is not', async () => {
    const found = await hunt({ ...QUARRY, invariant: 'no-leak' }, withoutResets(), { seed: 5, scenarios: 200 });
    expect(found).toMatchObject({ verdict: 'killed', by: 'reset-state', toldAfter: null, shrunk: null });
    expect(found.scenarios).toBeLessThan(200);
  });

  it('survives when nothing differs in all scenarios', async () => {
    const found = await hunt(QUARRY, optimisedSystem(), { seed: 1, scenarios: 20 });
    expect(found).toMatchObject({ verdict: 'survived', by: null, scenarios: 20, toldAfter: null });
  });

  it('leaves out what is not wanted', async () => {
    const only = ({ operations }: Scenario): boolean => operations.every(({ kind }) => kind !== 'vfio.reset');
    const found = await hunt(QUARRY, withoutResets(), { seed: 1, scenarios: 100, only });
    expect(found).toMatchObject({ verdict: 'survived', scenarios: 100 });
  });

  it('is no survivor when the system throws, or the mutant speaks of what does not exist', async () => {
    const throwing: System = {
      ...optimisedSystem(),
      run: () => {
        throw new TypeError('no such thing');
      },
    };
    const plan = { seed: 1, scenarios: 5 };
    expect(await hunt(QUARRY, throwing, plan)).toMatchObject({
      verdict: 'errored',
      reason: 'TypeError: no such thing',
    });
    const unnamed = await hunt({ ...QUARRY, invariant: 'no-bugs' }, optimisedSystem(), plan);
    expect(unnamed.reason).toContain('X1: there is no invariant no-bugs');
    const shortest = { ...QUARRY.shortest, profile: 'linux-1.0' };
    expect((await hunt({ ...QUARRY, shortest }, optimisedSystem(), plan)).reason).toContain('no profile linux-1.0');
  });
});

describe('the shortest sequence', () => {
  it('is a scenario on its profile, or the beginning of one', () => {
    const { config, operations } = shortestOf(QUARRY);
    expect(config).toMatchObject({ host: { dynamicMsix: true }, devices: QUARRY.shortest.devices });
    expect(operations).toHaveLength(2);
    expect(shortestOf(QUARRY, 1).operations).toEqual([{ kind: 'device.raise', device: 0, vector: 0 }]);
  });
});

function killed(seed: number, scenarios: number, length: number): Hunt {
  const { config, operations } = shortestOf({
    ...QUARRY,
    shortest: { ...QUARRY.shortest, operations: Array(length).fill(`${SET} 0+1 [e0]`) },
  });
  return {
    ...unanswered({ id: 'X1', seed }, ''),
    ...{ verdict: 'killed', by: 'reset-state', scenarios, operations: scenarios * 30, toldAfter: scenarios + 1 },
    ...{ shrunk: { config, operations }, seconds: 0.5 },
  };
}

describe('what came of all searches', () => {
  it('is counted, with the median and the worst of those that killed it', () => {
    const all: readonly Hunt[] = [
      ...[killed(1, 9, 2), killed(2, 3, 3), killed(3, 5, 2)],
      { ...killed(4, 7, 2), by: 'divergence', toldAfter: null, shrunk: null },
      { ...unanswered({ id: 'X1', seed: 5 }, ''), verdict: 'survived', scenarios: 100 },
      unanswered({ id: 'X1', seed: 6 }, 'it fell over'),
    ];
    expect(summarise(QUARRY, all)).toEqual({
      ...{ id: 'X1', invariant: 'reset-state', seeds: 6, killed: 4, errored: 1, told: 3, shortest: 2, seconds: 2 },
      by: ['reset-state', 'divergence'],
      scenarios: { median: 7, worst: 9 },
      operations: { median: 210, worst: 270 },
      toldAfter: { median: 6, worst: 10 },
      shrunk: { median: 2, worst: 3 },
    });
  });

  it('is nothing where nothing was killed', () => {
    const summary = summarise(QUARRY, [unanswered({ id: 'X1', seed: 1 }, 'it fell over')]);
    expect(summary).toMatchObject({ killed: 0, errored: 1, scenarios: null, toldAfter: null, shrunk: null, by: [] });
  });
});

describe('searches side by side', () => {
  const jobs = [3, 1, 2].map((seed) => ({ id: 'S29', seed, scenarios: 100 }));

  it('come back in the order in which they were asked for, each as if it were alone', async () => {
    const seen: number[] = [];
    const found = await hunts(jobs, { workers: 2, onHunt: ({ seed }) => seen.push(seed) });
    expect(found.map(({ seed, verdict, by }) => [seed, verdict, by])).toEqual(
      [3, 1, 2].map((seed) => [seed, 'killed', 'reset-state']),
    );
    expect([...seen].sort()).toEqual([1, 2, 3]);
  });

  it('are errored, and no survivors, where a worker ends or hangs', async () => {
    const found = await hunts([{ id: 'nobody', seed: 1, scenarios: 1 }, ...jobs.slice(0, 1)], { workers: 1 });
    expect(found.map(({ verdict }) => verdict)).toEqual(['errored', 'killed']);
    expect(found[0]?.reason).toContain('there is no mutant nobody');
    const late = await hunts(jobs.slice(0, 1), { workers: 1, secondsMax: 0.01 });
    expect(late).toMatchObject([{ id: 'S29', seed: 3, verdict: 'errored', reason: 'not done in 0.01 seconds' }]);
  });

  it('are not begun once they are to stop', async () => {
    expect(await hunts(jobs, { workers: 1, stop: AbortSignal.abort() })).toEqual([]);
  });
});
