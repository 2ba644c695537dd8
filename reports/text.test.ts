import { describe, expect, it } from 'vitest';
import type { Finding } from '../properties/runner/verdict.ts';
import { CRASH, DIVERGENCE, GLOSSARY, LOST_INTERRUPT, replayCommand } from './fixture.ts';
import { GUEST_LOST } from './guest-fixture.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';
import { ANSI } from './palette.ts';
import { findingText } from './text.ts';

/** The VMM of the subject sets up one vector less than that of the reference, so that the next message is missing. */
const OTHER_CALLS: Finding = {
  ...GUEST_LOST,
  id: '90b1c2d3',
  verdict: 'divergence',
  judgement: {
    ...GUEST_LOST.judgement,
    subject: {
      ...GUEST_LOST.judgement.subject,
      steps: GUEST_LOST.judgement.subject.steps.map((step, index) =>
        index === 4 ? { ...step, calls: step.calls?.slice(0, 1) ?? [] } : step,
      ),
    },
    divergences: [
      {
        step: 4,
        path: 'calls',
        expected: 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: ok; vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 i1]: ok',
        got: 'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: ok',
      },
    ],
  },
};

const FINDINGS = {
  divergence: DIVERGENCE,
  'expected-lost-interrupt': LOST_INTERRUPT,
  crash: CRASH,
  'guest-lost-interrupt': GUEST_LOST,
  'guest-other-calls': OTHER_CALLS,
  'mdev-not-drained': NOT_DRAINED,
  'mdev-refused-in-the-gap': REFUSED_IN_THE_GAP,
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colour is made of
const COLOUR = /\u001b\[\d+m/g;

describe('text of a finding', () => {
  it.each(Object.entries(FINDINGS))('reads as it should: %s', async (name, finding) => {
    const text = findingText(finding, { ...GLOSSARY, replayCommand: replayCommand(finding) });
    await expect(text).toMatchFileSnapshot(`golden/finding-${name}.txt`);
  });

  it.each(Object.entries(FINDINGS))('keeps to the terminal and ends with the command: %s', (_, finding) => {
    const lines = findingText(finding, { ...GLOSSARY, replayCommand: replayCommand(finding) }).split('\n');
    expect(lines.slice(0, -1).filter((line) => line.length > 120)).toEqual([]);
    expect(lines.at(-1)?.trim()).toBe(replayCommand(finding));
  });

  it('differs by nothing but colour when there is one', () => {
    const options = { ...GLOSSARY, replayCommand: 'again' };
    const coloured = findingText(LOST_INTERRUPT, { ...options, palette: ANSI });
    const plain = coloured.replace(COLOUR, '').replaceAll(/ +$/gm, '');
    expect(coloured).toMatch(COLOUR);
    expect(plain).toBe(findingText(LOST_INTERRUPT, options));
  });

  it('lets no system write control characters to the terminal', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the very thing that must not be there
    expect(findingText(CRASH, { ...GLOSSARY, replayCommand: '\u001b[2J' })).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('breaks an operation that is wider than its column, and loses nothing of it', () => {
    const [operation, ...others] = LOST_INTERRUPT.scenario.operations;
    if (operation?.kind !== 'vfio.setIrqs') throw new Error('the fixture begins with SET_IRQS');
    const data = Array.from({ length: 64 }, (_, vector) => `e${vector}` as const);
    const operations = [{ ...operation, count: 64, data }, ...others];
    const finding = { ...LOST_INTERRUPT, scenario: { ...LOST_INTERRUPT.scenario, operations } };
    const text = findingText(finding, { ...GLOSSARY, replayCommand: 'again' });
    expect(text.split('\n').filter((line) => line.length > 120)).toEqual([]);
    expect(data.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  it('names many clauses, and tells those in full that explain', () => {
    const { judgement } = GUEST_LOST;
    const [, , , , growth] = judgement.reference.steps;
    const others = Array.from({ length: 20 }, (_, number) => `qemu.growth.rule-${number}`);
    const steps = judgement.reference.steps.map((step) =>
      step === growth ? { ...step, clauses: [...step.clauses, ...others] } : step,
    );
    const reference = { ...judgement.reference, steps };
    const finding = { ...GUEST_LOST, judgement: { ...judgement, reference } };
    const text = findingText(finding, { ...GLOSSARY, replayCommand: 'again' });
    expect(text).toContain(
      'clauses     pci.msix.drops-while-off at operation 4\n                A function that keeps',
    );
    expect(text).toContain('and vfio.set-irqs.disable, vfio.set-irqs.enable, qemu.growth.rule-0,');
    expect(text).not.toContain('vfio_msi_enable, Linux 6.1');
  });

  it('tells what a glossary without the words still can', () => {
    const text = findingText(LOST_INTERRUPT, {
      clauses: [],
      invariants: [],
      expectedViolations: [],
      replayCommand: 'again',
    });
    expect(text).toContain('✗ no-lost-interrupt is broken, as expected: no-lost-interrupt');
    expect(text).toContain('by pci.msix.drops-while-off: no source is recorded');
  });
});
