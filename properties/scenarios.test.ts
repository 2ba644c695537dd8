import { describe, expect, it } from 'vitest';
import { parseOperation, printOperation, type Scenario } from '#vocabulary';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { allClauses } from '../model/clauses.ts';
import { HOST_NAMES, hostTraits } from '../model/profiles.ts';
import { referenceSystem } from '../model/reference.ts';
import { storyText } from '../reports/story.ts';
import { INVARIANTS } from './invariants/index.ts';
import { lockstep } from './runner/lockstep.ts';
import { expectedOf, scenarioOf, toldBy } from './scenarios/script.ts';
import { NOT_SAID, STATEMENTS } from './scenarios/statements.ts';
import { STORIES } from './scenarios/stories.ts';

it('says each of the 78 statements once, or why not', () => {
  const numbers = Array.from({ length: 78 }, (_, place) => `K${String(place + 1).padStart(2, '0')}`);
  expect([...STATEMENTS, ...NOT_SAID].map(({ id }) => id).sort()).toEqual(numbers);
});

describe.each(HOST_NAMES)('on %s', (profile) => {
  const host = hostTraits(profile);

  it.each(STATEMENTS.map((script) => [script.id, script.says, script] as const))(
    '%s: %s',
    async (_id, _says, script) => {
      const scenario = scenarioOf(script, host);
      for (const system of [referenceSystem(), optimisedSystem()]) {
        const judgement = await lockstep(system, scenario, { profile, invariants: INVARIANTS });
        expect(toldBy(script, judgement.subject)).toEqual(expectedOf(script, host));
        expect(judgement.divergences).toEqual([]);
        expect(judgement.violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
      }
    },
  );

  it.each(STORIES.map((story) => [story.id, story] as const))('tells the story %s', async (id, story) => {
    const scenario: Scenario = {
      config: { host, devices: [story.device] },
      operations: story.operations.map(parseOperation),
    };
    const judgement = await lockstep(optimisedSystem(), scenario, { profile, invariants: INVARIANTS });
    expect(judgement.divergences).toEqual([]);
    const text = storyText(story, profile, scenario.operations.map(printOperation), judgement, allClauses());
    await expect(text).toMatchFileSnapshot(`../reports/golden/story-${id}-${profile}.txt`);
  });
});
