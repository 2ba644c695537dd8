import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '#vocabulary';
import {
  AGENT_SOURCE,
  agentPath,
  cacheFolder,
  DEBIAN_KERNELS,
  debianKernel,
  INSTALL_PROGRAMS,
  isPrepared,
  missingPackages,
  RUN_PROGRAMS,
} from './linux/kernels.ts';
import { command, prepareFromPackage } from './linux/prepare.ts';
import { prepareQemus } from './qemu/prepare.ts';
import { prepareStack } from './stack/prepare.ts';

/** Package lists of our own: the user's are neither read nor changed. The sources are the user's. */
function privateApt(): readonly string[] {
  const state = join(cacheFolder(), 'apt');
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  return [
    '-o',
    `Dir::State::Lists=${join(state, 'lists')}`,
    '-o',
    `Dir::Cache=${state}`,
    '-o',
    'APT::Sandbox::User=root',
  ];
}

/** Fills the package lists. A source that does not answer may be one that is not needed: it is told, and not fatal. */
function update(apt: readonly string[]): void {
  console.log('apt-get update (package lists of our own)');
  try {
    command('apt-get', [...apt, '-q', 'update']);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    console.log(error.message);
  }
}

/** Debian names a new package for each version of a kernel; its meta package depends on the newest. */
function newestKernelPackage(apt: readonly string[], name: string, metaPackage: string): string {
  const depends = command('apt-cache', [...apt, 'depends', metaPackage]).toString();
  const newest = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  // In another release of Debian the meta package may stand for another kernel.
  if (newest === undefined || !newest.startsWith(`${name.replace('linux-', 'linux-image-')}.`))
    throw new HarnessError(`${metaPackage}: expected ${name} in the package sources, got ${newest ?? 'none'}`);
  return newest;
}

function fetchKernel(apt: readonly string[], name: string, metaPackage: string): void {
  const packageName = newestKernelPackage(apt, name, metaPackage);
  console.log(`${name}: fetching ${packageName}`);
  const folder = mkdtempSync(join(cacheFolder(), 'unfinished-'));
  try {
    command('apt-get', [...apt, '-q', 'download', packageName], folder);
    const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new HarnessError(`${packageName}: apt-get download left no package`);
    prepareFromPackage(debianKernel(name), join(folder, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compileAgent(): void {
  const unfinished = `${agentPath()}.${process.pid}`;
  // musl-gcc knows no kernel headers; those of the C library are found last, so they hide none of musl's.
  const headers = ['-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu'];
  command('musl-gcc', [
    '-Wall',
    '-Wextra',
    '-Werror',
    '-O2',
    '-static',
    '-s',
    ...headers,
    '-o',
    unfinished,
    AGENT_SOURCE,
  ]);
  renameSync(unfinished, agentPath());
  console.log(`agent: compiled ${agentPath()}`);
}

function installPackages(apt: readonly string[], packages: readonly string[]): void {
  const install = ['--no-install-recommends', 'install', ...packages];
  if (process.getuid?.() !== 0)
    throw new HarnessError(`only root can install what is missing here: apt-get ${install.join(' ')}`);
  console.log(`apt-get ${install.join(' ')}`);
  command('apt-get', [...apt, '-q', '-y', ...install]);
}

function install(): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const headers = existsSync('/usr/include/linux/vfio.h') ? [] : ['linux-libc-dev'];
  // The page of a run is for people with browsers, so it is tested in one. Spin explores a twin of the model.
  const programs = { ...RUN_PROGRAMS, ...INSTALL_PROGRAMS, cc: 'gcc', chromium: 'chromium', spin: 'spin' };
  if (!existsSync('/usr/include/stdio.h')) headers.push('libc6-dev');
  const packages = [...missingPackages(programs), ...headers];
  const kernels = Object.entries(DEBIAN_KERNELS).filter(([name]) => !isPrepared(debianKernel(name)));
  if (packages.length > 0 || kernels.length > 0) {
    const apt = privateApt();
    update(apt);
    if (packages.length > 0) installPackages(apt, packages);
    for (const [name, metaPackage] of kernels) fetchKernel(apt, name, metaPackage);
  }
  if (!existsSync(agentPath())) compileAgent();
  prepareQemus({ run: (program, args) => command(program, args), say: console.log });
  prepareStack(command);
  console.log(`Everything is ready in ${cacheFolder()}.`);
}

try {
  install();
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
