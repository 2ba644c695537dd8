import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { INSTALL_COMMAND } from '../impl/linux/kernels.ts';
import type { CampaignResult, Finding, RunResult } from '../properties/runner/verdict.ts';
import { CRASH, DIVERGENCE, GLOSSARY, LOST_INTERRUPT, RUN, replayCommand } from './fixture.ts';
import { GUEST_LOST } from './guest-fixture.ts';
import { htmlPage } from './html.ts';
import { NOT_DRAINED, REFUSED_IN_THE_GAP } from './mdev-fixture.ts';

const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';
/** As Debian installs it. */
const CHROMIUM = '/usr/bin/chromium';
/** Pictures for people, kept out of the repository. */
const PICTURES = join(import.meta.dirname, 'out', 'pictures');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BYTES_MAX = 1.5e6;
const FINDINGS = [DIVERGENCE, LOST_INTERRUPT, GUEST_LOST, CRASH, NOT_DRAINED, REFUSED_IN_THE_GAP];

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** The golden run with twenty findings, and of everything else something. */
function fullPage(): string {
  const [first, ...others] = RUN.results;
  if (first === undefined) throw new Error('the run has results');
  const findings = Array.from({ length: 20 }, (_, place): Finding => {
    const finding = FINDINGS[place % FINDINGS.length] ?? DIVERGENCE;
    return place < FINDINGS.length ? finding : { ...finding, id: place.toString(16).padStart(8, '0') };
  });
  const results: readonly CampaignResult[] = [
    { ...first, findings },
    ...others.map((result) => ({ ...result, findings: [] })),
  ];
  const run: RunResult = { ...RUN, results };
  const row = { section: 'Engine', what: 'the model', against: 'the implementation', amount: 1.2e5 };
  return htmlPage(run, {
    ...{ ...GLOSSARY, replayCommand, remarks: ['Shard 2 of 3 of seed 42 is missing: 7 campaigns are incomplete.'] },
    bench: [0.4, 1.9, 7.4].map((ratio) => ({ ...row, unit: 'operations/s', ratio, of: 'time' })),
    mutants: Array.from({ length: 30 }, (_, place) => ({
      ...{
        id: `S${place}`,
        title: 'a fault',
        tier: 'E',
        invariant: 'no-leak',
        seeds: 3,
        errored: 0,
        told: 3,
        proved: 3,
      },
      ...{ killed: place === 7 ? 2 : 3, by: ['no-leak'], toldAfter: null, shrunk: { median: 2, worst: 3 } },
      ...{ scenarios: { median: 1, worst: 12 }, operations: { median: 40, worst: 500 }, shortest: 2, seconds: 1 },
    })),
  });
}

const isMissing = !existsSync(CHROMIUM);

describe('the page in chromium', () => {
  if (isMissing && !REQUIRED) {
    console.error(`SKIPPED the page in chromium: there is no ${CHROMIUM}; ${INSTALL_COMMAND}`);
    it.skipIf(true)(`is not tested here: ${INSTALL_COMMAND}`, () => undefined);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-page-'));
  const file = join(folder, 'index.html');
  const told: string[] = [];
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    if (isMissing) throw new Error(`there is no ${CHROMIUM}: ${INSTALL_COMMAND}`);
    writeFileSync(file, fullPage());
    mkdirSync(PICTURES, { recursive: true });
    // With a user's folder of its own, empty and gone afterwards.
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => page.context().close());

  /** The page opened anew, at a size, in a scheme of colours. */
  async function open(hash = '', width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    page = await context.newPage();
    told.length = 0;
    page.on('console', (message) => told.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => told.push(`error: ${error.message}`));
    page.on('request', (request) => told.push(`request: ${request.url()}`));
    await page.goto(`${pathToFileURL(file).href}${hash}`);
    return page;
  }

  const shown = (selector: string): Promise<number> => page.locator(`${selector}:visible`).count();

  it('is one file of less than 1.5 MB, which asks for nothing and complains of nothing', async () => {
    await open();
    expect(told).toEqual([`request: ${pathToFileURL(file).href}`]);
    expect(statSync(file).size).toBeLessThan(BYTES_MAX);
    const paint: number = await page.evaluate(`new Promise((resolve) => {
      new PerformanceObserver((list) => {
        for (const { name, startTime } of list.getEntries()) if (name === 'first-contentful-paint') resolve(startTime);
      }).observe({ type: 'paint', buffered: true });
    })`);
    process.stdout.write(`page: ${statSync(file).size} bytes, first contentful paint after ${Math.round(paint)} ms\n`);
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [400, 'light'],
    [400, 'dark'],
  ] as const)('has no accessibility violation and does not run over: %d px, %s', async (width, scheme) => {
    await open('', width, scheme);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.screenshot({ path: join(PICTURES, `page-${width}-${scheme}.png`) });
    const lost = page.locator(`#finding-${GUEST_LOST.id}`);
    await lost.locator('summary').first().click();
    await lost.screenshot({ path: join(PICTURES, `lost-interrupt-${width}-${scheme}.png`) });
    await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
    await page.evaluate(AXE);
    const violations: readonly string[] = await page.evaluate(`axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html).join(' | ')),
    )`);
    expect(violations).toEqual([]);
  });

  it('filters findings and clauses by words and by kind, by keyboard', async () => {
    await open();
    expect(await shown('.finding')).toBe(20);
    await page.locator('#findings input[type=search]').focus();
    await page.keyboard.type('gap descriptor');
    const some = await shown('.finding');
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(20);
    expect(await page.locator('#findings output').textContent()).toBe(`${some} of 20 shown`);
    await page.locator('#findings input[type=search]').fill('no such words');
    expect(await shown('.finding')).toBe(0);
    await page.locator('#clauses').getByLabel('not reached').check();
    expect(await page.locator('#clauses tbody tr:visible').allTextContents()).toEqual([
      expect.stringContaining('vfio.set-irqs.below-minus-one'),
    ]);
  });

  it('leads to a finding and a clause by its address, whatever is filtered', async () => {
    await open(`#finding-${DIVERGENCE.id}`);
    expect(await page.locator(`#finding-${DIVERGENCE.id} .timeline`).isVisible()).toBe(true);
    await page.locator('#findings input[type=search]').fill('no such words');
    await page.evaluate(`location.assign('#finding-${LOST_INTERRUPT.id}')`);
    const heading = page.locator(`#finding-${LOST_INTERRUPT.id} .timeline`);
    await heading.waitFor({ state: 'visible' });
    await page.evaluate("location.assign('#clause-vfio.set-irqs.enable')");
    await expect.poll(() => page.evaluate("document.querySelector(':target')?.id")).toBe('clause-vfio.set-irqs.enable');
  });

  it('is not troubled by an address that somebody has mangled', async () => {
    await open('#%');
    expect(told.filter((line) => line.startsWith('error: '))).toEqual([]);
  });

  it('has no finding more than two clicks away', async () => {
    await open();
    await page.locator('nav a[href="#findings"]').click();
    for (const finding of await page.locator('.finding').all()) {
      const details = finding.locator('details').first();
      if ((await details.getAttribute('open')) === null) await finding.locator('summary').first().click();
      expect(await finding.locator('.timeline').isVisible()).toBe(true);
    }
  });

  it('tells the lost interrupt row by row', async () => {
    await open(`#finding-${GUEST_LOST.id}`);
    const rows = page.locator(`#finding-${GUEST_LOST.id} .timeline tr.op:not(.remark)`);
    const texts = (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
    expect(texts).toHaveLength(6);
    expect(texts[0]).toBe(
      '0 guest.msixControl enable 2 calls of the VMM ok 0 1 guest: MSI-X on host: MSI-X on; 0 allocated armed unmasked',
    );
    expect(texts[4]).toContain('teardown-gap: the device raises 0, and it is lost by pci.msix.drops-while-off');
    const colourOf = (selector: string): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).color`);
    expect(await colourOf(`#finding-${GUEST_LOST.id} .ray.lost`)).toBe(await colourOf('.fail'));
    await rows.nth(0).locator('summary').click();
    expect(await rows.nth(0).locator('li').allInnerTexts()).toEqual([
      ...['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []: EINVAL', 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [i0]: ok'],
    ]);
  });
});
