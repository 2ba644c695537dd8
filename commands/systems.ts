import { SYSTEM_NAMES } from '../impl/index.ts';
import { EXIT, factoryOf, parse } from './arguments.ts';

/** Every system, ready or not. */
export function systems(args: readonly string[]): number {
  parse(args, {});
  const width = Math.max(...SYSTEM_NAMES.map((name) => name.length));
  for (const name of SYSTEM_NAMES) {
    const readiness = factoryOf(name, undefined).readiness();
    const words = readiness.ready ? 'ready' : `not ready: ${readiness.reason}; ${readiness.command}`;
    process.stdout.write(`${readiness.ready ? '✓' : '–'} ${name.padEnd(width)}  ${words}\n`);
  }
  return EXIT.held;
}
