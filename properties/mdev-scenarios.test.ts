import { describe, expect, it } from 'vitest';
import { parseOperation, printOperation, type Scenario } from '#vocabulary';
import { optimisedSystem } from '../impl/optimised/system.ts';
import { allClauses } from '../model/clauses.ts';
import { MDEV_HOST_NAMES, platformOf } from '../model/profiles.ts';
import { referenceSystem, specify } from '../model/reference.ts';
import { storyText } from '../reports/story.ts';
import { INVARIANTS } from './invariants/index.ts';
import { lockstep } from './runner/lockstep.ts';
import { mdevCasesOf, mdevExpected, mdevScenario, mdevTold } from './scenarios/mdev-script.ts';
import { MDEV_NOT_SAID, MDEV_PARTS_NOT_SAID, MDEV_STATEMENTS } from './scenarios/mdev-statements.ts';
import { MDEV_STORIES } from './scenarios/mdev-stories.ts';
import { MDEV_WINDOWS } from './scenarios/mdev-windows.ts';

const CASES = mdevCasesOf(MDEV_STATEMENTS);

it('says each of the 49 statements, or why not', () => {
  const said = MDEV_STATEMENTS.flatMap(({ id }) => id.match(/T\d+/g) ?? []);
  const numbers = new Set([...said, ...MDEV_NOT_SAID.map(({ id }) => id)]);
  expect(numbers).toEqual(new Set(Array.from({ length: 49 }, (_, place) => `T${place + 1}`)));
});

it('says why a part of a statement is left out, of statements that are said', () => {
  const said = MDEV_STATEMENTS.map(({ id }) => id);
  for (const { id } of MDEV_PARTS_NOT_SAID) expect(said).toContain(id);
});

it('says each thing once', () => {
  const ids = MDEV_STATEMENTS.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)]);
});

it('says what six historic faults should have done', () => {
  const faults = MDEV_STATEMENTS.flatMap(({ id }) => id.match(/^S\d+/g) ?? []);
  expect([...new Set(faults)]).toEqual(['S02', 'S03', 'S12', 'S17', 'S25', 'S27']);
});

it('says something of every driver', () => {
  expect([...new Set(CASES.map(({ profile }) => profile))].sort()).toEqual([...MDEV_HOST_NAMES].sort());
});

describe('the windows in which a driver loses interrupts or shows an entry to others', () => {
  const spoken = new Set(CASES.flatMap((at) => specify(mdevScenario(at)).steps.flatMap(({ clauses }) => clauses)));

  it('are twenty-two', () => {
    expect(MDEV_WINDOWS.map(({ id }) => id)).toEqual(Array.from({ length: 22 }, (_, place) => `W${place + 1}`));
  });

  it.each(MDEV_WINDOWS)('$id is closed by rules that a script has asked, or cannot occur: $says', (window) => {
    if ('reason' in window) return expect(window.reason).not.toBe('');
    expect(window.closedBy).not.toEqual([]);
    expect(window.closedBy.filter((id) => !spoken.has(id))).toEqual([]);
  });

  it('and no rule about mdevs is left that no script has asked', () => {
    const rules = allClauses().map(({ id }) => id);
    expect(rules.filter((id) => id.startsWith('ims.') && !spoken.has(id))).toEqual([]);
  });
});

describe.each(MDEV_HOST_NAMES)('on %s', (profile) => {
  const here = CASES.filter((at) => at.profile === profile);
  const named = here.map((at) => [`${at.script.id}, handles ${at.handles}: ${at.script.says}`, at] as const);

  it.each(named)('%s', async (_, at) => {
    for (const system of [referenceSystem(), optimisedSystem()]) {
      const judgement = await lockstep(system, mdevScenario(at), { profile, invariants: INVARIANTS });
      expect(mdevTold(at, judgement.subject)).toEqual(mdevExpected(at));
      expect(judgement.divergences).toEqual([]);
      expect(judgement.violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
    }
  });
});

describe.each(MDEV_STORIES)('the story $id', (story) => {
  it.each(story.profiles)('is told on %s', async (profile) => {
    const scenario: Scenario = {
      config: { ...platformOf(profile), ...story.machine },
      operations: story.operations.map(parseOperation),
    };
    const judgement = await lockstep(optimisedSystem(), scenario, { profile, invariants: INVARIANTS });
    expect(judgement.divergences).toEqual([]);
    expect(judgement.violations.filter(({ expectedBy }) => expectedBy === null)).toEqual([]);
    const text = storyText(story, profile, scenario.operations.map(printOperation), judgement, allClauses());
    await expect(text).toMatchFileSnapshot(`../reports/golden/story-${story.id}-${profile.replace('/', '-')}.txt`);
  });
});
