import { expect, it } from 'vitest';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { platformOf } from '../../model/profiles.ts';
import { bench } from './bench.ts';

it('the benchmark measures every pair on the same work', async () => {
  const rows = await bench(optimisedSystem(), 'linux-6.12', platformOf('linux-6.12'));
  expect(rows.map(({ what, against }) => `${what} / ${against}`)).toEqual([
    'optimised, 2048 vectors / optimised, 8 vectors',
    'optimised / reference',
    'lockstep, compared and judged / reference',
  ]);
  for (const { operationsPerSecond, ratio } of rows) {
    expect(operationsPerSecond).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
  }
});
