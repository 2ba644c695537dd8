import { expect, it } from 'vitest';
import { conformance } from './conformance.ts';
import { optimisedSystem } from './impl/optimised/system.ts';

// As anyone would: a system of one's own, without a name that the command line knows.
conformance({ ...optimisedSystem(), name: 'a system of our own' }, { profiles: ['linux-6.12'], runs: 50, seed: 1 });

it.each<[Parameters<typeof conformance>, string]>([
  [['linux-9'], 'system: expected a System, a SystemFactory or one of reference, optimised, '],
  [['optimised', { profiles: ['linux-9' as 'linux-6.1'] }], 'profiles: expected linux-6.1, '],
  [['optimised', { runs: 0 }], 'runs: expected a whole number from 1 to 1000000000, got 0'],
  [['optimised', { runs: 1.5 }], 'runs: expected a whole number from 1 to 1000000000, got 1.5'],
  [['optimised', { seed: -1 }], 'seed: expected a whole number from 0 to 4294967295, got -1'],
  [['optimised', { invariants: ['luck' as 'no-leak'] }], 'invariants: expected some of no-lost-interrupt, '],
])('%j is refused before anything is registered', (args, message) => {
  expect(() => conformance(...args)).toThrow(message);
});
