import { readFileSync } from 'node:fs';
import type { GrowthCost, RunResult } from '../properties/runner/verdict.ts';
import { benchSection } from './html-bench.ts';
import { clausesSection } from './html-clauses.ts';
import { coverageSection } from './html-coverage.ts';
import { dateWords, environmentSection } from './html-environment.ts';
import { PAGE_SCRIPT } from './html-filter.ts';
import { findingsSection } from './html-findings.ts';
import { growthSection } from './html-growth.ts';
import { mutantsSection } from './html-mutants.ts';
import { type PageWords, verdictMarkup } from './html-parts.ts';
import { expectedSection, systemsSection } from './html-systems.ts';
import { transitionsSection } from './html-transitions.ts';
import { type Markup, markup } from './markup.ts';
import type { RecordedRun } from './merge.ts';
import type { Companions } from './recorded.ts';
import { findingsOf, resultsBySystem, verdictWords, worstVerdict } from './scoreboard.ts';

export interface PageOptions extends PageWords, Companions {
  /** The runs of which this one is the sum; itself when left out. */
  readonly parts?: readonly RecordedRun[];
  /** What has to be known before the run is believed. */
  readonly remarks?: readonly string[];
  /** What growth costs; no section when left out. */
  readonly growth?: readonly GrowthCost[];
}

/** The report as one HTML file that needs nothing beside it: no server, no network, no font. */
export function htmlPage(run: RunResult, options: PageOptions): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">
<title>VFIO interrupt conformance: ${verdictWords(run)}</title>
<style>
${{ markup: style() }}
</style>
</head>
<body>
<a class="skip" href="#systems">Skip to the results</a>
${headerMarkup(run, options)}
<main>
${systemsSection(run, options)}
${growthSection(options.growth ?? [])}
${expectedSection(run, options)}
${findingsSection(run, options)}
${clausesSection(run, options.clauses)}
${transitionsSection(run)}
${mutantsSection(options.mutants)}
${benchSection(options.bench)}
${coverageSection(options.coverage)}
${environmentSection(options.parts ?? [run])}
</main>
<script>
${{ markup: PAGE_SCRIPT }}
</script>
</body>
</html>
`.markup;
}

/** Whatever a hostile name might smuggle in, the page fetches nothing. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** The files that lie beside this one and are carried by the page. */
function style(): string {
  const files = ['page.css', 'tables.css', 'timeline.css', 'legend.css', 'charts.css'];
  return files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8').trim()).join('\n\n');
}

function headerMarkup(run: RunResult, { growth = [], remarks = [], mutants, bench, coverage }: PageOptions): Markup {
  const systems = [...resultsBySystem(run)].map(
    ([system, results]) => markup`<li>${verdictMarkup(worstVerdict(results), results)} <strong>${system}</strong></li>
`,
  );
  return markup`<header data-verdict="${worstVerdict(run.results)}">
<p class="product">vfio-irq-conformance</p>
<h1>VFIO interrupt conformance</h1>
<p class="summary">${verdictWords(run)}</p>
${remarks.map(
  (remark) => markup`<p class="remark-on-run">${remark}</p>
`,
)}<ul class="pills" aria-label="Verdict of each system">
${systems}</ul>
<p class="quiet"><time datetime="${run.startedAt}">${dateWords(run.startedAt)}</time>
· seed ${run.seed} · ${run.seconds.toFixed(1)} s</p>
<nav aria-label="Sections">
<a href="#systems">Systems</a>${
    growth.length === 0
      ? ''
      : markup`
<a href="#growth">Growth</a>`
  }
<a href="#expected">Expected violations</a>
<a href="#findings">Findings <span class="quiet">${findingsOf(run).length}</span></a>
<a href="#clauses">Clauses</a>
<a href="#transitions">Transitions</a>${
    mutants === undefined
      ? ''
      : markup`
<a href="#mutants">Mutants</a>`
  }${
    bench === undefined
      ? ''
      : markup`
<a href="#bench">Benchmarks</a>`
  }${
    coverage === undefined
      ? ''
      : markup`
<a href="#coverage">Code coverage</a>`
  }
<a href="#environment">Environment</a>
</nav>
</header>`;
}
