import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HarnessError } from '#vocabulary';
import { cacheFolder, isPrepared, type Kernel, userKernel } from './kernels.ts';

/** The modules the agent uses itself; what they depend on is read from them. One that is built in has no file. */
const NEEDED_MODULES = ['virtio_pci', 'virtio_console', 'vfio_pci', 'vfio_iommu_type1'];

/** The file of a kernel of the user's that tells from what it was made. */
const MADE_FROM = 'made-from';

/**
 * A kernel of the user's, made ready again when the package, the image or a module is another than the last time:
 * who changes a module builds it again and again below the same image.
 */
export function prepareUserKernel(path: string, modules: string | undefined): Kernel {
  const kernel = userKernel(path, modules);
  const madeFrom = [path, ...(modules === undefined ? [] : moduleFiles(modules))].map(stateOf).join('\n');
  const before = join(kernel.folder, MADE_FROM);
  if (isPrepared(kernel) && existsSync(before) && readFileSync(before, 'utf8') === madeFrom) return kernel;
  if (path.endsWith('.deb') || modules === undefined) prepareFromPackage(kernel, path, madeFrom);
  else prepareKernel(kernel, path, modules, madeFrom);
  return kernel;
}

function stateOf(file: string): string {
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** Makes a kernel ready from an image and a folder with its modules; the kernel is there whole or not at all. */
function prepareKernel(kernel: Kernel, image: string, modules: string, madeFrom: string): void {
  inStaging((staging) => {
    copyFileSync(image, join(staging, 'vmlinuz'));
    mkdirSync(join(staging, 'modules'));
    const order = collectModules(modules, (name, content) => writeFileSync(join(staging, 'modules', name), content));
    writeFileSync(join(staging, 'modules', 'order'), `${order.join('\n')}\n`);
    writeFileSync(join(staging, MADE_FROM), madeFrom);
    rmSync(kernel.folder, { recursive: true, force: true });
    renameSync(staging, kernel.folder);
  });
}

/** Makes a kernel ready from a Debian package. */
export function prepareFromPackage(kernel: Kernel, packageFile: string, madeFrom = stateOf(packageFile)): void {
  inStaging((unpacked) => {
    command('dpkg-deb', ['-x', packageFile, unpacked]);
    const image = listFiles(unpacked).find((file) => basename(file).startsWith('vmlinuz'));
    if (image === undefined) throw new HarnessError(`${packageFile}: expected a package with a vmlinuz, found none`);
    prepareKernel(kernel, image, unpacked, madeFrom);
  });
}

function inStaging(work: (folder: string) => void): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const staging = mkdtempSync(join(cacheFolder(), 'unfinished-'));
  try {
    work(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Hands over the modules needed, each after those it depends on, and returns their file names in that order. */
function collectModules(folder: string, take: (name: string, content: Buffer) => void): readonly string[] {
  const files = new Map(moduleFiles(folder).map((file) => [moduleName(file), file]));
  if (!files.has('vfio_pci')) throw new HarnessError(`${folder}: expected a folder with vfio-pci.ko, found none`);
  const order: string[] = [];
  const visit = (name: string): void => {
    const file = files.get(name);
    const target = `${name}.ko`;
    if (file === undefined || order.includes(target)) return;
    const content = decompress(file);
    for (const dependency of dependencies(content)) visit(dependency);
    take(target, content);
    order.push(target);
  };
  for (const name of NEEDED_MODULES) visit(name);
  return order;
}

function moduleFiles(folder: string): readonly string[] {
  return listFiles(folder).filter((file) => /\.ko(\.xz|\.gz)?$/.test(file));
}

/** `vfio-pci.ko.xz` and `vfio_pci.ko` are one module. */
function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');
}

/** A module names what it depends on in its .modinfo section, as text. */
export function dependencies(module: Buffer): readonly string[] {
  const at = module.indexOf('\0depends=');
  if (at === -1) return [];
  const text = module.subarray(at + 9, module.indexOf('\0', at + 9)).toString('latin1');
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}

function decompress(file: string): Buffer {
  if (file.endsWith('.xz')) return command('xz', ['-dc', file]);
  const content = readFileSync(file);
  return file.endsWith('.gz') ? gunzipSync(content) : content;
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @throws HarnessError with what the program said. */
export function command(program: string, args: readonly string[], folder = dirname(cacheFolder())): Buffer {
  mkdirSync(folder, { recursive: true });
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, maxBuffer: 1 << 28 });
  if (status === 0) return stdout;
  throw new HarnessError(`${program} ${args.join(' ')}: ${error?.message ?? stderr.toString().trim()}`);
}
