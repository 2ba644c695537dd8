import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
    expect(workflows.map(({ path }) => path)).toEqual(['.github/workflows/check.yml', '.github/workflows/systems.yml']);
  });

  it.each(workflows.map(({ path, text }) => [path, text]))('%s has no mistakes', (_, text) => {
    expect(mistakesIn(text ?? '')).toEqual([]);
  });

  const good = workflows[0]?.text ?? '';

  it.each([
    ['jobs:', 'job:', 'jobs:'],
    ['checkout@v6', 'checkout', 'is not pinned: actions/checkout'],
    ['npm run check', 'npm run chekc', 'is no script: chekc'],
    ['    steps:', '\tsteps:', 'is no YAML of ours: \tsteps:'],
    ['    steps:', '   steps:', 'is no YAML of ours:    steps:'],
    ['    steps:', '          steps:', 'is no YAML of ours:           steps:'],
    ['    steps:', '    steps', 'is no YAML of ours:     steps'],
  ])('with `%s` as `%s` they would have one', (from, to, mistake) => {
    expect(mistakesIn(good.replace(from, to))).toContain(mistake);
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
