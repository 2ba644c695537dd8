import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { HarnessError } from '#vocabulary';
import { cpio } from '../linux/initramfs.ts';
import { cacheFolder, debianKernel } from '../linux/kernels.ts';
import { BELL_DEVICES } from '../qemu/pci-devices.ts';
import { debianProgram } from '../qemu/programs.ts';
import type { Program } from '../qemu/qemu.ts';
import { compiled, type Pair } from './artifacts.ts';

type Entry = Parameters<typeof cpio>[0][number];

const FOLDER = 0o040755;
const PROGRAM = 0o100755;
const LINK = 0o120777;

/** What the machine of an inner QEMU needs beside the program. */
const FIRMWARE = ['bios-256k.bin', 'kvmvapic.bin'];
/** QEMU's processor is a module in some packages. */
const MODULE = /^accel-tcg-.*\.so$/;
/** The loader and the folders of a QEMU that is installed like any other program. */
const SYSTEM_LOADER = '/lib64/ld-linux-x86-64.so.2';
const SYSTEM_SHARE = ['/usr/share/qemu', '/usr/share/seabios'];
const SYSTEM_MODULES = '/usr/lib/x86_64-linux-gnu/qemu';

/** Groups of the mailboxes; gate.c tells them by their numbers. */
const FIRST_MAILBOX_GROUP = 9000;

/** What an inner QEMU is started with, in the file system of the outer machine. */
export const INNER_PROGRAM: readonly string[] = [
  ...['/q/lib/loader', '--library-path', '/q/lib', '--preload', '/q/gate.so', '/q/qemu', '-L', '/q/share'],
];
/** The folder that stands for the mailboxes in sysfs. */
export const INNER_SYSFS = '/sysfs';

/** The kernel of a pair. */
export function kernelOf({ kernel }: Pair): string {
  return join(debianKernel(kernel).folder, 'vmlinuz');
}

/**
 * The first and only file system of the outer machine, as a file: made once for each agent, shim and QEMU. It is not
 * compressed, as unpacking takes an emulated processor longer than reading.
 */
export function writtenImage(pair: Pair): string {
  const program = debianProgram(pair.qemu);
  if (program === undefined) throw new HarnessError(`${pair.qemu} is not fetched`);
  const { size, mtimeMs } = statSync(binaryOf(program));
  const madeFrom = [compiled('agent'), compiled('shim'), binaryOf(program), size, mtimeMs].join();
  const hash = createHash('sha256').update(madeFrom).digest('hex').slice(0, 12);
  const name = `stack-${pair.kernel}+${pair.qemu}-`;
  const file = join(cacheFolder(), `${name}${hash}.cpio`);
  if (existsSync(file)) return file;
  mkdirSync(cacheFolder(), { recursive: true });
  const before = readdirSync(cacheFolder()).filter((entry) => entry.startsWith(name) && entry.endsWith('.cpio'));
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, cpio([...base(pair), ...innerQemu(program), ...mailboxes()]));
  renameSync(unfinished, file);
  // They are large, and a machine that runs has read its own.
  for (const entry of before) rmSync(join(cacheFolder(), entry), { force: true });
  return file;
}

function folder(name: string): Entry {
  return { name, mode: FOLDER, content: Buffer.alloc(0) };
}

function program(name: string, path: string): Entry {
  return { name, mode: PROGRAM, content: readFileSync(path) };
}

function base({ kernel }: Pair): Entry[] {
  const modules = join(debianKernel(kernel).folder, 'modules');
  return [
    ...['dev', 'proc', 'sys', 'mods'].map(folder),
    program('init', compiled('agent')),
    ...readdirSync(modules).map((name) => program(`mods/${name}`, join(modules, name))),
  ];
}

/** A QEMU with the libraries that it is linked to, and not all the others in its tree. */
function innerQemu(qemu: Program): Entry[] {
  const modules = qemu.environment['QEMU_MODULE_DIR'] ?? SYSTEM_MODULES;
  const found = existsSync(modules) ? readdirSync(modules).filter((name) => MODULE.test(name)) : [];
  const modulePaths = found.map((name) => join(modules, name));
  const libraries = new Set([binaryOf(qemu), ...modulePaths, compiled('shim')].flatMap((file) => linked(qemu, file)));
  return [
    ...['q', 'q/lib', 'q/share', 'q/modules'].map(folder),
    program('q/qemu', binaryOf(qemu)),
    program('q/gate.so', compiled('shim')),
    program('q/lib/loader', loaderOf(qemu)),
    ...[...libraries].map((path) => program(`q/lib/${basename(path)}`, path)),
    ...modulePaths.map((path) => program(`q/modules/${basename(path)}`, path)),
    ...FIRMWARE.map((name) => program(`q/share/${name}`, firmwareOf(qemu, name))),
  ];
}

function binaryOf({ words }: Program): string {
  return words.find((word) => basename(word).startsWith('qemu-system')) ?? '';
}

/** A QEMU in a tree of its own is started by the loader there, with the folders of its libraries. */
function loaderOf({ words }: Program): string {
  return words.includes('--library-path') ? (words[0] ?? '') : SYSTEM_LOADER;
}

function linked(qemu: Program, file: string): string[] {
  const at = qemu.words.indexOf('--library-path');
  const where = at === -1 ? [] : qemu.words.slice(at, at + 2);
  const { status, stdout, stderr } = spawnSync(loaderOf(qemu), [...where, '--list', file], { encoding: 'utf8' });
  if (status !== 0) throw new HarnessError(`the libraries of ${file} are not all there: ${stderr}`);
  return [...stdout.matchAll(/=> (\/\S+)/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => !path.includes('/ld-linux'));
}

function firmwareOf({ words }: Program, name: string): string {
  const folders = words.flatMap((word, place) => (word === '-L' ? [words[place + 1] ?? ''] : []));
  const found = [...folders, ...SYSTEM_SHARE].map((at) => join(at, name)).find((path) => existsSync(path));
  if (found === undefined) throw new HarnessError(`${name}, which a QEMU needs, is nowhere`);
  return found;
}

/** QEMU takes the number of a device's group from the name at the end of its link. */
function mailboxes(): Entry[] {
  return [
    folder(INNER_SYSFS.slice(1)),
    ...BELL_DEVICES.flatMap((_, place): Entry[] => {
      const at = `${INNER_SYSFS.slice(1)}/bell${place}`;
      const group = Buffer.from(`../groups/${FIRST_MAILBOX_GROUP + place}`);
      return [folder(at), { name: `${at}/iommu_group`, mode: LINK, content: group }];
    }),
  ];
}
