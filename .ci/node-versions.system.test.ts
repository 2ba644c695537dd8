import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InstalledPackage, installPackage, PACKAGE_TIMEOUT_MS, said, withFirst } from './package.fixture.ts';
import { ROOT } from './repository.ts';

// The package on the versions of Node that are not the one of this machine. npm has them as packages.

const VERSIONS = [22, 24] as const;
/** What npm calls the Node of a version for machines of this kind. */
const PACKAGES = VERSIONS.map((version) => `node-${process.platform}-${process.arch}@${version}`);
const NAME = 'vfio-irq-conformance';
const REQUIRED = process.env['VFIO_IRQ_REQUIRE_SYSTEMS'] === '1';

const scratch = mkdtempSync(join(tmpdir(), 'vfio-irq-nodes-'));
const binOf = (version: number): string => join(scratch, `node_modules/node-${version}/bin`);
const reason = install();

/** Returns why they are not there; an empty string where they are. */
function install(): string {
  const wanted = PACKAGES.map((name, place) => `node-${VERSIONS[place]}@npm:${name}`);
  writeFileSync(join(scratch, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', scratch, ...wanted];
  try {
    execFileSync('npm', args, { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return VERSIONS.every((version) => existsSync(join(binOf(version), 'node'))) ? '' : 'npm has installed none';
}

// They are hundreds of megabytes.
afterAll(() => rmSync(scratch, { recursive: true }), PACKAGE_TIMEOUT_MS);

if (reason !== '' && !REQUIRED) {
  const command = `npm install ${PACKAGES.join(' ')}`;
  console.error(`SKIPPED other versions of Node: ${reason}; where this works they are ready: ${command}`);
  it.skipIf(true)(`needs Node ${VERSIONS.join(' and ')}, as ${command} brings them`, () => undefined);
} else {
  let installed: InstalledPackage;
  beforeAll(async () => {
    expect(reason).toBe('');
    installed = await installPackage();
  }, PACKAGE_TIMEOUT_MS);
  afterAll(() => installed?.remove());

  describe.each(VERSIONS)('the package on Node %i', { timeout: PACKAGE_TIMEOUT_MS }, (version) => {
    const vfioIrq = (...args: readonly string[]) => installed.vfioIrq(args, binOf(version));

    it('is run by that version', async () => {
      const env = { PATH: withFirst(binOf(version), process.env) };
      const { out } = await installed.answerOf('npx', ['node', '--version'], env);
      expect(out).toMatch(new RegExp(`^v${version}\\.`));
    });

    it('runs a campaign on all cores, makes a finding, replays it and reports', async () => {
      const held = await vfioIrq('run', '--system', 'optimised', '--profile', 'linux-6.12', '--runs', '1000');
      expect(held.code, said(held)).toBe(0);
      const found = await vfioIrq('run', '--system', 'mutant:S01', '--profile', 'linux-6.1', '--runs', '200');
      expect(found.code, said(found)).toBe(1);
      const command = /npx vfio-irq (replay reports\/out\/findings\/[0-9a-f]{8}\.jsonl)$/m.exec(found.out)?.[1];
      const replayed = await vfioIrq(...(command ?? 'no command').split(' '));
      expect(replayed.code, said(replayed)).toBe(1);
      expect(replayed.out).toMatch(/^The verdict is as recorded: (divergence|violation)\./);
      rmSync(join(installed.folder, 'reports/out/index.html'));
      const reported = await vfioIrq('report');
      expect(reported.code, said(reported)).toBe(1);
      const page = readFileSync(join(installed.folder, 'reports/out/index.html'), 'utf8');
      expect(page).toContain('npx vfio-irq replay reports/out/findings/');
    });

    it('runs a long campaign on all cores', async () => {
      const held = await vfioIrq('run', '--system', 'optimised', '--profile', 'linux-6.12', '--time', '20');
      expect(held.code, said(held)).toBe(0);
    });

    it('drives a program through the protocol', async () => {
      const smoked = await vfioIrq('smoke', `stdio:node node_modules/${NAME}/dist/impl/stdio/loopback.js`);
      expect(smoked.code, said(smoked)).toBe(0);
    });

    it('registers its tests with the vitest of somebody else', async () => {
      const lines = [
        `import { conformance } from '${NAME}';`,
        "conformance('optimised', { profiles: ['linux-6.1+qemu-7.2'], runs: 50 });",
      ];
      writeFileSync(join(installed.folder, 'mine.test.js'), `${lines.join('\n')}\n`);
      const vitest = join(installed.folder, 'node_modules/vitest');
      if (!existsSync(vitest)) symlinkSync(join(ROOT, 'node_modules/vitest'), vitest);
      const cli = join(ROOT, 'node_modules/vitest/vitest.mjs');
      const ran = await installed.answerOf(join(binOf(version), 'node'), [cli, 'run', '--root', installed.folder]);
      expect(ran.code, said(ran)).toBe(0);
      expect(ran.out).toMatch(/Tests +\d+ passed/);
    });
  });
}
