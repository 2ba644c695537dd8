import { beforeAll, describe, expect, it } from 'vitest';
import type { Scenario } from '#vocabulary';
import { HISTORIC_MUTANTS } from '../impl/mutants/historic.ts';
import { MUTANTS } from '../impl/mutants/index.ts';
import { type Mutant, mutantSystem, TIER_SCENARIOS } from '../impl/mutants/mutant.ts';
import { INVARIANTS, violations } from './invariants/index.ts';
import { guestAlphabet, rawAlphabet, sequences } from './mutant-alphabet.fixture.ts';
import { lockstep } from './runner/lockstep.ts';
import { hunts } from './runner/mutant-hunts.ts';
import { type Hunt, hunt, shortestOf, summarise } from './runner/mutants.ts';

// The whole benchmark. It needs no real system, but minutes, so only those who have them run it.

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed);
/** Mutants of which the named promise is not seen broken in every search in time, but another always is. */
const TOLD_MOSTLY: readonly string[] = ['S23'];

describe('thirty searches of each', () => {
  const jobs = MUTANTS.flatMap(({ id, tier }) => SEEDS.map((seed) => ({ id, seed, scenarios: TIER_SCENARIOS[tier] })));
  let all: readonly Hunt[] = [];

  beforeAll(async () => {
    all = await hunts(jobs);
  }, 600_000);

  it.each(MUTANTS.map((mutant) => [mutant.id, mutant] as const))('%s dies in all', (id, mutant) => {
    const summary = summarise(
      mutant,
      all.filter((found) => found.id === id),
    );
    expect(summary).toMatchObject({ killed: SEEDS.length, errored: 0 });
    expect(summary.told).toBeGreaterThanOrEqual(TOLD_MOSTLY.includes(id) ? SEEDS.length - 3 : SEEDS.length);
    // As short as the shortest that is known, which for the historic ones is the shortest there is: see below.
    expect(summary.shrunk).toEqual({ median: summary.shortest, worst: summary.shortest });
  });
});

describe('without its trap', () => {
  const hard = MUTANTS.filter(({ tier }) => tier === 'H');

  it.each(hard.map((mutant) => [mutant.id, mutant] as const))('%s survives', async (_, mutant) => {
    const scenarios = TIER_SCENARIOS[mutant.tier];
    const only = (scenario: Scenario): boolean => mutant.hasTrap?.(scenario) === false;
    const found = await hunt(mutant, mutantSystem(mutant), { seed: 0, scenarios, only });
    expect(found).toMatchObject({ verdict: 'survived', scenarios });
  });
});

describe('breadth first over all shorter sequences', () => {
  it.each(HISTORIC_MUTANTS.map((mutant) => [mutant.id, mutant] as const))(
    'none breaks the promise of %s',
    async (_, mutant) => {
      for await (const scenario of shorter(mutant)) expect.fail(JSON.stringify(scenario));
    },
  );
});

/** Scenarios with fewer operations than the shortest sequence known that break the promise all the same. */
async function* shorter(mutant: Mutant): AsyncGenerator<Scenario> {
  const { config, operations } = shortestOf(mutant);
  const system = mutantSystem(mutant);
  const named = INVARIANTS.filter(({ id }) => id === mutant.invariant);
  const terms = { profile: mutant.shortest.profile, invariants: named };
  for (const whileOff of ['latches', 'drops'] as const) {
    const devices = config.devices.map((device) => ({ ...device, whileOff }));
    for (const sequence of allShorter(devices, config.vmm === undefined, operations.length)) {
      const scenario: Scenario = { config: { ...config, devices }, operations: sequence };
      const { steps, ...rest } = await system.run(scenario);
      if (violations(named, scenario.config, sequence, { ...rest, steps }).length === 0) continue;
      const judgement = await lockstep(system, scenario, terms);
      if (judgement.violations.some(({ expectedBy }) => expectedBy === null)) yield scenario;
    }
  }
}

function* allShorter(
  devices: Scenario['config']['devices'],
  isRaw: boolean,
  length: number,
): Generator<Scenario['operations']> {
  const [device] = devices;
  if (device === undefined) return;
  const alphabet = isRaw ? rawAlphabet(device) : guestAlphabet(device);
  for (let shorterBy = 1; shorterBy <= length; shorterBy += 1) yield* sequences(alphabet, length - shorterBy);
}
