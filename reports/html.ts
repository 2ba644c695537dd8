import { readFileSync } from 'node:fs';
import type { GrowthCost, RunResult } from '../properties/runner/verdict.ts';
import { clausesSection, FILTER_SCRIPT } from './html-clauses.ts';
import { findingsSection } from './html-findings.ts';
import { growthSection } from './html-growth.ts';
import { factMarkup, type PageWords, verdictMarkup } from './html-parts.ts';
import { expectedSection, systemsSection } from './html-systems.ts';
import { type Markup, markup } from './markup.ts';
import { findingsOf, resultsBySystem, verdictWords, worstVerdict } from './scoreboard.ts';

/** Where a run was made, and how to make it again. */
export interface Environment {
  /** `process.version` */
  readonly node: string;
  /** For example `linux x64`. */
  readonly platform: string;
  /** What each command is for, and the command. */
  readonly commands: readonly { readonly purpose: string; readonly command: string }[];
}

export interface PageOptions extends PageWords {
  /** This process, and the command for the same seed, when left out. */
  readonly environment?: Environment;
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
${headerMarkup(run, options.growth ?? [])}
<main>
${systemsSection(run, options)}
${growthSection(options.growth ?? [])}
${expectedSection(run, options)}
${findingsSection(run, options)}
${clausesSection(run, options.clauses)}
${environmentSection(run, options.environment ?? environmentHere(run))}
</main>
<script>
${{ markup: FILTER_SCRIPT }}
</script>
</body>
</html>
`.markup;
}

/** Whatever a hostile name might smuggle in, the page fetches nothing. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** The files that lie beside this one and are carried by the page. */
function style(): string {
  const files = ['page.css', 'timeline.css'];
  return files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8').trim()).join('\n\n');
}

function environmentHere({ seed }: RunResult): Environment {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    commands: [{ purpose: 'Draw the same scenarios again', command: `npm start -- run --seed ${seed}` }],
  };
}

function headerMarkup(run: RunResult, growth: readonly GrowthCost[]): Markup {
  const systems = [...resultsBySystem(run)].map(
    ([system, results]) => markup`<li>${verdictMarkup(worstVerdict(results))} <strong>${system}</strong></li>
`,
  );
  return markup`<header data-verdict="${worstVerdict(run.results)}">
<p class="product">vfio-irq-conformance</p>
<h1>VFIO interrupt conformance</h1>
<p class="summary">${verdictWords(run)}</p>
<ul class="pills" aria-label="Verdict of each system">
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
<a href="#environment">Environment</a>
</nav>
</header>`;
}

/** `2025-11-21 08:30 UTC` */
function dateWords(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function environmentSection(run: RunResult, { node, platform, commands }: Environment): Markup {
  const repeats = commands.map(
    ({ purpose, command }) => markup`<p class="quiet">${purpose}</p>
<pre><code>${command}</code></pre>
`,
  );
  return markup`<section id="environment" aria-labelledby="environment-heading">
<h2 id="environment-heading">Environment</h2>
<dl class="facts">
${factMarkup('date', dateWords(run.startedAt))}${factMarkup('seed', run.seed)}
${factMarkup('node', node)}${factMarkup('platform', platform)}</dl>
${repeats}</section>`;
}
