import { expect, it } from 'vitest';
import { engineRows } from './engine.ts';

it('every part of a campaign is measured on work that both sides do', async () => {
  const rows = await engineRows('linux-6.12', 20);
  expect(rows.map(({ what, against }) => `${what} / ${against}`)).toEqual([
    'optimised / reference',
    'lockstep, compared / reference',
    'lockstep, compared and judged / reference',
    'drawn / fast-check commands, drawn',
    'drawn and compared / fast-check commands and modelRun, node:assert',
    'drawn, compared and judged / fast-check commands and modelRun, node:assert, our invariants',
    'drawn and compared / fast-check commands and modelRun, our comparer',
    'drawn, compared and judged / fast-check commands and modelRun, our comparer, our invariants',
    'optimised, 2048 vectors / optimised, 8 vectors',
    'lockstep, compared and judged, 2048 vectors / the same with 8',
  ]);
  for (const { amount, ratio } of rows) {
    expect(amount).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
  }
});
