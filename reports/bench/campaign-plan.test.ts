import { expect, it } from 'vitest';
import type { Scenario } from '#vocabulary';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { platformOf } from '../../model/profiles.ts';
import { Crew } from '../../properties/runner/crew.ts';
import { measuredCampaign, measuredPart, measuredPlan } from './campaign-plan.ts';

const MEASURED = {
  ...{ system: optimisedSystem(), profile: 'linux-6.12', platform: platformOf('linux-6.12'), scenarios: 400 },
} as const;

it('the parts of a campaign run each of its scenarios once, and add up', async () => {
  const runs: Scenario[] = [];
  const { system } = MEASURED;
  const counted: typeof system = {
    ...system,
    run: (scenario) => {
      runs.push(scenario);
      return system.run(scenario);
    },
  };
  let operations = 0;
  for (const index of [1, 2, 3])
    operations += await measuredPart({ ...MEASURED, system: counted }, { index, count: 3 });
  expect(new Set(runs.map((scenario) => JSON.stringify(scenario))).size).toBe(runs.length);
  expect(runs).toHaveLength(MEASURED.scenarios);
  expect(operations).toBe(runs.reduce((sum, scenario) => sum + scenario.operations.length, 0));
});

it('a campaign that ended before it was done is not measured', async () => {
  const lost = new Crew('short', 1);
  await lost.workers[0]?.ready;
  lost.end();
  await expect(measuredCampaign({ ...measuredPlan(MEASURED), crew: lost })).rejects.toThrow(
    'a campaign that is measured: its worker',
  );
});
