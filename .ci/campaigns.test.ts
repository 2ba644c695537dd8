import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ROOT } from './repository.ts';

const TIMEOUT_MS = 300_000;
const scratch = mkdtempSync(join(tmpdir(), 'vfio-irq-campaigns-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Answer {
  readonly code: number;
  readonly out: string;
}

/** Runs a script in the repository, as the machine of a campaign would. */
function shell(script: string, variables: Readonly<Record<string, string>>): Promise<Answer> {
  const env = { ...process.env, ...variables, XDG_CACHE_HOME: join(scratch, 'cache'), NO_COLOR: '1' };
  return new Promise((resolve) => {
    const child = execFile('sh', ['-euc', script], { cwd: ROOT, env, maxBuffer: 2 ** 24 }, (_error, out, error) =>
      resolve({ code: child.exitCode ?? -1, out: out + error }),
    );
  });
}

const scenariosIn = (folder: string): number =>
  JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')).systems.reduce(
    (sum: number, { scenarios }: { scenarios: number }) => sum + scenarios,
    0,
  );

/** Shards run as processes, merged, and merged again without one of them. */
async function expectWhole(
  folder: string,
  shards: readonly (() => Promise<Answer>)[],
  report: () => Promise<Answer>,
  whole: number,
): Promise<void> {
  for (const { code, out } of await Promise.all(shards.map((start) => start()))) expect(code, out).toBe(0);
  const places = shards.map((_, place) => join(folder, `shard-${place + 1}`));
  expect(places.map(scenariosIn).reduce((sum, scenarios) => sum + scenarios)).toBe(whole);
  const merged = await report();
  expect([merged.code, merged.out]).toEqual([0, expect.stringContaining('Everything held')]);
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('</html>');
  renameSync(places.at(-1) ?? '', join(folder, 'lost'));
  const torn = await report();
  expect(torn.code, torn.out).toBe(4);
  expect(torn.out).toContain(`! Shard ${shards.length} of ${shards.length} of seed 5 is missing`);
  expect(torn.out).not.toContain('Everything held');
}

/** What one run has: the stories of what is expected, and what is drawn. */
async function scenariosOfOne(runs: number): Promise<number> {
  const out = join(scratch, `one-${runs}`);
  const { code, out: said } = await shell(
    `npm start -- run --system optimised --runs ${runs} --seed 5 --out '${out}' ${PROFILES}`,
    {},
  );
  expect(code, said).toBe(0);
  return scenariosIn(out);
}

/** Five blocks, the last of which is not a whole one, on a host and with mdevs: a campaign has all there are. */
const RUNS = 220;
const PROFILES = '--profile linux-6.1 --profile idxd-mdev';
let ofOne: Promise<number> | undefined;
const whole = (): Promise<number> => {
  ofOne ??= scenariosOfOne(RUNS);
  return ofOne;
};

describe('the matrix of GitHub', () => {
  const workflow = z
    .object({
      jobs: z.object({
        shard: z.object({
          strategy: z.object({ 'fail-fast': z.literal(false), matrix: z.object({ shard: z.array(z.int()) }) }),
          steps: z.array(
            z.object({ run: z.string().optional(), uses: z.string().optional(), if: z.string().optional() }),
          ),
        }),
        report: z.object({
          needs: z.literal('shard'),
          if: z.literal('always()'),
          steps: z.array(z.object({ run: z.string().optional(), uses: z.string().optional() })),
        }),
      }),
    })
    .parse(parse(textOf('.github/workflows/campaign.yml')));
  const { shard, report } = workflow.jobs;
  const shards = shard.strategy.matrix.shard;
  const commandIn = (steps: readonly { run?: string | undefined }[]): string =>
    steps.find(({ run }) => run?.startsWith('npm start -- '))?.run ?? 'false';

  it('has a shard for each number from 1', () => {
    expect(shards).toEqual(shards.map((_, place) => place + 1));
    expect(shards.length).toBeGreaterThan(1);
  });

  it('keeps what a shard has left, also where it did not hold', () => {
    expect(shard.steps.at(-1)).toMatchObject({ uses: 'actions/upload-artifact@v6', if: 'always()' });
    expect(report.steps.map(({ uses = '' }) => uses)).toContain('actions/download-artifact@v6');
  });

  it(
    'is whole as processes here, and not without one of them',
    async () => {
      const folder = join(scratch, 'matrix');
      const here = (command: string): string => command.replaceAll('reports/out', folder);
      const variables = { RUNS: String(RUNS), SEED: '5' };
      const starts = shards.map((index) => () => {
        const command = commandIn(shard.steps)
          .replaceAll(/\$\{\{ matrix\.shard \}\}/g, String(index))
          .replaceAll(/\$\{\{ strategy\.job-total \}\}/g, String(shards.length));
        expect(command).not.toContain('{{');
        return shell(`${here(command)} ${PROFILES}`, variables);
      });
      const merge = (): Promise<Answer> => shell(`${here(commandIn(report.steps))} --out '${folder}'`, variables);
      await expectWhole(folder, starts, merge, await whole());
    },
    TIMEOUT_MS,
  );
});

describe('the jobs of Kubernetes', () => {
  const name = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  const mounted = z.strictObject({ name, mountPath: z.string().startsWith('/') });
  const container = z.strictObject({
    name,
    image: z.string().regex(/^node:\d+-[\w-]+$/),
    env: z.array(z.strictObject({ name: z.string().regex(/^[A-Z]+$/), value: z.string() })),
    command: z.tuple([z.literal('/bin/sh'), z.literal('-euc')]),
    args: z.tuple([z.string()]),
    resources: z.strictObject({ requests: z.strictObject({ cpu: z.string(), memory: z.string() }) }).optional(),
    volumeMounts: z.tuple([mounted]),
  });
  const template = z.strictObject({
    spec: z.strictObject({
      restartPolicy: z.literal('Never'),
      containers: z.tuple([container]),
      volumes: z.tuple([
        z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: z.literal('vfio-irq-records') }) }),
      ]),
    }),
  });
  const head = { apiVersion: z.literal('batch/v1'), kind: z.literal('Job'), metadata: z.strictObject({ name }) };
  const claim = z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('PersistentVolumeClaim'),
    metadata: z.strictObject({ name: z.literal('vfio-irq-records') }),
    spec: z.strictObject({
      accessModes: z.tuple([z.literal('ReadWriteMany')]),
      resources: z.strictObject({ requests: z.strictObject({ storage: z.string().regex(/^\d+Gi$/) }) }),
    }),
  });
  const rule = z.strictObject({
    action: z.literal('FailIndex'),
    onExitCodes: z.strictObject({ operator: z.literal('In'), values: z.array(z.int().min(1)) }),
  });
  const campaign = z.strictObject({
    ...head,
    spec: z.strictObject({
      completionMode: z.literal('Indexed'),
      completions: z.int().min(2),
      parallelism: z.int().min(1),
      backoffLimitPerIndex: z.int().min(0),
      maxFailedIndexes: z.int().min(0),
      podFailurePolicy: z.strictObject({ rules: z.array(rule) }),
      template,
    }),
  });
  const report = z.strictObject({ ...head, spec: z.strictObject({ backoffLimit: z.literal(0), template }) });

  const documents = parseAllDocuments(textOf('.github/kubernetes/campaign.yaml')).map((one) => one.toJS());
  const [, job] = z.tuple([claim, campaign]).parse(documents);
  const page = report.parse(parse(textOf('.github/kubernetes/report.yaml')));
  const [pod] = job.spec.template.spec.containers;
  const variable = (wanted: string): string => pod.env.find((one) => one.name === wanted)?.value ?? '';

  it('count the same shards, and none is lost because others have failed', () => {
    expect(variable('SHARDS')).toBe(String(job.spec.completions));
    expect(job.spec.maxFailedIndexes).toBe(job.spec.completions);
    expect(job.spec.podFailurePolicy.rules.flatMap(({ onExitCodes }) => onExitCodes.values)).not.toContain(4);
  });

  it('keep their records where the volume is', () => {
    for (const { spec } of [job.spec.template, page.spec.template]) {
      const [{ env, volumeMounts }] = spec.containers;
      expect(env).toContainEqual({ name: 'RECORDS', value: volumeMounts[0].mountPath });
      expect(volumeMounts[0].name).toBe(spec.volumes[0].name);
    }
  });

  it(
    'are whole as processes here, and not without one of them',
    async () => {
      const records = join(scratch, 'records');
      const bin = join(scratch, 'bin');
      for (const folder of [records, bin]) mkdirSync(folder);
      // The package is this repository; that it installs is tested where it is packed.
      const programs = { npm: 'test "$1" = install', npx: `shift; cd '${ROOT}'; exec npm_start "$@"`, npm_start: '' };
      const ours = `exec '${process.execPath}' --import '${import.meta.resolve('tsx')}' '${join(ROOT, 'cli.ts')}' "$@"`;
      for (const [program, script] of Object.entries({ ...programs, npm_start: ours })) {
        writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`);
        chmodSync(join(bin, program), 0o755);
      }
      const suite = join(scratch, 'suite');
      const here = (script: string): string => script.replaceAll('/tmp/suite', suite);
      const chosen = { SHARDS: '3', SYSTEM: variable('SYSTEM'), RUNS: String(RUNS), SEED: '5', RECORDS: records };
      const variables = { ...chosen, PATH: `${bin}:${process.env['PATH']}` };
      const starts = [0, 1, 2].map(
        (index) => () =>
          shell(`${here(pod.args[0]).trimEnd()} ${PROFILES}`, { ...variables, JOB_COMPLETION_INDEX: String(index) }),
      );
      const [merging] = page.spec.template.spec.containers;
      await expectWhole(records, starts, () => shell(here(merging.args[0]), variables), await whole());
    },
    TIMEOUT_MS,
  );
});
