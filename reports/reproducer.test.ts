import { describe, expect, it } from 'vitest';
import { glossary } from '../commands/shown.ts';
import type { Finding } from '../properties/runner/verdict.ts';
import { CRASH, DIVERGENCE } from './fixture.ts';
import { GOLDEN_PROGRAMS, goldenFile, goldenFinding } from './golden-findings.ts';
import { reproducerC } from './reproducer.ts';

const OPTIONS = { ...glossary(), replayCommand: 'npm start -- replay finding.jsonl' };

/** The body of a step. */
function step(source: string, index: number): string {
  return new RegExp(`static void step_${index}\\(void\\)\\n\\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1] ?? 'none';
}

describe('the C program of a finding', () => {
  it.each(GOLDEN_PROGRAMS)('reads as it should: %s', async (name) => {
    const source = reproducerC(goldenFinding(name), {
      ...glossary(),
      replayCommand: `npm start -- replay ${goldenFile(name)}`,
    });
    await expect(source).toMatchFileSnapshot(`golden/findings/${name}.c`);
  });

  it('expects what the reference says where the system differs from it, and ends there', () => {
    const source = reproducerC(DIVERGENCE, OPTIONS);
    expect(step(source, 1)).toContain('expect(ON_THE_WAY, "result", "EINVAL", set_irqs(');
    expect(step(source, 1)).toContain('expect(AT_ISSUE, "triggers", "0-1", irqs_of(&dev0, 1));');
    expect(step(source, 2)).toContain('expect(AT_ISSUE, "signalled", "e1 +1", signalled());');
    const { judgement, ...about } = DIVERGENCE;
    const divergences = judgement.divergences.filter(({ step: at }) => at === 1);
    expect(step(reproducerC({ ...about, judgement: { ...judgement, divergences } }, OPTIONS), 2)).toBe('none');
  });

  it('expects what a promise says where the reference breaks it as well', () => {
    const source = reproducerC(goldenFinding('lost-interrupt'), OPTIONS);
    expect(step(source, 3)).toContain('expect(AT_ISSUE, "signalled", "e0 +1", signalled());');
    expect(source).toContain('raise_vector(&dev0, 0, 1);');
  });

  it('of a scenario that held puts every answer at issue', () => {
    const held: Finding = {
      ...DIVERGENCE,
      judgement: { ...DIVERGENCE.judgement, divergences: [], violations: [] },
    };
    const source = reproducerC(held, OPTIONS);
    expect(source).not.toContain('expect(ON_THE_WAY');
    expect(source.match(/expect\(AT_ISSUE/g)).toHaveLength(5);
  });

  it('lets no name of a system end a comment or reach a terminal as a command', () => {
    const source = reproducerC({ ...CRASH, system: 'stdio:*/ int evil; /* \u001b[2J' }, OPTIONS);
    expect(source).toContain('Seen on: stdio:* / int evil; / * ␛[2J');
  });

  it.each([
    ['lost-interrupt-guest', /^expected calls of vfio alone, got guest\.\w+ as operation \d, which needs a guest/],
    ['foreign-pasid', /^expected .*, got .*mdevs?$/],
  ] as const)('is refused for %s, in one line', (name, words) => {
    expect(() => reproducerC(goldenFinding(name), OPTIONS)).toThrow(words);
  });

  it('is refused for a promise that no single answer keeps', () => {
    const [violation] = DIVERGENCE.judgement.violations;
    if (violation === undefined) throw new Error('the fixture has a violation');
    const judgement = {
      ...DIVERGENCE.judgement,
      divergences: [],
      violations: [{ ...violation, invariant: 'no-leak' as const }],
    };
    expect(() => reproducerC({ ...DIVERGENCE, judgement }, OPTIONS)).toThrow(
      'the reference breaks the promise as well, and what no-leak asks for is not one answer of one call',
    );
  });
});
