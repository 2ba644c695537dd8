import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { SystemFactory } from '#vocabulary';
import { SYSTEM_NAMES, systemFactory } from '../impl/index.ts';
import { makeRoomFor } from '../reports/write.ts';

/** Exit codes: what scripts rely on. */
export const EXIT = { held: 0, broken: 1, usage: 2, unavailable: 3, harness: 4 } as const;

/** What was asked cannot be: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked for is not there: exit code 3. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

type OptionTable = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

type Parsed<Options extends OptionTable> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options; allowPositionals: boolean; strict: true }>
>;

/** @throws UsageError */
export function parse<Options extends OptionTable>(
  args: readonly string[],
  options: Options,
  allowPositionals = false,
): Parsed<Options> {
  const parsed = parsedStrictly(args, options, allowPositionals);
  // A variable of a script that was not set is no file name.
  const empty = Object.entries(parsed.values).find(([, value]) => [value].flat().includes(''));
  if (empty !== undefined) throw new UsageError(`--${empty[0]}: expected a value, got nothing`);
  return parsed;
}

function parsedStrictly<Options extends OptionTable>(
  args: readonly string[],
  options: Options,
  allowPositionals: boolean,
): Parsed<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals, strict: true });
  } catch (error) {
    // parseArgs says what is wrong in its first sentence.
    throw new UsageError(error instanceof Error ? (error.message.split(/\.\s/)[0] ?? error.message) : String(error));
  }
}

/** @throws UsageError */
export function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === text);
  if (name === undefined) throw new UsageError(`${option}: expected one of ${names.join(', ')}, got ${text}`);
  return name;
}

/** @throws UsageError */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}, got ${text}`);
}

/** Reads what is given. */
export function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

/** @throws UsageError */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: expected a file to read (${error instanceof Error ? error.message : error})`);
  }
}

/** @throws UsageError */
export function factoryOf(name: string, modules: string | undefined): SystemFactory {
  const factory = systemFactory(name, modules);
  if (factory === undefined)
    throw new UsageError(
      `--system: expected one of ${SYSTEM_NAMES.join(', ')}, linux:PATH, qemu:PATH, stdio:COMMAND or mutant:ID, ` +
        `got ${name}`,
    );
  return factory;
}

/** @throws UnavailableError */
export function requireReady(factory: SystemFactory): void {
  const readiness = factory.readiness();
  if (!readiness.ready)
    throw new UnavailableError(`${factory.name}: not ready: ${readiness.reason}; ${readiness.command}`);
}

/** Makes room for a report before anything runs: a run whose results cannot be kept is not begun. */
export function makeRoom(file: string, how: 'replace' | 'append' = 'replace'): void {
  try {
    makeRoomFor(file, how);
  } catch (error) {
    throw new UsageError(`${file}: expected a place to write (${error instanceof Error ? error.message : error})`);
  }
}

/** Aborted by Ctrl-C. */
export function stopOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}
