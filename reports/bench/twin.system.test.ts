import { describe, expect, it } from 'vitest';
import { measuredExploration } from './exploration.ts';
import { canSpin, exploreTwin, withSpin } from './twin.ts';

// Two models of one configuration by two hands, each explored by a tool of its own.

describe('Spin on the Promela twin', () => {
  const required = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
  const ready = canSpin();
  if (!ready) process.stderr.write('SKIPPED: Spin is not here: apt-get install spin gcc\n');

  it.runIf(ready || required).each([2, 3, 4])('finds as many states and transitions of %i vectors', async (vectors) => {
    const { states, transitions } = exploreTwin(vectors);
    expect(await withSpin(vectors, (spin) => spin())).toMatchObject({ states, transitions });
    expect(states).toBe({ 2: 39, 3: 253, 4: 1731 }[vectors]);
  });

  it.runIf(ready || required)('is beside explore in the benchmark, on one core and on all', async () => {
    const rows = await measuredExploration(3);
    expect(rows.map(({ what }) => what)).toEqual([
      'explore, MSI-X of 3 vectors, one core',
      expect.stringMatching(/^explore, MSI-X of 3 vectors, \d+ cores?$/),
    ]);
    for (const { against, amount } of rows) {
      expect(against).toBe('Spin on one, 253 states each');
      expect(amount).toBeGreaterThan(0);
    }
  });
});
