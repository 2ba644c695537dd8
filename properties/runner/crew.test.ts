import { afterAll, expect, it } from 'vitest';
import { mutantNamed } from '../../impl/mutants/index.ts';
import { mutantSystem } from '../../impl/mutants/mutant.ts';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { profileNamed } from '../../model/profiles.ts';
import { type CampaignPlan, campaign } from './campaign.ts';
import { Crew, type CrewWorker, type Piece, share } from './crew.ts';
import { planOf } from './plan.fixture.ts';
import type { CampaignResult } from './verdict.ts';

const crew = new Crew('short', 2);
afterAll(() => crew.end());

/** What is not the time it took. */
async function resultOf(plan: CampaignPlan): Promise<Omit<CampaignResult, 'seconds'>> {
  const { seconds, ...result } = await campaign(plan);
  expect(seconds).toBeGreaterThan(0);
  return result;
}

it.each(['linux-6.1+qemu-7.2', 'idxd-mdev'] as const)(
  'a campaign on %s is the same whoever does the work',
  async (profile) => {
    await Promise.all(crew.workers.map(({ ready }) => ready));
    const plan = planOf(optimisedSystem(), profile, { scenarios: 800, seed: 31 });
    const asked = new Set<number>();
    const shared = await resultOf({ ...plan, crew: noting(crew, (place) => asked.add(place)) });
    expect([...asked].sort()).toEqual([0, 1]);
    expect(shared).toEqual(await resultOf(plan));
    expect(shared.scenarios).toBeGreaterThanOrEqual(800);
  },
);

it('a fault is found in the same scenario, and told in the same way', async () => {
  const mutant = mutantNamed('S01');
  const profile = profileNamed(mutant?.shortest.profile ?? '');
  if (mutant === undefined || profile === undefined) throw new Error('there is no S01');
  const plan = planOf(mutantSystem(mutant), profile, { scenarios: 1000, seed: 5 });
  const shared = await resultOf({ ...plan, crew });
  expect(shared.verdict).toBe('fail');
  expect(shared).toEqual(await resultOf(plan));
});

it('what is found is shortened while others still draw, and no worse', async () => {
  await Promise.all(crew.workers.map(({ ready }) => ready));
  const asked: string[] = [];
  const plan = planOf(optimisedSystem(), 'linux-6.1', { scenarios: 3000, seed: 7 });
  const shared = await resultOf({ ...plan, crew: noting(crew, (_, kind) => asked.push(kind)) });
  expect(asked.indexOf('shrink')).toBeGreaterThan(0);
  expect(asked.indexOf('shrink')).toBeLessThan(asked.lastIndexOf('block'));
  expect(shared).toEqual(await resultOf(plan));
});

it('no block waits behind a failure that is shortened', async () => {
  await Promise.all(crew.workers.map(({ ready }) => ready));
  const behind: number[] = [];
  const workers = crew.workers.map((worker) => {
    const watched: CrewWorker = Object.create(worker);
    let shortening = 0;
    watched.ask = async (question, seconds) => {
      if (question.kind === 'shrink') shortening += 1;
      else if (shortening > 0) behind.push(question.block);
      const answer = await worker.ask(question, seconds);
      if (question.kind === 'shrink') shortening -= 1;
      return answer;
    };
    return watched;
  });
  const plan = planOf(optimisedSystem(), 'linux-6.1', { scenarios: 3000, seed: 7 });
  const shared = await resultOf({ ...plan, crew: { workers, end: () => undefined } });
  expect(shared.findings.length).toBeGreaterThan(0);
  expect(behind).toEqual([]);
});

it('of few pieces each worker has one before any has two', async () => {
  await Promise.all(crew.workers.map(({ ready }) => ready));
  const done: (readonly [piece: number, by: number | 'here'])[] = [];
  const left = [0, 1, 2].map((piece) => ({
    here: async () => void done.push([piece, 'here']),
    by: async (worker: CrewWorker) => void done.push([piece, crew.workers.indexOf(worker)]),
  }));
  const next = (): Piece | undefined => left.shift();
  await share(crew, next, next);
  expect(new Map(done)).toEqual(
    new Map<number, number | 'here'>([
      [0, 'here'],
      [1, 0],
      [2, 1],
    ]),
  );
});

it('a worker that is not ready when nothing is left to draw is not waited for', async () => {
  const late: CrewWorker = Object.create(crew.workers[0] ?? null, { ready: { value: new Promise(() => undefined) } });
  late.ask = () => late.ready.then(() => Promise.reject(new Error('it was asked')));
  const plan = planOf(optimisedSystem(), 'linux-6.1', { scenarios: 200, seed: 7 });
  const shared = await resultOf({ ...plan, crew: { workers: [late], end: () => undefined } });
  expect(shared.findings.some(({ drawn }) => drawn !== undefined)).toBe(true);
});

it('a worker that ends leaves a campaign that has errored', async () => {
  const lost = new Crew('short', 1);
  const [worker] = lost.workers;
  await worker?.ready;
  lost.end();
  const plan = planOf(optimisedSystem(), 'linux-6.12', { scenarios: 2000 });
  expect(await resultOf({ ...plan, crew: lost })).toMatchObject({ verdict: 'errored' });
});

/** The crew, of which somebody is told who is asked what. */
function noting(whole: Crew, note: (place: number, kind: string) => void): Crew {
  return {
    workers: whole.workers.map((worker, place) => {
      const noted: CrewWorker = Object.create(worker);
      noted.ask = (question, seconds) => {
        note(place, question.kind);
        return worker.ask(question, seconds);
      };
      return noted;
    }),
    end: () => undefined,
  };
}
