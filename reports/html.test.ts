import { describe, expect, it } from 'vitest';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import type { RunResult } from '../properties/runner/verdict.ts';
import { CRASH, GLOSSARY, RUN, replayCommand, WIDE_RUN } from './fixture.ts';
import { htmlPage } from './html.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';

const OPTIONS = { ...GLOSSARY, replayCommand };

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
    environment: { ...RUN.environment, node: HOSTILE, platform: HOSTILE, kernel: HOSTILE },
    command: HOSTILE,
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
    remarks: [HOSTILE],
  },
);

const VOID = new Set(['meta', 'br', 'input', '!doctype']);

/** The tags of a page in order, without what its style and script hold. */
function tagsOf(page: string): readonly string[] {
  const bare = page
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '<$1></$1>')
    .replace(/<[a-z]+\s(?:"[^"]*"|[^"<>])*\/>/g, '');
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

function articleOf(page: string, id: string): string {
  return new RegExp(`<article class="card finding" id="finding-${id}"[\\s\\S]*?</article>`).exec(page)?.[0] ?? '';
}

function lanesOf(article: string): readonly string[] {
  const head = /<th scope="col" class="lanes-head">([\s\S]*?)<\/th>/.exec(article)?.[1] ?? '';
  return matches(head, /<span>([^<]*)</g);
}

/** The rows of the operations of a timeline, without what is said of them. */
function rowsOf(article: string): readonly string[] {
  return article.match(/<tr class="op[^>]*>[\s\S]*?<\/tr>/g) ?? [];
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
    const rows = matches(PAGE, /data-kind="((?:un)?reached)"/g);
    expect(rows).toEqual(['unreached', 'reached', 'reached', 'reached', 'reached']);
  });

  it('shows who acts in lanes, and the calls of a VMM with what happened between them', () => {
    const article = articleOf(PAGE, '5e1fd0a4');
    expect(lanesOf(article)).toEqual(['guest', 'VMM', 'VFIO', 'device']);
    const [, , raised = '', , lost = ''] = rowsOf(article);
    expect(raised).toContain('<span class="event line ">message 0x4000 to 0x100000</span>');
    expect(raised).toContain('aria-label="device acts, interrupt 0 delivered"');
    const calls = matches(lost, /<li[^>]*>([\s\S]*?)<\/li>/g).map((words) => words.replace(/<[^>]*>/g, ''));
    expect(calls).toEqual([
      'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: ok',
      'teardown-gap: the device raises 0, and it is lost by pci.msix.drops-while-off',
      'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [i0 i1]: ok',
    ]);
    expect(lost).toContain('<tr class="op place window">');
    expect(lost).toContain('<g class="ray lost">');
    expect(lost).toContain('<span class="change guest line">guest: 1 unmasked</span>');
  });

  it('folds calls that nothing happened between', () => {
    const [first = '', , , , lost = ''] = rowsOf(articleOf(PAGE, '5e1fd0a4'));
    expect(first).toContain('<details class="calls"><summary>2 calls of the VMM</summary>');
    expect(lost).toContain('<details class="calls" open>');
  });

  it('has the model and the system side by side from the first difference on', () => {
    const rows = rowsOf(articleOf(PAGE, '3f9a0c21'));
    expect(rows.map((row) => row.includes('The first difference'))).toEqual([false, true, false]);
    const sides = matches(rows[2] ?? '', /<div class="side [^>]*>([\s\S]*?)<\/div>/g);
    expect(
      sides.map((side) =>
        side
          .replace(/<[^>]*>/g, ' ')
          .replace(/\s+/g, ' ')
          .trim(),
      ),
    ).toEqual(['expected by the model ok raised 1 e1 +1', 'got from the system ok raised 1: lost 0 1']);
  });

  it('has the states of the vectors to point at, and as a plain table', () => {
    const article = articleOf(PAGE, '5e1fd0a4');
    expect(rowsOf(article)[1]).toContain('title="vector 0: guest unmasked; host allocated armed unmasked">0</span>');
    const table = /<details class="states">[\s\S]*?<\/details>/.exec(article)?.[0] ?? '';
    expect(matches(table, /<th scope="col">([^<]*)</g)).toEqual(['vector', '0', '1']);
    expect(matches(table, /<td>([^<]*)</g).slice(0, 4)).toEqual([
      ...['guest masked; host idle', 'guest masked; host idle'],
      ...['guest masked; host allocated armed unmasked', 'same'],
    ]);
  });

  it('explains the signs that a timeline has, and no others', () => {
    const legend = (id: string) => /<div class="legend">[\s\S]*?<\/div>/.exec(articleOf(PAGE, id))?.[0] ?? '';
    expect(legend('5e1fd0a4')).toContain('lost: it was owed, was never delivered, and is not pending');
    expect(legend('5e1fd0a4')).toContain('<b>teardown-gap</b>, a window: MSI-X or MSI has been turned off');
    expect(legend('5e1fd0a4')).not.toContain('kept in a pending bit');
    expect(legend('3f9a0c21')).not.toContain('a window');
  });

  it('shows what changed in the parent of mdevs beside what was asked', () => {
    const [first] = RUN.results;
    if (first === undefined) throw new Error('the run has no results');
    const page = htmlPage({ ...RUN, results: [{ ...first, findings: [NOT_DRAINED, REFUSED_IN_THE_GAP] }] }, OPTIONS);
    expectNested(page);
    const drained = articleOf(page, NOT_DRAINED.id);
    const gap = articleOf(page, REFUSED_IN_THE_GAP.id);
    expect(lanesOf(drained)).toEqual(['guest', 'VFIO', 'device']);
    expect(lanesOf(gap)).toEqual(['guest', 'VMM', 'VFIO', 'device']);
    expect(drained).toContain('<p>At the start</p><span class="line">mdev @0 open, default pasid 1</span>');
    expect(drained).toContain('<dd><span class="line">mdev driver: MSI-X grows while on; an IMS entry');
    const sides = matches(drained, /<div class="side [^>]*>([\s\S]*?)<\/div>/g);
    expect(sides[0]).toContain('<span class="event line ">descriptor 0 done</span>');
    expect(matches(sides[1] ?? '', /<span class="change parent line">([^<]*)</g)).toEqual([
      ...['entry 0 of @0.1: unmasked pasid 1 irq 0x101', 'pasid 1 active, default of VM 0, 3 references'],
      'pasid 3 free-pending, guest 5 of VM 0, 1 reference',
    ]);
    expect(gap).toContain('<span class="event line ">SWERROR pasid 0</span>');
  });

  it('has many VMMs that held in one row, and each by itself behind it', () => {
    const page = htmlPage(WIDE_RUN, OPTIONS);
    expectNested(page);
    const [matrix = '', each = ''] = page.match(/<table class="matrix">[\s\S]*?<\/table>/g) ?? [];
    const names = (table: string) =>
      matches(table, /<tr(?: class="host")?><th scope="row">([\s\S]*?)<\/th>/g).map((name) =>
        name.replaceAll(/<span class="hidden">.*?<\/span>|<[^>]*>/g, '').trim(),
      );
    expect(names(matrix)).toEqual([
      ...['linux-6.1', '+ 5 VMMs', 'idxd-mdev', '+ 5 VMMs', 'idxd-mdev-immediate', '+ 5 VMMs'],
      ...['idxd-mdev-fixed', '+ qemu-7.2', '+ qemu-7.2/irqfd', '+ qemu-10.0', '+ qemu-10.0/irqfd', '+ all-at-enable'],
    ]);
    expect(names(each)).toHaveLength(15);
    expect(names(each)[1]).toBe('+ qemu-7.2/irqfd');
    expect(each).toContain('reference <span class="verdict fail">');
    expect(page).toContain(
      '<summary>Each VMM by itself, where the table has several in one row: 15 campaigns</summary>',
    );
    expect(PAGE).not.toContain('Each VMM by itself');
  });

  it('has the counts of one host on one line where there are many', () => {
    const page = htmlPage(WIDE_RUN, OPTIONS);
    const lines = matches(page, /<li>(<span class="expected">[\s\S]*?)<\/li>/g);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe(
      '<span class="expected">≈ 81 scenarios</span> reference\n<span class="quiet">on idxd-mdev: alone 11, ' +
        'qemu-7.2 12, qemu-7.2/irqfd 13, qemu-10.0 14, qemu-10.0/irqfd 15, all-at-enable 16</span> ',
    );
    const reached = matches(page, /<p class="reach">([\s\S]*?)<\/p>/g);
    expect(reached[1]).toBe('idxd-mdev <span><b>100</b></span> <span>+ 5 VMMs <b>515</b></span> ');
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
    expect(page).toContain('<dd>v20.20.2</dd>');
    expectNested(page);
  });
});

it('does not say of a promise that it held where nothing is promised', () => {
  const silent = { ...GLOSSARY, invariants: GLOSSARY.invariants.map((one) => ({ ...one, isPromisedOn: () => false })) };
  expect(htmlPage(RUN, { ...silent, replayCommand })).toContain(
    '<td class="cell quiet" title="nothing is promised of such machines">·</td>',
  );
  expect(htmlPage(RUN, OPTIONS)).not.toContain('nothing is promised of such machines">');
});
