import { describe, expect, it } from 'vitest';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import type { RunResult } from '../properties/runner/verdict.ts';
import { CRASH, GLOSSARY, RUN, replayCommand } from './fixture.ts';
import { htmlPage } from './html.ts';

const ENVIRONMENT = {
  node: 'v20.20.2',
  platform: 'linux x64',
  commands: [{ purpose: 'Draw the same scenarios again', command: 'npm start -- run --seed 42' }],
};
const OPTIONS = { ...GLOSSARY, replayCommand, environment: ENVIRONMENT };

const PAGE = htmlPage(RUN, OPTIONS);

/** The run with a finding whose every word is hostile. */
const HOSTILE_RUN: RunResult = {
  ...RUN,
  results: RUN.results.map((result) => (result.verdict === 'errored' ? { ...result, findings: [CRASH] } : result)),
};
const HOSTILE = '</style><script>alert("x")</script><img src=x onerror=\'y\'>';
const HOSTILE_PAGE = htmlPage(
  {
    ...HOSTILE_RUN,
    results: HOSTILE_RUN.results.map((result) => ({
      ...result,
      system: HOSTILE,
      profile: HOSTILE,
      ...(result.reason === undefined ? {} : { reason: HOSTILE }),
    })),
  },
  {
    clauses: GLOSSARY.clauses.map((clause) => ({ ...clause, title: HOSTILE, source: HOSTILE })),
    invariants: GLOSSARY.invariants.map((invariant) => ({ ...invariant, promise: HOSTILE, source: HOSTILE })),
    expectedViolations: [],
    replayCommand: () => HOSTILE,
    environment: { node: HOSTILE, platform: HOSTILE, commands: [{ purpose: HOSTILE, command: HOSTILE }] },
  },
);

const VOID = new Set(['meta', 'br', 'input', '!doctype']);

/** The tags of a page in order, without what its style and script hold. */
function tagsOf(page: string): readonly string[] {
  const bare = page.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '<$1></$1>');
  return [...bare.matchAll(/<(\/?[a-z!][a-z0-9]*)(?:\s(?:"[^"]*"|[^">])*)?>/gi)].map(([, tag]) => tag ?? '');
}

function expectNested(page: string): void {
  const open: string[] = [];
  for (const tag of tagsOf(page)) {
    if (VOID.has(tag)) continue;
    if (tag.startsWith('/')) expect(open.pop()).toBe(tag.slice(1));
    else open.push(tag);
  }
  expect(open).toEqual([]);
}

function matches(page: string, pattern: RegExp): readonly string[] {
  return [...page.matchAll(pattern)].map(([, group]) => group ?? '');
}

describe('page', () => {
  it('shows a fault that a system is known for in the column of conformance', () => {
    const [first, ...others] = RUN.results;
    if (first === undefined) throw new Error('the run has no results');
    const known = { invariant: 'conformance', clause: 'qemu.msix-enable.hole', count: 3, findings: [] } as const;
    const held = { ...first, verdict: 'pass', divergences: 0, findings: [], violations: [known] } as const;
    const cells = htmlPage({ ...RUN, results: [held, ...others] }, OPTIONS).match(
      /<td class="cell expected">.*?<\/td>/g,
    );
    expect(cells?.[0]).toContain('title="qemu.msix-enable.hole:');
    expect(cells?.[0]).toContain('>3</span>');
  });

  it('reads as it should', async () => {
    const page = PAGE.replace(/<style>[\s\S]*<\/style>/, '<style></style>');
    await expect(page).toMatchFileSnapshot('golden/page.html');
  });

  it('carries its style', () => {
    expect(PAGE).toContain('prefers-color-scheme: dark');
    expect(PAGE).toContain('.timeline');
  });

  it.each([
    ['a plain run', PAGE],
    ['a hostile run', HOSTILE_PAGE],
  ])('closes what it opens: %s', (_, page) => {
    expectNested(page);
  });

  it.each([
    ['a plain run', PAGE],
    ['a hostile run', HOSTILE_PAGE],
  ])('has every place it links to, once: %s', (_, page) => {
    const ids = matches(page, /\sid="([^"]*)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = matches(page, /href="#([^"]*)"/g).map(decodeURIComponent);
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
  });

  it('has an anchor for every finding and every clause', () => {
    const ids = matches(PAGE, /\sid="([^"]*)"/g);
    const anchors = GLOSSARY.clauses.map(({ id }) => `clause-${id}`);
    expect(ids).toEqual(expect.arrayContaining([...anchors, 'finding-3f9a0c21', 'finding-b07d51e8']));
  });

  it('escapes whatever it is given', () => {
    expect(HOSTILE_PAGE).not.toContain('<img');
    expect(HOSTILE_PAGE).not.toContain('alert("x")');
    expect(matches(HOSTILE_PAGE, /<(script)\b/g)).toHaveLength(1);
    expect(matches(HOSTILE_PAGE, /<\/(style)>/g)).toHaveLength(1);
    expect(HOSTILE_PAGE).toContain('&lt;img src=x onerror=&#39;y&#39;&gt;');
  });

  it('fetches nothing', () => {
    expect(PAGE).not.toMatch(/https?:\/\/|\ssrc=|<link\b|@import|url\(/);
    expect(matches(PAGE, /href="(.)/g).filter((first) => first !== '#')).toEqual([]);
  });

  it('shows unreached clauses first', () => {
    const rows = matches(PAGE, /data-reach="(\w+)"/g);
    expect(rows).toEqual(['unreached', 'reached', 'reached', 'reached', 'reached']);
  });

  it('shows the calls of a VMM beside what its guest did', () => {
    const article = /id="finding-5e1fd0a4"[\s\S]*?<\/article>/.exec(PAGE)?.[0] ?? '';
    expect(matches(article, /<th scope="col"[^>]*>([^<]*)</g)).toEqual([
      ...['#', 'guest', 'calls of the VMM', 'device', 'answer', 'now observed'],
    ]);
    expect(article).toContain('<code class="call line">vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 i1]: ok</code>');
    expect(article).toContain('<span class="change guest line">guest: 1 unmasked</span>');
    expect(article).toContain('<span class="event line">message 0x4000 to 0x100000</span>');
  });

  it('has what growth costs where it was counted', () => {
    const page = htmlPage(RUN, { ...OPTIONS, growth: growthCosts([8]) });
    expectNested(page);
    expect(page).toContain('<a href="#growth">Growth</a>');
    expect(matches(page, /<th scope="row">([a-z0-9, -]+) <span class="quiet">linux/g)).toEqual([
      ...['vector 0, then tear-downs', 'tear-downs', 'one by one', 'all at enable'],
    ]);
    expect(PAGE).not.toContain('#growth');
  });

  it('says so when there is nothing to show', () => {
    const page = htmlPage({ ...RUN, results: [] }, { ...GLOSSARY, replayCommand });
    expect(page).toContain('Nothing was tested.');
    expect(page).toContain('None is expected of the profiles of this run.');
    expect(page).toContain(`<dd>${process.version}</dd>`);
    expectNested(page);
  });
});
