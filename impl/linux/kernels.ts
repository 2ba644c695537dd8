import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';

/** What makes everything ready that is not: a script of a clone, a program of the package. */
export const INSTALL_COMMAND = import.meta.url.endsWith('.ts')
  ? 'npm run systems:install'
  : `node ${relative('', join(import.meta.dirname, '..', 'install.js'))}`;

/** Kernels that Debian packages, by the name of their system; the meta package names the version of the day. */
export const DEBIAN_KERNELS: Readonly<Record<string, string>> = {
  'linux-6.1': 'linux-image-cloud-amd64',
  'linux-6.12': 'linux-image-6.12-cloud-amd64',
};

/** Programs that a virtual machine needs, with the Debian package of each. */
export const RUN_PROGRAMS: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  setpriv: 'util-linux',
};

/** Programs that opening a kernel package needs. */
export const UNPACK_PROGRAMS: Readonly<Record<string, string>> = {
  xz: 'xz-utils',
  'dpkg-deb': 'dpkg',
};

/** Programs that installing needs besides. */
export const INSTALL_PROGRAMS: Readonly<Record<string, string>> = { 'musl-gcc': 'musl-tools', ...UNPACK_PROGRAMS };

export const AGENT_SOURCE = join(import.meta.dirname, 'agent', 'agent.c');
/** What it includes. */
const AGENT_HEADER = join(import.meta.dirname, 'agent', 'storm.h');

/** Where kernels and the agent are kept between runs. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'vfio-irq');
}

/** The agent compiled from the source as it is now: another source has another file, so none is ever stale. */
export function agentPath(): string {
  const hash = createHash('sha256').update(readFileSync(AGENT_SOURCE)).update(readFileSync(AGENT_HEADER)).digest('hex');
  return join(cacheFolder(), `agent-${hash.slice(0, 12)}`);
}

/** A kernel made ready: `vmlinuz`, and `modules/` with the modules and their `order`. */
export interface Kernel {
  readonly folder: string;
}

export function debianKernel(name: string): Kernel {
  return { folder: join(cacheFolder(), name) };
}

/** The place of a kernel of the user's: one for each path, made again when what is there has changed. */
export function userKernel(path: string, modules: string | undefined): Kernel {
  const key = [path, modules ?? ''].map((part) => resolve(part)).join('\n');
  return { folder: join(cacheFolder(), `user-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`) };
}

export function isPrepared({ folder }: Kernel): boolean {
  return existsSync(join(folder, 'vmlinuz')) && existsSync(join(folder, 'modules', 'order'));
}

/** Those of the programs that are not on the PATH, by their packages. */
export function missingPackages(programs: Readonly<Record<string, string>>): readonly string[] {
  const missing = Object.entries(programs).filter(([program]) => !isOnPath(program));
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))];
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
