import { describe, expect, it } from 'vitest';
import type { RunResult } from '../properties/runner/verdict.ts';
import { GLOSSARY, RUN, replayCommand, WIDE_RUN } from './fixture.ts';
import { ANSI } from './palette.ts';
import { scoreboardText } from './scoreboard-text.ts';

const OPTIONS = {
  ...GLOSSARY,
  findingFile: ({ id }: { readonly id: string }) => `reports/out/findings/${id}.jsonl`,
  replayCommand,
  clausesCommand: 'npm start -- clauses',
  page: 'reports/out/index.html',
};

function lastLine(run: RunResult): string | undefined {
  return scoreboardText(run, OPTIONS).split('\n').at(-1);
}

function only(...verdicts: readonly string[]): RunResult {
  return { ...RUN, results: RUN.results.filter(({ verdict }) => verdicts.includes(verdict)) };
}

describe('scoreboard', () => {
  it('reads as it should', async () => {
    await expect(scoreboardText(RUN, OPTIONS)).toMatchFileSnapshot('golden/scoreboard.txt');
  });

  it('stays short where there are many hosts and VMMs', async () => {
    await expect(scoreboardText(WIDE_RUN, OPTIONS)).toMatchFileSnapshot('golden/scoreboard-wide.txt');
    const { page: _, ...pageless } = OPTIONS;
    expect(scoreboardText(WIDE_RUN, pageless)).toContain('qemu-10.0/irqfd, all-at-enable\n');
  });

  it('says in its last line what the run came to', () => {
    expect(lastLine(only('pass'))).toBe('✓ Everything held: 4 of 4 campaigns.');
    expect(lastLine(only('pass', 'skipped'))).toBe('✓ Everything held: 4 of 4 campaigns, 1 not tested.');
    expect(lastLine(only('fail'))).toBe('✗ 0 of 1 campaigns held: broken on mutant:partial-extend-on-error.');
    expect(lastLine(only('errored'))).toBe('✗ 0 of 1 campaigns held: the harness failed on stdio:./slow-server.');
    expect(lastLine(only('skipped'))).toBe('– Nothing was tested.');
  });

  it('tells a profile in one column where no system has a VMM', () => {
    const results = RUN.results.filter(({ profile }) => !profile.includes('+'));
    expect(scoreboardText({ ...RUN, results }, OPTIONS)).toMatch(/^ +system +profile +verdict/m);
  });

  it('keeps what was run on one host together', () => {
    const lines = scoreboardText(RUN, OPTIONS).split('\n').slice(1, 6);
    expect(lines.map((line) => line.split(/ {2,}/).slice(1, 4))).toEqual([
      ['', 'system', 'host'].slice(1).concat('VMM'),
      ['✓ reference', 'linux-6.1', 'alone'],
      ['✓', 'qemu-7.2', 'pass'],
      ['✓', 'linux-6.12', 'alone'],
      ['✓', 'qemu-7.2/irqfd', 'pass'],
    ]);
  });

  it('says how a system behaved when it was asked, and that another profile was named', () => {
    const [first] = only('pass').results;
    if (first === undefined) throw new Error('the fixture has a system that passed');
    const host = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' } as const;
    const asked = (profile: string | null): string =>
      scoreboardText({ ...RUN, results: [{ ...first, probed: { host, profile } }] }, OPTIONS);
    expect(asked(first.profile)).toContain(`behaves as ${first.profile}: MSI-X grows while on; ranges beyond`);
    expect(asked(first.profile)).not.toContain('which was named');
    expect(asked('linux-6.12')).toContain('behaves as linux-6.12: MSI-X grows');
    expect(asked('linux-6.12')).toContain(`held against ${first.profile}, which was named`);
    expect(asked(null)).toContain('behaves as no profile does: MSI-X grows');
  });

  it('keeps clauses apart that are never drawn', () => {
    const clause = { id: 'pci.x.y', title: 'Nothing happens.', source: 'ours', undrawn: 'nothing could come of it' };
    const text = scoreboardText(RUN, { ...OPTIONS, clauses: [...GLOSSARY.clauses, clause] });
    expect(text).toContain('4 of 6  1 are never drawn');
    expect(text).not.toContain('Nothing happens.');
  });

  it('leaves out what there is nothing to say about', () => {
    const text = scoreboardText(only('pass'), { ...OPTIONS, clauses: [] });
    for (const heading of ['no longer occur', 'nobody expects', 'Not tested', 'harness failed', 'Findings']) {
      expect(text).not.toContain(heading);
    }
  });

  it('counts unreached clauses instead of listing them when there are many', () => {
    const clauses = Array.from({ length: 40 }, (_, index) => ({ id: `c.${index}`, title: 't', source: 's' }));
    const text = scoreboardText(RUN, { ...OPTIONS, clauses });
    expect(text).toContain('Clauses reached  0 of 40\n    40 clauses not reached: see the page');
    expect(text).not.toContain('c.7');
  });

  it('is aligned in colour too', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colour is made of
    const plain = scoreboardText(RUN, { ...OPTIONS, palette: ANSI }).replaceAll(/\u001b\[\d+m/g, '');
    expect(plain.replaceAll(/ +$/gm, '')).toBe(scoreboardText(RUN, OPTIONS));
  });
});
