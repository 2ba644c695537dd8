import { describe, expect, it } from 'vitest';
import { type Operation, parseOperation, printOperation } from '#vocabulary';
import { platformOf } from '../../model/profiles.ts';
import { rawAlphabet, sequences } from '../mutant-alphabet.fixture.ts';
import { lookAt, PLANTED } from './planted.ts';
import { shrinkBench } from './shrink-bench.ts';

const DEVICE = { msixVectors: 4, whileOff: 'latches', reset: true } as const;
const CONFIG = { ...platformOf('linux-6.12'), devices: [DEVICE] };
/** What a user and the device can do, and resets, to which the sequence of the fault is added. */
const LETTERS = [...rawAlphabet(DEVICE), parseOperation('vfio.reset')];

describe.each(PLANTED.map((planted) => [planted.name, planted] as const))('planted: %s', (_, planted) => {
  const shortest = planted.shortest.map(parseOperation);

  it('fails in the sequence that is given', () => {
    expect(lookAt(planted, { config: CONFIG, operations: shortest }).fails).toBe(true);
  });

  it('fails in no shorter one', () => {
    const letters = [...new Map([...LETTERS, ...shortest].map((one) => [printOperation(one), one])).values()];
    const failing: (readonly Operation[])[] = [];
    for (let length = 0; length < shortest.length; length += 1)
      for (const operations of sequences(letters, length))
        if (lookAt(planted, { config: CONFIG, operations }).fails) failing.push(operations);
    expect(failing).toEqual([]);
  });
});

describe('the shrink benchmark', () => {
  it('has two rows for each fault; the minimiser ends at the shortest, within 20,000 operations', async () => {
    const rows = await shrinkBench(4);
    expect(rows).toHaveLength(2 * PLANTED.length);
    for (const row of rows.filter(({ by }) => by !== 'fast-check')) {
      expect(row, row.name).toMatchObject({ failures: 4, atShortest: 4, proved: 4 });
      expect(row.steps.p90, row.name).toBeLessThanOrEqual(20_000);
    }
    const alone = rows.filter(({ by }) => by === 'fast-check');
    expect(alone.every(({ proved, runs }) => proved === 0 && runs.median > 0)).toBe(true);
  });
});
