import { describe, expect, it } from 'vitest';
import { CRASH, DIVERGENCE, GLOSSARY, RUN, replayCommand } from './fixture.ts';
import { stepSummary } from './step-summary.ts';

const OPTIONS = { ...GLOSSARY, replayCommand };

describe('the summary of a GitHub job', () => {
  it('reads as it should', async () => {
    await expect(stepSummary(RUN, OPTIONS)).toMatchFileSnapshot('golden/step-summary.md');
  });

  it('is one line of a table for each finding, whatever a system is called', () => {
    const [result] = RUN.results;
    if (result === undefined) throw new Error('the fixture has results');
    const findings = [{ ...CRASH, system: 'stdio:a|b `c` <script>\n# d' }];
    const text = stepSummary({ ...RUN, results: [{ ...result, verdict: 'fail', findings }] }, OPTIONS);
    const row = text.split('\n').find((line) => line.startsWith('| c4a5b6d7'));
    expect(row).toContain('stdio:a\\|b \\`c\\` &lt;script> \\# d');
    expect(row?.replaceAll('\\|', '').split('|')).toHaveLength(6);
    expect(text.trimEnd().split('\n').at(-1)).toBe(row);
  });

  it('names how many findings there are beyond those it lists', () => {
    const [result] = RUN.results;
    if (result === undefined) throw new Error('the fixture has results');
    const findings = Array.from({ length: 23 }, () => DIVERGENCE);
    const text = stepSummary({ ...RUN, results: [{ ...result, verdict: 'fail', findings }] }, OPTIONS);
    expect(text.match(/^\| 3f9a0c21/gm)).toHaveLength(20);
    expect(text).toContain('3 more findings on the page.');
  });
});
