import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readiness, SystemFactory } from '#vocabulary';
import { type Client, greet, startClient } from './client.ts';
import type { Hello } from './hello.ts';
import { AT_ONCE, Turns } from './turns.ts';
import { wordsOf } from './words.ts';

const PREFIX = 'stdio:';
/** Time without a line after which a harness counts as hung, unless a test says otherwise. */
export const TIMEOUT_MS = Number(process.env['VFIO_IRQ_STDIO_TIMEOUT_MS'] ?? 10_000);

export function isStdioName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * A program that speaks PROTOCOL.md, `stdio:COMMAND`.
 * @param timeoutMs how long it may take for each line
 * @throws CommandError
 */
export function stdioFactory(name: string, timeoutMs = TIMEOUT_MS): SystemFactory {
  const words = commandOf(name);
  return {
    name,
    readiness: () => readiness(words),
    start: async () => {
      const { client, hello } = await startGreeted(words, timeoutMs);
      const turns = new Turns(client, async () => (await startGreeted(words, timeoutMs)).client);
      return {
        name,
        precision: hello.precision,
        support: hello.support,
        atOnce: AT_ONCE,
        run: (scenario) => turns.run(scenario),
        close: () => turns.close(),
      };
    },
  };
}

/** The words of its command line. @throws CommandError */
export function commandOf(name: string): readonly string[] {
  return wordsOf(name.slice(PREFIX.length));
}

function readiness([program = '']: readonly string[]): Readiness {
  if (!isProgram(program))
    return { ready: false, reason: `there is no program ${program}`, command: 'name one that can be run' };
  if (!isProgram('setpriv'))
    return { ready: false, reason: 'setpriv is not installed', command: 'apt-get install util-linux' };
  return { ready: true };
}

function isProgram(program: string): boolean {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      const path = join(folder, program);
      accessSync(path, constants.X_OK);
      // What a folder allows in its place is to look into it.
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

interface Greeted {
  readonly client: Client;
  readonly hello: Hello;
}

async function startGreeted(words: readonly string[], timeoutMs: number): Promise<Greeted> {
  const client = startClient(words, timeoutMs);
  try {
    return { client, hello: await greet(client) };
  } catch (error) {
    await client.kill();
    throw error;
  }
}
