import { join } from 'node:path';
import { cacheFolder, DEBIAN_KERNELS } from '../linux/kernels.ts';
import { DEBIAN_QEMUS, hashOf, SHIM_FOLDER } from '../qemu/programs.ts';

/** What is compiled, each part from its folder. */
export type Part = 'agent' | 'launcher' | 'shim';

export const PARTS: readonly Part[] = ['agent', 'launcher', 'shim'];

const SOURCES: Readonly<Record<Part, string>> = { agent: 'agent.c', launcher: 'launcher.c', shim: 'gate.c' };

export function sourceOf(part: Part): string {
  return join(import.meta.dirname, part, SOURCES[part]);
}

/** A part compiled from the source as it is now; the shim includes headers of the other one. */
export function compiled(part: Part): string {
  const folder = join(import.meta.dirname, part);
  const hash = hashOf(part === 'shim' ? [folder, SHIM_FOLDER] : [folder]);
  return join(cacheFolder(), `stack-${part}-${hash}`);
}

/** The two halves of a system's name. */
export interface Pair {
  readonly kernel: string;
  readonly qemu: string;
}

const NAME = /^stack:(?<kernel>[^+]+)\+(?<qemu>.+)$/;

/** Whether a name is that of a QEMU on a kernel, which need not be there: `stack:linux-6.1+qemu-7.2`. */
export function isStackName(name: string): boolean {
  return NAME.test(name);
}

/** The pair of a name, or undefined where there is none of it. */
export function pairOf(name: string): Pair | undefined {
  const { kernel = '', qemu = '' } = NAME.exec(name)?.groups ?? {};
  return Object.hasOwn(DEBIAN_KERNELS, kernel) && Object.hasOwn(DEBIAN_QEMUS, qemu) ? { kernel, qemu } : undefined;
}

/** Every pair there is. */
export const STACK_NAMES: readonly string[] = Object.keys(DEBIAN_KERNELS).flatMap((kernel) =>
  Object.keys(DEBIAN_QEMUS).map((qemu) => `stack:${kernel}+${qemu}`),
);
