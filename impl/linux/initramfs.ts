import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Kernel } from './kernels.ts';

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

const FOLDER = 0o040755;
const PROGRAM = 0o100755;
const FILE = 0o100644;

/**
 * The first file system of the virtual machine: the modules of the kernel, and an init, which is the agent.
 * @param more files beside these, by their names
 */
export function initramfs(kernel: Kernel, init: string, more: ReadonlyMap<string, Buffer> = new Map()): Buffer {
  const modules = join(kernel.folder, 'modules');
  const folders = ['dev', 'proc', 'sys', 'mods'].map((name) => ({ name, mode: FOLDER, content: Buffer.alloc(0) }));
  const files = readdirSync(modules).map((name) => ({
    name: `mods/${name}`,
    mode: FILE,
    content: readFileSync(join(modules, name)),
  }));
  const others = [...more].map(([name, content]) => ({ name, mode: PROGRAM, content }));
  const first = { name: 'init', mode: PROGRAM, content: readFileSync(init) };
  return gzipSync(cpio([...folders, first, ...files, ...others]), { level: 1 });
}

/** An archive in the `newc` form. Source: Documentation/driver-api/early-userspace/buffer-format.rst, Linux 6.1. */
export function cpio(entries: readonly Entry[]): Buffer {
  const trailer: Entry = { name: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) };
  return Buffer.concat([...entries, trailer].flatMap((entry, index) => member(entry, index + 1)));
}

function member({ name, mode, content }: Entry, inode: number): Buffer[] {
  const links = mode === FOLDER ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return [padded(Buffer.from(header, 'latin1')), padded(content)];
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
}
