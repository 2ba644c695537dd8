import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HarnessError, parseOperation } from '#vocabulary';
import { type ProfileName, platformOf } from '../../model/profiles.ts';
import { cut, type Exploration } from './explore.ts';
import { exploreTogether, type SliceWorker, sliceWorkers } from './explore-crew.ts';
import { exploredScope, exploreScope, type Scope, scopeConfig } from './explore-scopes.ts';

const workers = sliceWorkers<Scope>('explore-worker', 2);
beforeAll(async () => void (await Promise.all(workers.map(({ ready }) => ready))), 30_000);
afterAll(() => workers.forEach((worker) => void worker.end()));

function scopeOf(profile: ProfileName, vectors: number): Scope {
  return { profile, config: scopeConfig(profile, vectors), operations: null, invariants: [] };
}

/** A worker as it is, which notes how often it is asked. The answers of the first are behind those of later slices. */
function counted(worker: SliceWorker<Scope>, place: number, asked: number[]): SliceWorker<Scope> {
  const ask: typeof worker.ask = async (question, secondsMax) => {
    asked[place] = (asked[place] ?? 0) + 1;
    const answer = await worker.ask(question, secondsMax);
    if (place === 0) await setTimeout(30);
    return answer;
  };
  return { ready: worker.ready, ask, end: () => worker.end() };
}

/** What is not the time it took. */
function findings({ seconds, ...found }: Exploration): Omit<Exploration, 'seconds'> {
  expect(seconds).toBeGreaterThan(0);
  return found;
}

const CLOSED = { depth: 1000, states: 100_000 };
const FILE: Scope = {
  profile: 'unnamed',
  config: { ...platformOf('linux-6.1+qemu-7.2'), devices: [{ msixVectors: 3, whileOff: 'drops' }] },
  operations: ['guest.msixControl enable', 'guest.msixControl disable', 'device.arm 1 teardown-gap']
    .concat([0, 1, 2].flatMap((vector) => [`guest.unmask ${vector}`, `guest.mask ${vector}`, `device.raise ${vector}`]))
    .map(parseOperation),
  invariants: ['no-lost-interrupt', 'no-leak'],
};

it.each([
  ['a user, with a counterexample in a slice that is shared', scopeOf('linux-6.1', 3), CLOSED],
  ['a guest, with windows and counterexamples', scopeOf('linux-6.1+qemu-7.2', 2), CLOSED],
  ['a guest whose vectors stand for each other', scopeOf('linux-6.12+qemu-10.0', 2), CLOSED],
  ['such a guest, until there is no room', scopeOf('linux-6.12+qemu-10.0', 2), { ...CLOSED, states: 700 }],
  ['a file, to a depth', FILE, { ...CLOSED, depth: 9 }],
  ['mdevs, to a depth', scopeOf('idxd-mdev', 2), { ...CLOSED, depth: 7 }],
  ['mdevs, until there is no room', scopeOf('idxd-mdev', 2), { ...CLOSED, states: 3000 }],
] as const)('three processes find what one finds: %s', async (_, scope, reach) => {
  const asked: number[] = [];
  const counting = workers.map((worker, place) => counted(worker, place, asked));
  const found = await exploreTogether(exploredScope, scope, reach, counting);
  expect(asked.filter((times) => times > 0)).toHaveLength(2);
  expect(findings(found)).toEqual(findings(exploreScope(scope, reach)));
});

it('a worker that dies is told of', async () => {
  const [dying] = sliceWorkers<Scope>('explore-worker', 1);
  if (dying === undefined) throw new Error('there is no worker');
  dying.end();
  await dying.ready;
  const found = exploreTogether(exploredScope, scopeOf('linux-6.1', 3), CLOSED, [dying]);
  await expect(found).rejects.toThrow(HarnessError);
});

it('a slice is cut into all of its states, in their order', () => {
  const whole = { armed: true, depth: 4, from: 7, to: 17 };
  expect(cut(whole, 4).map(({ from, to }) => [from, to])).toEqual([
    [7, 11],
    [11, 15],
    [15, 17],
  ]);
  expect(cut(whole, 10)).toEqual([whole]);
  expect(cut({ ...whole, to: 7 }, 10)).toEqual([]);
});
