import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from './repository.ts';

// The package as somebody has it who has nothing of this repository.

/** Packing compiles, and installing asks npm: on a machine that does much else both take their time. */
export const PACKAGE_TIMEOUT_MS = 300_000;

/** What a program answered. */
export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** The package in a folder that was empty before. */
export interface InstalledPackage {
  readonly folder: string;
  /** The files of the tarball. */
  readonly packed: readonly string[];
  /** Runs a program there as on a machine where no real system is, and not as in a test of vitest. */
  answerOf(file: string, args: readonly string[], more?: NodeJS.ProcessEnv): Promise<Answer>;
  /** The same for a program that has to end with 0; returns what it printed. */
  done(file: string, args: readonly string[]): Promise<string>;
  /** Runs `npx vfio-irq`. @param bin a folder whose `node` is to run it; the one that runs the tests when left out */
  vfioIrq(args: readonly string[], bin?: string): Promise<Answer>;
  remove(): void;
}

/** Packs the repository, and installs the tarball. */
export async function installPackage(): Promise<InstalledPackage> {
  const scratch = mkdtempSync(join(tmpdir(), 'vfio-irq-package-'));
  const folder = join(scratch, 'empty');
  const env = { ...bareEnvironment(), XDG_CACHE_HOME: join(scratch, 'cache'), NO_COLOR: '1' };
  const answerOf: InstalledPackage['answerOf'] = (file, args, more = {}) =>
    answerIn(folder, { ...env, ...more }, file, args);
  mkdirSync(folder);
  // Without a file of its own npm would take a folder above for the project, and install there.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const told = doneBy(await answerIn(ROOT, env, 'npm', ['pack', '--json', '--silent', '--pack-destination', scratch]));
  const [tarball] = JSON.parse(told.slice(told.indexOf('[\n')));
  const offered = ['--prefer-offline', '--no-audit', '--no-fund', '--prefix', folder];
  doneBy(await answerOf('npm', ['install', ...offered, join(scratch, tarball.filename)]));
  return {
    folder,
    packed: tarball.files.map(({ path }: { path: string }) => path),
    answerOf,
    done: async (file, args) => doneBy(await answerOf(file, args)),
    vfioIrq: (args, bin) =>
      answerOf('npx', ['vfio-irq', ...args], bin === undefined ? {} : { PATH: withFirst(bin, env) }),
    remove: () => rmSync(scratch, { recursive: true }),
  };
}

/** What it said, for a test that fails. */
export const said = ({ out, error }: Answer): string => `${out}${error}`;

function doneBy(answer: Answer): string {
  expect(answer.code, said(answer)).toBe(0);
  return answer.out;
}

function bareEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|VFIO_IRQ|npm_)/.test(name));
  return Object.fromEntries(inherited);
}

/** A search path that begins with a folder. */
export function withFirst(bin: string, { PATH }: NodeJS.ProcessEnv): string {
  return `${bin}${delimiter}${PATH}`;
}

function answerIn(cwd: string, env: NodeJS.ProcessEnv, file: string, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd, env, maxBuffer: 2 ** 24 }, (_error, out, error) =>
      resolve({ code: child.exitCode ?? -1, out, error }),
    );
  });
}
