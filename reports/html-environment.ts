import type { RunResult } from '../properties/runner/verdict.ts';
import { factMarkup } from './html-parts.ts';
import { type Content, type Markup, markup } from './markup.ts';
import type { RecordedRun } from './merge.ts';

/** `2025-11-21 08:30 UTC` */
export function dateWords(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Where each run was made, and the command that makes it again. */
export function environmentSection(runs: readonly RunResult[] | readonly RecordedRun[]): Markup {
  return markup`<section id="environment" aria-labelledby="environment-heading">
<h2 id="environment-heading">Environment</h2>
${runs.map((part) => ('run' in part ? runMarkup(part.run, part.file) : runMarkup(part, undefined)))}</section>`;
}

function runMarkup(run: RunResult, file: string | undefined): Markup {
  const { node, platform, kernel, cpus } = run.environment;
  return markup`<div class="run">
${file === undefined ? '' : markup`<h3>${file}</h3>\n`}<dl class="facts">
${factMarkup('date', dateWords(run.startedAt))}${factMarkup('seed', run.seed)}
${shardMarkup(run)}${factMarkup('node', node)}
${factMarkup('platform', `${platform}, ${cpus} processors, kernel ${kernel}`)}</dl>
<p class="quiet">Run the same scenarios again</p>
<pre><code>${run.command}</code></pre>
</div>
`;
}

function shardMarkup({ shard }: RunResult): Content {
  return shard.count === 1 ? '' : factMarkup('shard', `${shard.index} of ${shard.count}`);
}
