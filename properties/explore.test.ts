import { describe, expect, it } from 'vitest';
import {
  IMS_MASK,
  IMS_PASID_ENABLE,
  type ImsEntry,
  type Operation,
  PASID_SHIFT,
  parseOperation,
  printOperation,
  type Step,
} from '#vocabulary';
import type { SavedMdevs } from '../model/mdev-saved.ts';
import { broken, exploreModel, exploreOn, ISOLATION, LIFE, MODES, smallest } from './explore.fixture.ts';
import { tellText } from './invariants/memory.ts';
import type { Exploration } from './runner/explore.ts';
import { modelOfMdevs, type ParentMachine } from './runner/explored-mdev.ts';
import { Fingerprint } from './runner/fingerprint.ts';
import { StateSet } from './runner/state-set.ts';

const DEPTH = 5;
const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';

describe('every sequence of operations of two guests on the smallest parent', () => {
  const STATES: Readonly<Record<string, number>> = { atEnable: 9793, atUnmask: 11314, immediate: 9374 };

  it.each(MODES)(`keeps every promise up to ${DEPTH} operations, synchronised %s`, (name, mode) => {
    const found = exploreModel(smallest(mode), ISOLATION, DEPTH);
    expect(broken(found)).toEqual([]);
    expect(found.depth).toBe(DEPTH);
    expect(found.states).toBe(STATES[name]);
  });

  it.each(['per-vector', 'all-closed', 'all-default'] as const)(
    'keeps every promise over the life of mdevs, %s',
    (allocation) => {
      const config = smallest(
        { allocation, noTranslation: 'closed', permSync: 'atUnmask' },
        { handles: 'requested', entries: 3 },
      );
      expect(broken(exploreModel(config, LIFE, 3))).toEqual([]);
    },
  );
});

/** The model with something else to see. */
function tampered(edit: (step: Step) => Step): ParentMachine<SavedMdevs> {
  const model = modelOfMdevs(smallest({}));
  return { ...model, step: (operation) => edit(model.step(operation)) };
}

function edited(edit: (entry: ImsEntry) => ImsEntry): ParentMachine<SavedMdevs> {
  return tampered((step) =>
    step.parent === undefined ? step : { ...step, parent: { ...step.parent, entries: step.parent.entries.map(edit) } },
  );
}

function shortest(found: Exploration, id: 'pasid-isolation' | 'no-lost-interrupt'): readonly string[] {
  const verdict = found.verdicts.get(id);
  return (verdict?.broken?.operations ?? []).map(printOperation);
}

describe('the explorer', () => {
  it('finds the shortest sequence that breaks a promise', () => {
    const keeps = edited((entry) =>
      entry.device === -1 ? { ...entry, control: IMS_MASK | IMS_PASID_ENABLE | (1 << PASID_SHIFT) } : entry,
    );
    const found = exploreOn(smallest({}), keeps, ISOLATION, { depth: 3, states: 10_000 });
    expect(shortest(found, 'pasid-isolation')).toEqual([`${SET} 1+1 [e1]`, `${SET} 1+1 [-1]`]);
  });

  it('goes on for the other promises, each with its own sequence', () => {
    const silent = tampered((step) => ({ ...step, events: step.events.filter(({ kind }) => kind !== 'signalled') }));
    const ops = [
      'guest.unmask 1',
      `${SET} 1+1 [e1]`,
      'guest.submit 0 dedicated 0 handle=0',
      'device.start 0',
      'device.complete 0',
    ];
    const found = exploreOn(smallest({}), silent, ops.map(parseOperation), { depth: 6, states: 10_000 });
    expect(shortest(found, 'no-lost-interrupt')).toHaveLength(5);
    expect(found.verdicts.get('pasid-isolation')?.broken).toBeNull();
  });

  it('says when there is nothing more to find', () => {
    const alphabet: readonly Operation[] = ['guest.mask 1', 'guest.unmask 1', 'guest.unmask 0'].map(parseOperation);
    const found = exploreModel(smallest({}), alphabet, 100);
    expect(found).toMatchObject({ states: 4, transitions: 12, depth: 3, closed: true });
  });

  it('stops when there is no room for more states', () => {
    const found = exploreOn(smallest({}), modelOfMdevs(smallest({})), ISOLATION, { depth: 9, states: 100 });
    expect(found).toMatchObject({ states: 100, depth: 2, closed: false });
  });
});

describe('a set of states', () => {
  const named = (...texts: readonly string[]): Fingerprint => {
    const fingerprint = new Fingerprint().begin();
    for (const text of texts) tellText(text, fingerprint);
    return fingerprint;
  };

  it('knows each pair of keys, and grows', () => {
    const known = new StateSet();
    const places = Array.from({ length: 100_000 }, (_, place) => `a${place}`);
    expect(places.filter((key) => known.add(named(key, 'b')))).toHaveLength(100_000);
    expect(places.filter((key) => known.add(named(key, 'b')))).toEqual([]);
    expect(known.add(named('a1b', ''))).toBe(true);
    expect(known.size).toBe(100_001);
  });

  it('knows each pair of words', () => {
    const known = new StateSet();
    const words = [...Array(256).keys()].flatMap((word) => [word, -word - 1, word << 16, (word << 24) + 1]);
    const different = [...new Set(words)];
    for (const first of different)
      for (const second of different) {
        const fingerprint = new Fingerprint().begin();
        fingerprint.put(first);
        fingerprint.put(second);
        known.add(fingerprint);
      }
    expect(known.size).toBe(different.length ** 2);
  });
});
