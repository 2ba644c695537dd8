import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT, repositoryFiles } from './repository.ts';

const workflows = repositoryFiles('.github/workflows/*');
const scripts = repositoryFiles('package.json').flatMap(({ text }) => Object.keys(JSON.parse(text).scripts));

/** Mistakes in a workflow that GitHub would report only after a push. */
function mistakesIn(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const indentOf = (line: string): number => line.replace(/- /g, '  ').search(/\S/);
  const shapes = lines.flatMap((line, place) => {
    const above = lines[place - 1] ?? '';
    const deepest = Math.max(indentOf(above), 0) + (above.endsWith(':') ? 2 : 0);
    const key = /^ *(- )?[\w-]+:( .*)?$|^ *- \S/.test(line);
    return key && line.search(/\S/) % 2 === 0 && line.search(/\S/) <= deepest ? [] : [`is no YAML of ours: ${line}`];
  });
  const uses = [...text.matchAll(/uses: (\S+)/g)].map((match) => match[1] ?? '');
  const runs = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
  return [
    ...['name:', 'on:', 'permissions:', 'jobs:'].filter((key) => !lines.some((line) => line.startsWith(key))),
    ...shapes,
    ...uses.filter((action) => !/^[\w-]+\/[\w-]+@v\d+$/.test(action)).map((action) => `is not pinned: ${action}`),
    ...runs.filter((script) => !scripts.includes(script)).map((script) => `is no script: ${script}`),
  ];
}

describe('workflows', () => {
  it('exist', () => {
    const names = ['campaign', 'check', 'systems'].map((name) => `.github/workflows/${name}.yml`);
    expect(workflows.map(({ path }) => path)).toEqual(names);
  });

  it.each(workflows.map(({ path, text }) => [path, text]))('%s has no mistakes', (_, text) => {
    expect(mistakesIn(text ?? '')).toEqual([]);
  });

  const good = workflows.find(({ path }) => path.endsWith('/check.yml'))?.text ?? '';

  it.each([
    ['jobs:', 'job:', 'jobs:'],
    ['checkout@v6', 'checkout', 'is not pinned: actions/checkout'],
    ['npm run lint', 'npm run lnit', 'is no script: lnit'],
    ['    steps:', '\tsteps:', 'is no YAML of ours: \tsteps:'],
    ['    steps:', '   steps:', 'is no YAML of ours:    steps:'],
    ['    steps:', '          steps:', 'is no YAML of ours:           steps:'],
    ['    steps:', '    steps', 'is no YAML of ours:     steps'],
  ])('with `%s` as `%s` they would have one', (from, to, mistake) => {
    expect(mistakesIn(good.replace(from, to))).toContain(mistake);
  });
});

describe('tests in shards', () => {
  const { jobs } = parse(workflows.find(({ path }) => path.endsWith('/check.yml'))?.text ?? '');
  const { node, shard } = jobs.tests.strategy.matrix;
  const commandIn = (job: { steps: readonly { run?: string }[] }): string =>
    job.steps.find(({ run }) => run?.startsWith('npm test'))?.run ?? 'false';
  const command = commandIn(jobs.tests);

  it('are all there, and those of each version of Node are put together', () => {
    expect(command).toContain(`/${shard.length} `);
    expect(shard).toEqual([...shard.keys()].map((place) => place + 1));
    expect(jobs['tests-report'].strategy.matrix.node).toEqual(node);
  });

  it('are the tests that there are, once each', { timeout: 300_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'vfio-irq-blobs-'));
    try {
      const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV)/.test(name));
      const sh = (script: string): string =>
        execFileSync('sh', ['-euc', script.replaceAll('reports/out', folder)], {
          ...{ cwd: ROOT, encoding: 'utf8', env: { ...Object.fromEntries(inherited), NO_COLOR: '1' } },
        });
      const named = 'model/model.test model/vocabulary/notation reports/merge reports/layout';
      for (const index of shard) sh(`${command.replaceAll(/\$\{\{ matrix\.shard \}\}/g, String(index))} ${named}`);
      const told = sh(`${commandIn(jobs['tests-report'])} --reporter=json`);
      const { testResults, numFailedTests } = JSON.parse(told.slice(told.indexOf('{"')));
      const files = testResults.map(({ name }: { name: string }) => relative(ROOT, name));
      expect(files.sort()).toEqual([
        ...['model/model.test.ts', 'model/vocabulary/notation.test.ts'],
        ...['reports/layout.test.ts', 'reports/merge.test.ts'],
      ]);
      expect(numFailedTests).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('.ci/run', () => {
  it('is a script that bash can read', () => {
    execFileSync('bash', ['-n', join(ROOT, '.ci/run')]);
  });

  it('runs only scripts that exist', () => {
    const runs = repositoryFiles('.ci/run').flatMap(({ text }) => [...text.matchAll(/npm run ([\w:-]+)/g)]);
    expect(runs.map((match) => match[1]).filter((script) => !scripts.includes(script ?? ''))).toEqual([]);
    expect(runs).not.toEqual([]);
  });
});
