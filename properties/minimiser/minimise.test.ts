import { describe, expect, it } from 'vitest';
import { type Operation, parseOperation, printOperation, type Scenario } from '#vocabulary';
import { referenceSystem, specify } from '../../model/reference.ts';
import { ANYTHING, DYNAMIC } from '../generators/drawn.fixture.ts';
import { minimise } from './minimise.ts';
import { stateAfter } from './model-state.ts';
import type { Cost } from './trials.ts';

const PLENTY: Cost = { kind: 'steps', most: 100_000 };

function scenarioOf(...operations: readonly string[]): Scenario {
  return {
    config: { ...DYNAMIC, devices: [{ msixVectors: 4, whileOff: 'latches' }] },
    operations: operations.map(parseOperation),
  };
}

const wordsOf = (operations: readonly Operation[]): string => operations.map(printOperation).join('; ');
/** Whether the operations begin with these or have these among them, in this order. */
function has(operations: readonly Operation[], ...wanted: readonly string[]): boolean {
  let met = 0;
  for (const operation of operations) if (printOperation(operation) === wanted[met]) met += 1;
  return met === wanted.length;
}

const LONG = ['vfio.close', 'host.limitVectors 1', 'device.raise 0', 'vfio.mapBar'];

describe('what is said of the shortest', () => {
  it('is proved when every shorter sequence of the alphabet was tried', async () => {
    const tried = new Set<string>();
    const { scenario, proof } = await minimise(
      scenarioOf(...LONG),
      {
        atOnce: 1,
        stillFails: ({ operations }) => {
          tried.add(wordsOf(operations));
          return has(operations, 'vfio.close', 'host.limitVectors 1', 'device.raise 0');
        },
      },
      ANYTHING,
      PLENTY,
    );
    expect(scenario.operations).toHaveLength(3);
    const letters = proof.alphabet;
    expect(proof).toMatchObject({
      kind: 'proved',
      words: `proved: no sequence of fewer operations out of this alphabet of ${letters.length} fails on this machine`,
    });
    expect(letters).toEqual(expect.arrayContaining(['vfio.open', 'host.limitVectors 0']));
    const words = ['', ...letters, ...letters.flatMap((one) => letters.map((other) => `${one}; ${other}`))];
    expect(words.filter((word) => !tried.has(word))).toEqual([]);
  });

  it('is not claimed of operations that are not in the alphabet', async () => {
    const { scenario, proof } = await minimise(
      scenarioOf(...LONG),
      {
        atOnce: 1,
        stillFails: ({ operations }) =>
          has(operations, 'vfio.close', 'host.limitVectors 1', 'device.raise 0') || has(operations, 'device.wipe'),
      },
      ANYTHING,
      PLENTY,
    );
    expect(scenario.operations).toHaveLength(3);
    expect(proof.alphabet).not.toContain('device.wipe');
    expect(proof.words).toContain(`out of this alphabet of ${proof.alphabet.length} fails on this machine`);
  });

  it('is claimed of two machines for what was tried on both', async () => {
    const tried = new Map<number, Set<string>>();
    const wanted = ['vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]', 'device.raise 0'];
    const { proof } = await minimise(
      scenarioOf(...wanted),
      {
        atOnce: 1,
        stillFails: ({ config: { devices }, operations }) => {
          const vectors = devices[0]?.msixVectors ?? 0;
          tried.set(vectors, (tried.get(vectors) ?? new Set()).add(wordsOf(operations)));
          return has(operations, ...wanted);
        },
      },
      ANYTHING,
      PLENTY,
    );
    expect(proof.words).toMatch(/^proved: .* fails on this machine or with one vector more$/);
    expect(proof.words).toContain(`alphabet of ${proof.alphabet.length} fails`);
    const machines = [...tried].filter(([, words]) => words.has(''));
    expect(machines).toHaveLength(2);
    for (const [vectors, words] of machines)
      expect(
        proof.alphabet.filter((letter) => !words.has(letter)),
        `${vectors} vectors`,
      ).toEqual([]);
  });

  it('is open when the cost is used up, and says how far the search came', async () => {
    const suspect = {
      atOnce: 1,
      stillFails: ({ operations }: Scenario) => has(operations, 'vfio.close', 'host.limitVectors 1', 'device.raise 0'),
    };
    const { proof, spent } = await minimise(scenarioOf(...LONG), suspect, ANYTHING, { kind: 'steps', most: 60 });
    expect(proof.kind).toBe('open');
    const letters = proof.alphabet.length;
    const far = `no sequence of up to 1 operation out of this alphabet of ${letters} fails`;
    const ended = `the search ended after ${spent.steps} operations in ${spent.runs} runs`;
    expect(proof.words).toBe(`not proved: ${far}, and ${ended}`);
    expect(spent.steps).toBeLessThanOrEqual(64);
  });

  it('is open for what does not fail again', async () => {
    const scenario = scenarioOf(...LONG);
    const found = await minimise(scenario, { atOnce: 1, stillFails: () => false }, ANYTHING, PLENTY);
    expect(found).toMatchObject({ scenario, proof: { kind: 'open', words: 'not proved: it did not fail again' } });
    expect(found.spent.runs).toBe(1);
  });

  it('never spends more runs than it may, batches and all', async () => {
    let runs = 0;
    const suspect = {
      atOnce: 7,
      stillFails: ({ operations }: Scenario) => {
        runs += 1;
        return has(operations, 'vfio.close', 'host.limitVectors 1', 'device.raise 0');
      },
    };
    const { spent } = await minimise(scenarioOf(...LONG), suspect, ANYTHING, { kind: 'runs', most: 40 });
    expect(spent.runs).toBe(runs);
    expect(runs).toBeLessThanOrEqual(40);
  });
});

describe('sequences that leave the same behind', () => {
  const reference = referenceSystem();
  /** What the model does not remember, and so nobody sees. */
  const remembered = [
    ...['guest.mask 1', 'guest.mask 0', 'guest.mask 1', 'guest.mask 0', 'guest.mask 1', 'guest.mask 0'],
    'device.raise 0',
  ];

  it('are told apart by the state of the model and by what the system did otherwise', () => {
    const state = (...operations: readonly string[]): string => {
      const scenario = scenarioOf(...operations);
      return stateAfter(scenario, specify(scenario), reference.precision);
    };
    const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
    expect(state('device.raise 0', 'device.raise 1')).toBe(state('device.raise 1', 'device.raise 0'));
    expect(state('device.raise 0')).not.toBe(state('device.raise 1'));
    expect(state(`${SET} 0+1 [e0]`)).not.toBe(state(`${SET} 0+1 [e1]`));
    expect(state(`${SET} 0+1 [e0]`, 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []')).toBe(state());
    expect(state(`${SET} 0+1 [e0]`, 'vfio.closeEventfd e0')).not.toBe(state(`${SET} 0+1 [e0]`));
    expect(state('host.limitVectors 3')).not.toBe(state());
    expect(state('device.arm 0 teardown-gap')).not.toBe(state('device.arm 0 after-set'));
    const scenario = scenarioOf('device.raise 0');
    const silent = { ...specify(scenario), steps: specify(scenarioOf('device.wipe')).steps };
    expect(stateAfter(scenario, silent, reference.precision)).not.toBe(state('device.raise 0'));
  });

  it('are told apart by which vector of a guest has how many events waiting', () => {
    const config = {
      ...DYNAMIC,
      vmm: { allocation: 'all-at-enable', delivery: 'irqfd' } as const,
      devices: [{ msixVectors: 3, whileOff: 'latches' } as const],
    };
    const state = (...raises: readonly string[]): string => {
      const scenario = { config, operations: ['guest.msixControl enable', ...raises].map(parseOperation) };
      return stateAfter(scenario, specify(scenario), reference.precision);
    };
    expect(state('device.raise 1', 'device.raise 1')).not.toBe(state('device.raise 2'));
  });

  it('are not said to be the whole proof', async () => {
    const config = {
      ...DYNAMIC,
      vmm: { allocation: 'all-at-enable', delivery: 'userspace' } as const,
      devices: [{ msixVectors: 2, whileOff: 'latches' } as const],
    };
    const operations = [...remembered.slice(0, 6), 'guest.unmask 1', ...remembered.slice(6)];
    const { scenario, proof } = await minimise(
      { config, operations: operations.map(parseOperation) },
      {
        atOnce: 1,
        stillFails: (tried) => has(tried.operations, ...remembered),
        stateAfter: (tried) => stateAfter(tried, specify(tried), reference.precision),
      },
      ANYTHING,
      { kind: 'steps', most: 30_000 },
    );
    expect(wordsOf(scenario.operations)).toBe(remembered.join('; '));
    expect(proof.kind).toBe('merged');
    expect(proof.words).toMatch(/^proved if nothing is remembered that is not shown: /);
  });
});
