import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '#vocabulary';
import { BELL_DEVICES } from './pci-devices.ts';
import { cacheFolder, DEBIAN_QEMUS, debianProgram, SHIM_SOURCE, shimPath, sysfsFolder, treeOf } from './programs.ts';

/** How this room reaches out. */
export interface Hands {
  /** Runs a program, and throws with what it said when it fails. */
  run(program: string, args: readonly string[]): Buffer;
  /** Tells what is being done. */
  say(text: string): void;
}

const PACKAGE = 'qemu-system-x86';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Makes ready whatever these systems need and do not have. */
export function prepareQemus(hands: Hands): void {
  makeSysfs();
  if (!existsSync(shimPath())) compileShim(hands);
  for (const [name, releases] of Object.entries(DEBIAN_QEMUS))
    if (debianProgram(name) === undefined) fetchQemu(hands, name, releases);
}

function compileShim(hands: Hands): void {
  const unfinished = `${shimPath()}.${process.pid}`;
  hands.run('cc', ['-Wall', '-Wextra', '-Werror', '-O2', '-fPIC', '-shared', '-o', unfinished, SHIM_SOURCE]);
  renameSync(unfinished, shimPath());
  hands.say(`shim: compiled ${shimPath()}`);
}

/** QEMU takes the number of a device's group from the name at the end of its link. */
function makeSysfs(): void {
  const names = ['function', ...BELL_DEVICES.map((_, place) => `bell${place}`)];
  for (const [group, name] of names.entries()) {
    const folder = join(sysfsFolder(), name);
    mkdirSync(folder, { recursive: true });
    const link = join(folder, 'iommu_group');
    if (!existsSync(link)) symlinkSync(join('..', 'groups', String(group)), link);
    mkdirSync(join(sysfsFolder(), 'groups', String(group)), { recursive: true });
  }
}

/**
 * Unpacks a QEMU with all its libraries into a folder, from a release that the machine's own mirror has. The machine's
 * packages and lists are neither changed nor looked at: to this apt nothing is installed.
 */
function fetchQemu(hands: Hands, name: string, releases: readonly string[]): void {
  const mirror = mirrorOf(hands);
  const folder = mkdtempSync(join(cacheFolder(), 'unfinished-'));
  try {
    for (const [place, release] of releases.entries()) {
      try {
        unpackRelease(hands, mirror, release, folder);
        break;
      } catch (error) {
        if (!(error instanceof HarnessError) || place === releases.length - 1) throw error;
        hands.say(`${name}: ${release} does not have it`);
      }
    }
    const tree = join(folder, 'tree');
    rmSync(treeOf(name), { recursive: true, force: true });
    renameSync(tree, treeOf(name));
    hands.say(`${name}: unpacked into ${treeOf(name)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where this machine gets Debian from. Before its first update only the address tells what a source has. */
function mirrorOf(hands: Hands): string {
  const format = '$(REPO_URI) $(LABEL)';
  const targets = hands.run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).toString();
  const debian = /^(\S+) Debian$/m.exec(targets) ?? /^(\S+\/debian\/?)\s*$/m.exec(targets);
  if (debian?.[1] === undefined) throw new HarnessError('the package sources of this machine name no Debian mirror');
  return debian[1];
}

function unpackRelease(hands: Hands, mirror: string, release: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'tree'])
    mkdirSync(join(folder, part), { recursive: true });
  // Backports need the release that they are for, and come only when they are asked for.
  const suites = release.endsWith('-backports') ? [release.replace('-backports', ''), release] : [release];
  const sources = suites.map((suite) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  writeFileSync(join(folder, 'sources.list'), sources.join(''));
  writeFileSync(join(folder, 'status'), '');
  const apt = [
    ...['-o', `Dir::State=${folder}`, '-o', `Dir::State::Lists=${join(folder, 'lists')}`],
    ...['-o', `Dir::State::status=${join(folder, 'status')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`],
    ...['-o', `Dir::Etc::SourceList=${join(folder, 'sources.list')}`, '-o', 'Dir::Etc::SourceParts=-'],
    ...['-o', 'APT::Sandbox::User=root', '-q'],
  ];
  hands.say(`${release}: fetching ${PACKAGE} and its libraries, to be unpacked and not installed`);
  hands.run('apt-get', [...apt, '-o', 'APT::Update::Error-Mode=any', 'update']);
  hands.run('apt-get', [...apt, '-y', '--no-install-recommends', '--download-only', '-t', release, 'install', PACKAGE]);
  const archives = join(folder, 'cache', 'archives');
  for (const file of readdirSync(archives))
    if (file.endsWith('.deb')) hands.run('dpkg-deb', ['-x', join(archives, file), join(folder, 'tree')]);
}
