import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Program } from './qemu.ts';

/** QEMUs by the names of their systems, and the releases of Debian in which each is, the first choice first. */
export const DEBIAN_QEMUS: Readonly<Record<string, readonly string[]>> = {
  'qemu-7.2': ['bookworm'],
  'qemu-10.0': ['bookworm-backports', 'trixie'],
};

const PROGRAM_NAME = 'qemu-system-x86_64';

/** The shim, and the headers that it shares with the gate of impl/stack. */
export const SHIM_FOLDER = join(import.meta.dirname, 'shim');
export const SHIM_SOURCE = join(SHIM_FOLDER, 'shim.c');

/** Where QEMUs and the shim are kept between runs. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'vfio-irq');
}

/** Stands for all files of folders as they are now. What is compiled from others has another name: none is stale. */
export function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders)
    for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

/** The shim compiled from the source as it is now. */
export function shimPath(): string {
  return join(cacheFolder(), `shim-${hashOf([SHIM_FOLDER])}.so`);
}

/** Stands for sysfs: QEMU looks there for a device's IOMMU group, and for nothing else. */
export function sysfsFolder(): string {
  return join(cacheFolder(), 'qemu-sysfs');
}

/** The root of a QEMU that was unpacked beside the system's packages. */
export function treeOf(name: string): string {
  return join(cacheFolder(), name);
}

/** A QEMU that is a program like any other. */
export function programAt(path: string): Program {
  return { words: [path], environment: { LD_PRELOAD: shimPath() }, sysfs: sysfsFolder() };
}

/** A QEMU in a tree of its own with all its libraries, which may be older or newer than the system's. */
function programIn(tree: string): Program {
  const libraries = join(tree, 'usr', 'lib', 'x86_64-linux-gnu');
  const folders = [join(tree, 'lib', 'x86_64-linux-gnu'), libraries, join(libraries, 'pulseaudio')];
  return {
    words: [
      ...[loaderIn(tree), '--library-path', folders.join(':'), '--preload', shimPath()],
      ...[join(tree, 'usr', 'bin', PROGRAM_NAME)],
      ...['-L', join(tree, 'usr', 'share', 'qemu'), '-L', join(tree, 'usr', 'share', 'seabios')],
    ],
    environment: { QEMU_MODULE_DIR: join(libraries, 'qemu') },
    sysfs: sysfsFolder(),
  };
}

/** Not by /lib64, which in a tree is a link out of it. In trixie /lib is a link, which is not in any package. */
function loaderIn(tree: string): string {
  const places = ['lib', join('usr', 'lib')].map((lib) => join(tree, lib, 'x86_64-linux-gnu', 'ld-linux-x86-64.so.2'));
  return places.find((place) => existsSync(place)) ?? places[0] ?? '';
}

/** The QEMU of a name: the system's if it is of that version, else the one in its tree. */
export function debianProgram(name: string): Program | undefined {
  const installed = installedQemu();
  if (installed !== undefined && installed.name === name) return programAt(installed.path);
  const tree = treeOf(name);
  return existsSync(join(tree, 'usr', 'bin', PROGRAM_NAME)) ? programIn(tree) : undefined;
}

let installed: { readonly path: string; readonly name: string } | undefined | null = null;

/** The QEMU on the PATH, under the name that a system of its version has. Asked once. */
function installedQemu(): { readonly path: string; readonly name: string } | undefined {
  if (installed !== null) return installed;
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, PROGRAM_NAME))
    .find((file) => existsSync(file));
  const said = path === undefined ? '' : spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout;
  const version = /version (\d+\.\d+)/.exec(said ?? '')?.[1];
  installed = path === undefined || version === undefined ? undefined : { path, name: `qemu-${version}` };
  return installed;
}
