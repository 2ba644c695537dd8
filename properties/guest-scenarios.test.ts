import { describe, expect, it } from 'vitest';
import { parseOperation, printOperation, type Scenario } from '#vocabulary';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { allClauses } from '../model/clauses.ts';
import { platformOf } from '../model/profiles.ts';
import { specify } from '../model/reference.ts';
import { storyText } from '../reports/story.ts';
import { INVARIANTS } from './invariants/index.ts';
import { lockstep } from './runner/lockstep.ts';
import { casesOf, expectedReactions, guestScenario, reactions } from './scenarios/guest-script.ts';
import { GUEST_STORIES } from './scenarios/guest-stories.ts';
import { GUEST_NOT_SAID, GUEST_STATEMENTS } from './scenarios/statements-guest.ts';

const CASES = casesOf(GUEST_STATEMENTS);
const named = CASES.map((at) => [`${at.script.id} on ${at.profile}: ${at.script.says}`, at] as const);

it('says each of the 44 statements, or why not', () => {
  const said = GUEST_STATEMENTS.flatMap(({ id }) => id.match(/S\d+/g) ?? []);
  const numbers = new Set([...said, ...GUEST_NOT_SAID.map(({ id }) => id)]);
  expect(numbers).toEqual(new Set(Array.from({ length: 44 }, (_, place) => `S${place + 1}`)));
});

describe('a statement about VMMs', () => {
  it.each(named)('is what the model says: %s', (_, at) => {
    const trace = specify(guestScenario(at));
    expect(reactions(at, trace)).toEqual(expectedReactions(at, trace));
  });

  it.each(named)('is what the optimised implementation does: %s', async (_, at) => {
    const trace = await optimisedSystem().run(guestScenario(at));
    expect(reactions(at, trace)).toEqual(expectedReactions(at, trace));
  });
});

describe.each(GUEST_STORIES)('the story $id', (story) => {
  it.each(story.profiles)('is told on %s', async (profile) => {
    const scenario: Scenario = {
      config: { ...platformOf(profile), devices: [story.device] },
      operations: story.operations.map(parseOperation),
    };
    const judgement = await lockstep(optimisedSystem(), scenario, { profile, invariants: INVARIANTS });
    expect(judgement.divergences).toEqual([]);
    expect(judgement.violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
    const text = storyText(story, profile, scenario.operations.map(printOperation), judgement, allClauses());
    const file = `story-${story.id}-${profile.replace('/', '-')}.txt`;
    await expect(text).toMatchFileSnapshot(`../reports/golden/${file}`);
  });
});
