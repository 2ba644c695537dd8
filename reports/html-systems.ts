import type { CampaignResult, Finding, RunResult, ViolationCount } from '../properties/runner/verdict.ts';
import { CONFORMANCE_PROMISE, expectationSource, type Glossary } from './glossary.ts';
import { clauseLink, findingLinks, invariantLink, link, type PageWords, verdictMarkup } from './html-parts.ts';
import { counted, grouped } from './layout.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { ALONE, profileParts } from './places.ts';
import { type ScoreRow, scoreRows, singleRow } from './score-rows.ts';
import {
  type ExpectedGroup,
  expectedGroups,
  findingsOf,
  resultsBySystem,
  type Tally,
  worstVerdict,
} from './scoreboard.ts';

/** Systems by properties: a row per profile of a system, a column per promise. */
export function systemsSection(run: RunResult, words: PageWords): Markup {
  const { invariants } = words;
  const systems = [...resultsBySystem(run)].map(([system, results]) => ({
    ...{ system, verdict: worstVerdict(results), rows: scoreRows(results) },
  }));
  const groups = systems.map((rows) => systemRows(rows, words));
  const promises = invariants.map(
    ({ id, promise, source }) =>
      markup`<div id="invariant-${id}"><dt>${id}</dt><dd>${promise} <span class="quiet">${source}</span></dd></div>
`,
  );
  return markup`<section id="systems" aria-labelledby="systems-heading">
<h2 id="systems-heading">Systems and properties</h2>
${matrixMarkup('Systems and properties', groups, words)}
<p class="legend quiet">✓ held · a dot: nothing is promised of such machines ·
✗ did not hold, with the number of scenarios ·
<span class="expected">≈</span> broken as expected, scenarios by cause · – not tested</p>
${eachVmmMarkup(systems, words)}<h3>What each property promises</h3>
<dl class="promises">
<div><dt>conformance</dt>
<dd>${CONFORMANCE_PROMISE}</dd></div>
${promises}</dl>
</section>`;
}

/** The table, in which one can move sideways. */
function matrixMarkup(label: string, groups: readonly Markup[], { invariants }: PageWords): Markup {
  const headings = invariants.map(({ id }) => markup`<th scope="col">${link('invariant', id, id)}</th>`);
  return markup`<div class="scroll" role="region" aria-label="Table: ${label}" tabindex="0">
<table class="matrix">
<thead><tr>
<th scope="col">profile</th>
<th scope="col" class="number">scenarios</th>
<th scope="col" class="number">operations</th>
<th scope="col">conformance</th>
${headings}
</tr></thead>
${groups}</table>
</div>`;
}

/** A system and rows of it, as a table has them. */
interface SystemRows {
  readonly system: string;
  /** Of all that was run on it. */
  readonly verdict: CampaignResult['verdict'];
  readonly rows: readonly ScoreRow[];
}

/** What the table above has as the sum of many VMMs, each by itself; nothing where there is no such sum. */
function eachVmmMarkup(systems: readonly SystemRows[], words: PageWords): Content {
  const single = systems.map((system) => ({
    ...system,
    rows: system.rows.flatMap(({ sumOf }) => sumOf.map(singleRow)),
  }));
  const summed = single.filter(({ rows }) => rows.length > 0);
  if (summed.length === 0) return '';
  const groups = summed.map((rows) => systemRows(rows, words));
  const count = summed.reduce((sum, { rows }) => sum + rows.length, 0);
  return markup`<details>
<summary>Each VMM by itself, where the table has several in one row: ${counted(count, 'campaign')}</summary>
${matrixMarkup('Each VMM by itself', groups, words)}
</details>
`;
}

function systemRows({ system, verdict, rows }: SystemRows, words: PageWords): Markup {
  const results = rows.map(({ result }) => result);
  const name = markup`<span class="held">${system} ${verdictMarkup(verdict, results)}</span>`;
  return markup`<tbody>
<tr class="system"><th scope="rowgroup" colspan="${words.invariants.length + 4}">${name}</th></tr>
${rows.map((row, index) => resultRow(row, rows[index - 1], words))}</tbody>
`;
}

/** Beneath a host stand its VMMs, each told by its own name. */
function resultRow({ result, host, vmm }: ScoreRow, before: ScoreRow | undefined, words: PageWords): Markup {
  const isFirst = before?.host !== host;
  const shown = isFirst ? host : markup`<span class="hidden">${host}</span>`;
  const name = vmm === undefined ? host : markup`${shown} <span class="vmm">+ ${vmm}</span>`;
  const kind = isFirst ? markup` class="host"` : '';
  return markup`<tr${kind}><th scope="row">${name}</th>${resultCells(result, words)}</tr>
`;
}

function resultCells(result: CampaignResult, words: PageWords): Content {
  const { verdict, reason } = result;
  switch (verdict) {
    case 'skipped':
    case 'errored': {
      const given = reason ?? 'no reason was given';
      const why = markup`<span class="held">${verdictMarkup(verdict, [result])} ${given}</span>`;
      return markup`<td class="reason" colspan="${words.invariants.length + 3}">${why}</td>`;
    }
    case 'pass':
    case 'fail':
      return [
        markup`<td class="number">${grouped(result.scenarios)}</td>`,
        markup`<td class="number">${grouped(result.operations)}</td>`,
        conformanceCell(result, words),
        words.invariants.map(({ id }) => invariantCell(id, result, words)),
      ];
  }
}

function conformanceCell(result: CampaignResult, words: Glossary): Markup {
  const { divergences, findings } = result;
  const told = findings.filter(({ verdict }) => verdict === 'divergence' || verdict === 'unknown');
  if (divergences === 0 && told.length === 0) return invariantCell('conformance', result, words);
  return brokenCell(
    divergences,
    told.map(({ id }) => id),
    told,
  );
}

/** One cause's count, which leads to its example. */
function expectedCount(id: string, violation: ViolationCount, result: CampaignResult, options: Glossary): Markup {
  const { clause, count, findings } = violation;
  const source = clause === null ? '' : expectationSource(result.profile, id, clause, options);
  const shown = result.findings.find((finding) => findings.includes(finding.id));
  const number = shown === undefined ? grouped(count) : link('finding', shown.id, grouped(count));
  return markup` <span title="${clause ?? ''}: ${source}">${number}</span>`;
}

function invariantCell(id: string, result: CampaignResult, options: Glossary): Markup {
  const violations = result.violations.filter(({ invariant }) => invariant === id);
  const unexpected = violations.find(({ clause, count }) => clause === null && count > 0);
  if (unexpected !== undefined) return brokenCell(unexpected.count, unexpected.findings, result.findings);
  if (violations.some(({ clause, count }) => clause !== null && count === 0)) {
    return markup`<td class="cell fail">✗ no longer occurs</td>`;
  }
  const expected = violations.filter(({ clause }) => clause !== null);
  if (expected.length === 0) return isSilent(id, result, options) ? SILENT_CELL : HELD_CELL;
  const counts = expected.map((violation) => expectedCount(id, violation, result, options));
  return markup`<td class="cell expected">≈${counts}</td>`;
}

const HELD_CELL = markup`<td class="cell pass">✓</td>`;
const SILENT_CELL = markup`<td class="cell quiet" title="nothing is promised of such machines">·</td>`;

/** What says nothing of a machine has not held there. */
function isSilent(id: string, { profile }: CampaignResult, { invariants }: Glossary): boolean {
  const invariant = invariants.find((promised) => promised.id === id);
  return invariant?.isPromisedOn !== undefined && !invariant.isPromisedOn(profile);
}

function brokenCell(count: number, ids: readonly string[], findings: readonly Finding[]): Markup {
  return markup`<td class="cell fail">✗ ${grouped(count)} ${findingLinks(ids, findings)}</td>`;
}

/** The expected violations of the run, those that no longer occur first. */
export function expectedSection(run: RunResult, words: PageWords): Markup {
  const groups = expectedGroups(run, words);
  const body =
    groups.length === 0
      ? markup`<p class="quiet">None is expected of the profiles of this run.</p>`
      : groups.map((group) => expectedMarkup(group, run, words));
  return markup`<section id="expected" aria-labelledby="expected-heading">
<h2 id="expected-heading">Expected violations</h2>
<p class="quiet">The known history of a profile, each with its source. One that no longer occurs fails the run.</p>
${body}
</section>`;
}

function expectedMarkup(group: ExpectedGroup, run: RunResult, words: Glossary): Markup {
  const { invariant, clause, source, found, gone } = group;
  const findings = findingsOf(run);
  return markup`<article class="card">
<h3>${invariantLink(invariant, words)} <span class="quiet">by</span> ${clauseLink(clause, words)}</h3>
<p>${source}</p>
<ul class="tallies">
${gone.map((tally) => tallyMarkup(tally, findings))}${foundMarkup(found, findings)}</ul>
</article>
`;
}

/** Tallies that have a line each; of more those on one host stand on one. */
const TALLIES_TOLD_MAX = 12;

function foundMarkup(found: readonly Tally[], findings: readonly Finding[]): readonly Markup[] {
  if (found.length <= TALLIES_TOLD_MAX) return found.map((tally) => tallyMarkup(tally, findings));
  return hostTallies(found).map((tallies) => hostTallyMarkup(tallies, findings));
}

/** What one system showed on one host. */
interface HostTally {
  readonly system: string;
  readonly host: string;
  readonly tallies: readonly Tally[];
}

function hostTallies(tallies: readonly Tally[]): readonly HostTally[] {
  const places = new Map<string, HostTally>();
  for (const tally of tallies) {
    const { system, profile } = tally;
    const { host } = profileParts(profile);
    const key = JSON.stringify([system, host]);
    places.set(key, { system, host, tallies: [...(places.get(key)?.tallies ?? []), tally] });
  }
  return [...places.values()];
}

function hostTallyMarkup({ system, host, tallies }: HostTally, findings: readonly Finding[]): Markup {
  const sum = tallies.reduce((total, { count }) => total + count, 0);
  const counts = tallies.map(({ profile, count }) => `${profileParts(profile).vmm ?? ALONE} ${grouped(count)}`);
  const ids = tallies.flatMap(({ findings: told }) => told);
  return markup`<li><span class="expected">≈ ${counted(sum, 'scenario')}</span> ${system}
<span class="quiet">on ${host}: ${counts.join(', ')}</span> ${findingLinks(ids, findings)}</li>
`;
}

function tallyMarkup({ system, profile, count, findings: ids }: Tally, findings: readonly Finding[]): Markup {
  const verdict =
    count === 0
      ? markup`<span class="fail">✗ no longer occurs</span>`
      : markup`<span class="expected">≈ ${counted(count, 'scenario')}</span>`;
  return markup`<li>${verdict} ${system} <span class="quiet">on ${profile}</span> ${findingLinks(ids, findings)}</li>
`;
}
