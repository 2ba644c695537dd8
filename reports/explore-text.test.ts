import { expect, it } from 'vitest';
import { type ExploredRow, exploreText } from './explore-text.ts';
import { TERMINAL_COLUMNS } from './layout.ts';
import { PLAIN } from './palette.ts';

const ROW: ExploredRow = {
  profile: 'linux-6.1+qemu-7.2',
  machine: 'host: MSI-X fixed while on; VMM: grows by tear-down; device 0: MSI-X table of 3 vectors; '.repeat(3).trim(),
  ...{ operations: 12, windows: true, states: 8382, statesCovered: 15708, transitions: 208032, depth: 20 },
  ...{ closed: true, full: false, seconds: 2, holds: Array.from({ length: 12 }, () => 'policy-equivalence') },
  broken: [
    {
      invariant: 'no-lost-interrupt',
      message:
        'vector 0 raised in the teardown-gap of operation 2 and its message never came, however often it was asked',
      ...{ expectedBy: 'qemu.growth.event-in-the-gap', operations: 3, story: '0  guest.unmask 0', file: 'a.json' },
    },
  ],
};

it('tells what holds and what is broken, in lines that a terminal has room for', () => {
  const text = exploreText([ROW], PLAIN);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(TERMINAL_COLUMNS);
  expect(text).toContain("8,382 states (15,708 with the vectors' names exchanged), 208,032 transitions");
  expect(text.replaceAll(/\s+/g, ' ')).toContain('closed at depth 20; 2.0 s, 104,016 transitions per second');
  expect(text).toContain('  ✓ holds in every state that these operations reach: policy-equivalence,');
  expect(text).toContain('  ! broken as known: no-lost-interrupt, by qemu.growth.event-in-the-gap: vector 0 raised');
  expect(text).toContain('no sequence of fewer than 3 operations does');
  expect(text).toMatch(/✓ Nothing unexpected in any state that the operations reach\.$/);
});

it('says what did not close, and what nobody expected', () => {
  const [breach] = ROW.broken;
  const broken = breach === undefined ? [] : [{ ...breach, expectedBy: null }];
  const text = exploreText(
    [
      { ...ROW, closed: false, full: true },
      { ...ROW, broken },
    ],
    PLAIN,
  );
  expect(text).toContain('no room for more states beyond depth 20');
  expect(text).toContain('holds for every sequence of up to 20 operations');
  expect(text).toMatch(/✗ 1 promise is broken\.$/);
});
