import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { optimisedSystem } from '../../impl/optimised/system.ts';
import { platformOf } from '../../model/profiles.ts';
import { harnessRows } from './harnesses.ts';

it('the harnesses of the repository are measured beside the implementation in this process', async () => {
  const profile = 'linux-6.12';
  const optimised = optimisedSystem();
  const runs = new Map<string, number>();
  const counted = {
    ...optimised,
    run: (scenario: Parameters<typeof optimised.run>[0]) => {
      const key = JSON.stringify(scenario);
      runs.set(key, (runs.get(key) ?? 0) + 1);
      return optimised.run(scenario);
    },
  };
  const rows = await harnessRows({ optimised: counted, profile, platform: platformOf(profile), scenarios: 5 });
  const core = spawnSync('gcc', ['--version']).status === 0 ? ['the core in C', 'the core in C, judged'] : [];
  expect(rows.map(({ what }) => what)).toEqual(['the loop-back harness', 'the loop-back harness, judged', ...core]);
  expect(rows.map(({ against }) => against)).toEqual(
    rows.map(({ what }) => `optimised in this process${what.endsWith('judged') ? ', judged' : ''}`),
  );
  for (const { amount, ratio } of rows) {
    expect(amount).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
  }
  // Each of 24 turns of each of two rows has run each scenario once.
  expect(new Set(runs.values())).toEqual(new Set([48]));
});
