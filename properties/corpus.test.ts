import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scenario, Support, System } from '#vocabulary';
import { MUTANTS } from '../impl/mutants/index.ts';
import { mutantSystem } from '../impl/mutants/mutant.ts';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { platformOf, profileOf } from '../model/profiles.ts';
import { scenarios } from './generators/scenario.ts';
import { INVARIANTS } from './invariants/index.ts';
import { lockstep, verdictOf } from './runner/lockstep.ts';
import { readRecorded, writeScenario } from './runner/record.ts';
import type { Judgement } from './runner/verdict.ts';

// What was once worth finding, as files that say all: no seed, and so no generator, has a part in it. It is run first.

const FOLDER = new URL('./corpus/', import.meta.url);

function filesOf(folder: string): readonly string[] {
  return readdirSync(new URL(`${folder}/`, FOLDER)).map((file) => file.replace(/\.json$/, ''));
}

function kept(folder: string, name: string): Scenario {
  const file = `${folder}/${name}.json`;
  const recorded = readRecorded(readFileSync(new URL(file, FOLDER), 'utf8'), file);
  if (recorded.kind !== 'scenario') throw new Error(`${file} is no scenario`);
  return recorded.scenario;
}

function judged(system: System, scenario: Scenario): Promise<Judgement> {
  const profile = profileOf(scenario.config);
  if (profile === undefined) throw new Error('the scenario is of no profile');
  return lockstep(system, scenario, { profile, invariants: INVARIANTS });
}

describe('the shortest sequence of a mutant', () => {
  it('is kept of each', () => {
    expect([...filesOf('mutants')].sort()).toEqual(MUTANTS.map(({ id }) => id).sort());
  });

  it.each(MUTANTS)('of $id tells it, and holds without the fault', async (mutant) => {
    const scenario = kept('mutants', mutant.id);
    const { violations } = await judged(mutantSystem(mutant), scenario);
    const told = violations.filter(({ expectedBy }) => expectedBy === null).map(({ invariant }) => invariant);
    expect(told).toContain(mutant.invariant);
    expect(['held', 'expected']).toContain(verdictOf(await judged(optimisedSystem(), scenario)));
  });
});

describe('the story of an expected violation', () => {
  it.each(filesOf('stories'))('%s', async (name) => {
    const [, invariant, clause] = name.split('--');
    const { divergences, violations } = await judged(optimisedSystem(), kept('stories', name));
    expect(divergences).toEqual([]);
    const told = violations.map((violation) => `${violation.invariant} ${violation.expectedBy?.replaceAll('.', '-')}`);
    expect(told).toContain(`${invariant} ${clause}`);
    expect(violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
  });
});

describe('what was once told wrongly', () => {
  it.each(filesOf('held'))('%s', async (name) => {
    expect(verdictOf(await judged(optimisedSystem(), kept('held', name)))).toBe('held');
  });
});

describe('what is kept is durable:', () => {
  const platform = platformOf('linux-6.12');
  const { support } = optimisedSystem();
  const kinds = [...support.operations];
  const drawn = (operations: Iterable<(typeof kinds)[number]>): readonly Scenario[] => {
    const changed: Support = { ...support, operations: new Set(operations) };
    return fc.sample(scenarios(changed, platform), { seed: 8, numRuns: 40 });
  };
  const before = drawn(kinds);
  const texts = before.map(writeScenario);

  it.each([
    ['fewer kinds of operation', kinds.filter((kind) => kind !== 'vfio.reset' && kind !== 'vfio.closeEventfd')],
    ['a kind less, as before it was added', kinds.filter((kind) => kind !== 'vfio.getIrqInfo')],
    ['the kinds in another order and one less', kinds.filter((kind) => kind !== 'device.wipe').reverse()],
  ])('a seed draws something else with %s, a file does the same', async (_, changed) => {
    const told = async (all: readonly Scenario[]): Promise<string> => {
      const system = optimisedSystem();
      const told: unknown[] = [];
      for (const scenario of all) told.push(structuredClone(await judged(system, scenario)));
      return JSON.stringify(told);
    };
    expect(drawn(changed)).not.toEqual(before);
    const again = texts.map((text): Scenario => {
      const recorded = readRecorded(text, 'kept');
      if (recorded.kind !== 'scenario') throw new Error('a finding');
      return recorded.scenario;
    });
    expect(await told(again)).toBe(await told(before));
  });
});
