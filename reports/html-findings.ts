import type { Finding, RunResult } from '../properties/runner/verdict.ts';
import type { Glossary } from './glossary.ts';
import { expectationWords, headlineOf, profileWords } from './headline.ts';
import { filterForm } from './html-filter.ts';
import { factMarkup, link, type PageWords } from './html-parts.ts';
import { timelineMarkup } from './html-timeline.ts';
import { machineLines } from './machine.ts';
import { type Content, type Markup, markup } from './markup.ts';
import { findingsOf } from './scoreboard.ts';

/** Every finding with its timeline, those that fail the run first. */
export function findingsSection(run: RunResult, words: PageWords): Markup {
  const findings = findingsOf(run);
  const body =
    findings.length === 0
      ? markup`<p class="quiet">None.</p>`
      : [
          filterForm('.finding', 'words of a system, profile, promise', 'Which findings', CHOICES),
          findings.map((finding, place) => findingMarkup(finding, place === 0, words)),
        ];
  return markup`<section id="findings" aria-labelledby="findings-heading">
<h2 id="findings-heading">Findings</h2>
<p class="quiet">Each is shrunk to the operations that matter. Operations are numbered from 0, as in the
file.</p>
${body}
</section>`;
}

const FINDING_WORDS: Readonly<Record<Finding['verdict'], string>> = {
  divergence: '✗ divergence',
  violation: '✗ violation',
  unknown: '✗ no answer',
  expected: '≈ expected',
};

function findingMarkup(finding: Finding, isFirst: boolean, words: PageWords): Markup {
  const anchor = `finding-${finding.id}`;
  const kind = finding.verdict === 'expected' ? 'expected' : 'fail';
  return markup`<article class="card finding" id="${anchor}" data-kind="${kind}" aria-labelledby="${anchor}-heading">
<details${isFirst ? markup` open` : ''}>
<summary><h3 id="${anchor}-heading"><span class="${kind}">${FINDING_WORDS[finding.verdict]}</span>
<span class="quiet">${finding.id}</span> ${finding.system} <span class="quiet">on ${finding.profile}</span></h3>
<span class="headline">${headlineOf(finding, words)}</span></summary>
<dl class="facts">
${factsMarkup(finding, words)}</dl>
${timelineMarkup(finding, words)}
${lastWordsMarkup(finding)}
<p class="quiet">Repeat it · ${link('finding', finding.id, 'link to this finding')}</p>
<pre><code>${words.replayCommand(finding)}</code></pre>
</details>
</article>
`;
}

const CHOICES = [
  { kind: 'fail', words: 'that fail the run' },
  { kind: 'expected', words: 'expected' },
];

function factsMarkup(finding: Finding, words: Glossary): Content {
  const expectations = finding.judgement.violations.flatMap(
    (violation) => expectationWords(finding, violation, words) ?? [],
  );
  return [
    factMarkup('system', finding.system),
    factMarkup('profile', profileWords(finding)),
    factMarkup(
      'machine',
      machineLines(finding.scenario.config).map((line) => markup`<span class="line">${line}</span>`),
    ),
    finding.shortest === undefined ? '' : factMarkup('shortest', finding.shortest),
    [...new Set(expectations)].map((expectation) => factMarkup('expected', expectation)),
  ];
}

function lastWordsMarkup({ judgement }: Finding): Content {
  const { lastWords } = judgement.subject;
  return lastWords === undefined
    ? ''
    : markup`<p class="quiet">Last words of the system</p>
<pre>${lastWords.trimEnd()}</pre>`;
}
