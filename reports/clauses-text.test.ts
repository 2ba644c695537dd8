import { describe, expect, it } from 'vitest';
import { clausesText } from './clauses-text.ts';
import { GLOSSARY, RUN, WIDE_RUN } from './fixture.ts';
import { TERMINAL_COLUMNS } from './layout.ts';
import { SummaryError } from './read-json.ts';
import { readReached } from './read-summary.ts';
import { summaryJson } from './summary.ts';

const last = readReached(summaryJson(RUN, GLOSSARY.clauses), 'summary.json');

describe('the list of clauses', () => {
  it('has every clause with its title and source, and who reached it', () => {
    const text = clausesText(GLOSSARY.clauses, last);
    for (const { id, source } of GLOSSARY.clauses) {
      expect(text).toContain(`${id.split('.').slice(0, 2).join('.')}\n`);
      expect(text).toContain(source.split(' ')[0]);
    }
    expect(text).toContain('  ✓ vfio.set-irqs.enable\n');
    expect(text).toContain('reference on linux-6.1                       alone 1,980, qemu-7.2 1,644 scenarios');
    expect(text).toContain('  ✗ vfio.set-irqs.below-minus-one\n');
    expect(text).toContain('no scenario reached it');
    expect(text.endsWith('4 of 5 clauses reached by the last run (seed 42)')).toBe(true);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(TERMINAL_COLUMNS);
  });

  it('has one line for a system that was run on many hosts', () => {
    const wide = readReached(summaryJson(WIDE_RUN, GLOSSARY.clauses), 'summary.json');
    const hosts = ['linux-6.1', 'idxd-mdev', 'idxd-mdev-immediate', 'idxd-mdev-fixed'];
    const counts = hosts.map((host) => `${host} 615`).join(', ');
    expect(clausesText(GLOSSARY.clauses, wide)).toContain(`      reference on 4 hosts  ${counts} scenarios\n`);
  });

  it('counts a clause that is new since the last run as not reached', () => {
    const added = { id: 'vfio.new.rule', title: 'A new rule.', source: 'Linux 9.9' };
    expect(clausesText([...GLOSSARY.clauses, added], last)).toContain('4 of 6 clauses');
  });

  it('is the rules alone where nothing has been run', () => {
    const text = clausesText(GLOSSARY.clauses, null);
    expect(text).not.toMatch(/[✓✗]/);
    expect(text.endsWith('5 clauses. No run has left a summary here: npm start -- run makes one.')).toBe(true);
  });
});

describe('a summary that is read', () => {
  it.each([
    ['{', 'f: expected JSON'],
    ['{}', 'f: schema: '],
    [
      JSON.stringify({ schema: 'vfio-irq/summary@1', seed: 1, systems: [], clauses: { list: [{ id: 1 }] } }),
      'f: clauses.list.0.id: ',
    ],
  ])('is refused on one line when it is not one: %s', (text, message) => {
    expect(() => readReached(text, 'f')).toThrow(SummaryError);
    expect(() => readReached(text, 'f')).toThrow(message);
  });
});
