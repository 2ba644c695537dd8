import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Scenario, System } from '#vocabulary';
import { profileNamed } from '../../model/profiles.ts';
import { INVARIANTS, isInvariantId, violations } from '../../properties/invariants/index.ts';
import { hunt, shortestOf } from '../../properties/runner/mutants.ts';
import { optimisedSystem } from '../optimised/system.ts';
import { HISTORIC_MUTANTS } from './historic.ts';
import { IMS_MUTANTS } from './ims.ts';
import { MUTANTS, mutantNamed } from './index.ts';
import { type Mutant, mutantSystem } from './mutant.ts';

/** Scenarios without the trap in which a mutant has nothing to do wrong. */
const HARMLESS = 100;

/** The operations at which the named promise is broken. */
async function brokenAt({ invariant }: Mutant, system: System, scenario: Scenario): Promise<readonly number[]> {
  const { config, operations } = scenario;
  const named = INVARIANTS.filter(({ id }) => id === invariant);
  return violations(named, config, operations, await system.run(scenario)).map(({ step }) => step);
}

describe('the list', () => {
  it('has the twenty-four that need no mediated device, in order', () => {
    const numbers = HISTORIC_MUTANTS.map(({ id }) => Number(/^S(\d\d)$/.exec(id)?.[1]));
    expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
    expect(new Set(numbers).size).toBe(24);
  });

  it('names each mutant once, on a profile and by a promise that exist', () => {
    expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
    expect(new Set(MUTANTS.map(({ title }) => title)).size).toBe(MUTANTS.length);
    for (const { id, invariant, shortest } of MUTANTS) {
      expect(isInvariantId(invariant), id).toBe(true);
      expect(profileNamed(shortest.profile), id).toBe(shortest.profile);
    }
  });

  it('is told in the README', () => {
    const rows = readFileSync(new URL('README.md', import.meta.url), 'utf8').split('\n');
    for (const { id, title, provenance, invariant, tier } of MUTANTS) {
      const { system, versions, evidence } = provenance;
      const told = [`\`${id}\``, title, system, versions, evidence, `\`${invariant}\``, tier];
      expect(rows, id).toContain(`| ${told.join(' | ')} |`);
    }
  });

  it('finds a mutant by its id, and none by another', () => {
    for (const mutant of MUTANTS) expect(mutantNamed(mutant.id)).toBe(mutant);
    expect(mutantNamed('S00')).toBeUndefined();
  });

  it('says of each that is hard what the trap is', () => {
    const hard = HISTORIC_MUTANTS.filter(({ tier }) => tier === 'H');
    expect(hard.map(({ id }) => id)).toEqual(['S07', 'S09', 'S16', 'S26']);
    expect(hard.filter(({ hasTrap }) => hasTrap === undefined)).toEqual([]);
  });
});

describe.each(MUTANTS.map((mutant) => [mutant.id, mutant] as const))('%s', (_, mutant) => {
  it('breaks its promise at the last operation of its sequence, and at none before', async () => {
    const scenario = shortestOf(mutant);
    expect(await brokenAt(mutant, mutantSystem(mutant), scenario)).toContain(scenario.operations.length - 1);
    const shorter = shortestOf(mutant, scenario.operations.length - 1);
    expect(await brokenAt(mutant, mutantSystem(mutant), shorter)).toEqual([]);
  });

  it('is told apart by its fault: the implementation keeps the promise in the same sequence', async () => {
    expect(await brokenAt(mutant, optimisedSystem(), shortestOf(mutant))).toEqual([]);
  });

  it('answers as the reference does where its fault is not reached', async () => {
    const { hasTrap } = mutant;
    if (hasTrap === undefined) return;
    expect(hasTrap(shortestOf(mutant))).toBe(true);
    const plan = { seed: 7, scenarios: HARMLESS, only: (scenario: Scenario) => !hasTrap(scenario) };
    expect(await hunt(mutant, mutantSystem(mutant), plan)).toMatchObject({ verdict: 'survived', scenarios: HARMLESS });
  });
});

// What is expected of functions passed through is known history; of mediated devices nothing is.
it.each(IMS_MUTANTS.map((mutant) => [mutant.id, mutant] as const))(
  '%s: no promise at all is broken by the same sequence without the fault',
  async (_, mutant) => {
    const { config, operations } = shortestOf(mutant);
    const trace = await optimisedSystem().run({ config, operations });
    expect(violations(INVARIANTS, config, operations, trace)).toEqual([]);
  },
);
