import { existsSync, renameSync } from 'node:fs';
import { compiled, PARTS, type Part, sourceOf } from './artifacts.ts';

/** Runs a program, and throws with what it said when it fails. */
export type RunProgram = (program: string, args: readonly string[]) => Buffer;

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-O2'];
/** musl-gcc knows no kernel headers; those of the C library are found last, so they hide none of musl's. */
const KERNEL_HEADERS = ['-idirafter', '/usr/include', '-idirafter', '/usr/include/x86_64-linux-gnu'];

/** The agent runs where there is no library; the shim runs with the libraries of a QEMU. */
const COMPILERS: Readonly<Record<Part, readonly [program: string, ...options: string[]]>> = {
  agent: ['musl-gcc', '-static', '-s', ...KERNEL_HEADERS],
  launcher: ['cc'],
  shim: ['cc', '-fPIC', '-shared'],
};

/** Compiles what these systems need beside a kernel and a QEMU, where it is not compiled yet. */
export function prepareStack(run: RunProgram): void {
  for (const part of PARTS) {
    const file = compiled(part);
    if (existsSync(file)) continue;
    const [program, ...options] = COMPILERS[part];
    const unfinished = `${file}.${process.pid}`;
    run(program, [...WARNINGS, ...options, '-o', unfinished, sourceOf(part)]);
    renameSync(unfinished, file);
  }
}
