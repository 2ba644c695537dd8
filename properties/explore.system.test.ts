import { describe, expect, it } from 'vitest';
import { broken, exploreModel, ISOLATION, LIFE, MODES, smallest } from './explore.fixture.ts';

const DEPTH = 9;
const LIFE_DEPTH = 5;
const HALF_AN_HOUR = 1_800_000;

// What `npm test` does to a depth that it has time for. Needs no system, but minutes.

describe('every sequence of operations of two guests on the smallest parent', () => {
  const STATES: Readonly<Record<string, number>> = { atEnable: 187_567, atUnmask: 228_267, immediate: 141_588 };

  it.each(MODES)(
    `keeps every promise up to ${DEPTH} operations, synchronised %s`,
    (name, mode) => {
      const found = exploreModel(smallest(mode), ISOLATION, DEPTH);
      expect(broken(found)).toEqual([]);
      expect(found.depth).toBe(DEPTH);
      expect(found.states).toBe(STATES[name]);
    },
    HALF_AN_HOUR,
  );

  it.each(['per-vector', 'all-closed', 'all-default'] as const)(
    `keeps every promise over the life of mdevs up to ${LIFE_DEPTH} operations, %s`,
    (allocation) => {
      const config = smallest(
        { allocation, noTranslation: 'closed', permSync: 'atUnmask' },
        { handles: 'requested', entries: 3 },
      );
      expect(broken(exploreModel(config, LIFE, LIFE_DEPTH))).toEqual([]);
    },
    HALF_AN_HOUR,
  );
});
