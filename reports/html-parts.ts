import type { CampaignResult, Finding } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { type Content, type Markup, markup } from './markup.ts';

/** What every section of the page is made with. */
export interface PageWords extends Glossary {
  readonly replayCommand: (finding: Finding) => string;
}

type Verdict = CampaignResult['verdict'];

const VERDICT_SYMBOLS: Readonly<Record<Verdict, string>> = { pass: '✓', fail: '✗', errored: '✗', skipped: '–' };

const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'held',
  fail: 'did not hold',
  errored: 'harness failed',
  skipped: 'not tested',
};

/** @param results what it is the verdict of: of what no harness has failed, shards are missing */
export function verdictMarkup(verdict: Verdict, results: readonly CampaignResult[]): Markup {
  const symbol = markup`<span aria-hidden="true">${VERDICT_SYMBOLS[verdict]}</span>`;
  const hasFailed = results.some((result) => result.verdict === 'errored' && result.missing === undefined);
  const words = verdict === 'errored' && !hasFailed ? 'incomplete' : VERDICT_WORDS[verdict];
  return markup`<span class="verdict ${verdict}">${symbol} ${words}</span>`;
}

/** A link to an anchor of this page. What a link cannot hold is encoded, and decoded by the browser. */
export function link(kind: 'finding' | 'clause' | 'invariant', id: string, words: Content): Markup {
  return markup`<a href="#${kind}-${encodeURIComponent(id)}">${words}</a>`;
}

/** A clause by its id; a link when the page has the clause. */
export function clauseLink(id: string, { clauses }: Glossary): Markup {
  const words = markup`<code>${id}</code>`;
  return clauses.some((clause) => clause.id === id) ? link('clause', id, words) : words;
}

/** An invariant by its id; a link when the page has its promise. */
export function invariantLink(id: string, { invariants }: Glossary): Markup {
  return invariants.some((invariant) => invariant.id === id) ? link('invariant', id, id) : markup`${id}`;
}

/** Links to those findings that the page shows. */
export function findingLinks(ids: readonly string[], findings: readonly Finding[]): readonly Markup[] {
  const shown = new Set(findings.map(({ id }) => id));
  return ids.filter((id) => shown.has(id)).map((id) => markup`${link('finding', id, id)} `);
}

/** One fact of a list of facts. */
export function factMarkup(name: string, value: Content): Markup {
  return markup`<div><dt>${name}</dt><dd>${value}</dd></div>
`;
}
