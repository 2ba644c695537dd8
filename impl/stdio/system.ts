import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  HarnessError,
  type Operation,
  printOperation,
  type Readiness,
  type Scenario,
  type Step,
  type System,
  type SystemFactory,
  type Trace,
} from '#vocabulary';
import { type Client, greet, startClient } from './client.ts';
import type { Hello } from './hello.ts';
import { readState, readStep } from './replies.ts';
import { TraceReader } from './traces.ts';
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
      return stdioSystem(name, client, hello, () => startGreeted(words, timeoutMs));
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
      accessSync(join(folder, program), constants.X_OK);
      return true;
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

function stdioSystem(name: string, first: Client, hello: Hello, start: () => Promise<Greeted>): System {
  let running: Client | undefined = first;
  const attempt = async (scenario: Scenario, flush: boolean): Promise<Trace> => {
    running ??= (await start()).client;
    const client = running;
    let trace: Trace | undefined;
    try {
      trace = await runOn(client, scenario, flush);
      return trace;
    } finally {
      // One that died, or that said what nobody understands, is not used again.
      if (trace === undefined || trace.lastWords !== undefined) {
        running = undefined;
        await client.kill();
      }
    }
  };
  return {
    name,
    precision: hello.precision,
    support: hello.support,
    atOnce: 1,
    run: async (scenario) => {
      const trace = await attempt(scenario, false);
      if (!hasCrashed(trace)) return trace;
      // Answers may come in batches, so a crash takes some with it: the second time they are to come one by one.
      const again = await attempt(scenario, true);
      const words = hasCrashed(again)
        ? 'it crashed again when the scenario was run once more, in a new process'
        : 'it did not crash when the scenario was run once more, in a new process: ' +
          'what was asked before may be to blame';
      return withWords(hasCrashed(again) ? again : trace, words);
    },
    close: async () => void (await running?.stop()),
  };
}

function hasCrashed({ steps }: Trace): boolean {
  const last = steps.at(-1)?.outcome;
  return last?.kind === 'unknown' && last.reason === 'crash';
}

function withWords(trace: Trace, words: string): Trace {
  return { ...trace, lastWords: [trace.lastWords ?? '', words].filter((part) => part !== '').join('\n') };
}

/**
 * One scenario on a child. All is asked at once: that the machine was refused is the answer to what follows as well.
 * What is observed last shows that the child has lived through it.
 * @param flush whether each answer has to be written before the next operation
 * @throws HarnessError for what is no answer, and for one that says that the harness has failed
 */
export async function runOn(client: Client, { config, operations }: Scenario, flush: boolean): Promise<Trace> {
  const reader = new TraceReader(config);
  const configuring = client.ask({ message: 'configure', config });
  const running = client.ask({ message: 'run', operations, flush });
  const observing = client.ask({ message: 'observe' });
  const configured = await client.answer(configuring, readState);
  switch (configured.kind) {
    case 'skipped':
      if (operations.length > 0) await expectSkipped(client, running);
      await expectSkipped(client, observing);
      return { initial: [], steps: [], skipped: configured.reason };
    case 'errored':
      throw new HarnessError(`configure was errored: ${configured.reason}`);
    case 'ended': {
      const lastWords = `before it answered configure\n${configured.lastWords}`;
      // Without an operation there is none that it could have ended in.
      return { initial: [], steps: operations.length === 0 ? [] : [lastStep(configured.reason)], lastWords };
    }
    case 'reply': {
      const start = reader.first(configured.value);
      const trace = await readSteps(client, running, operations, start, reader);
      return trace.lastWords === undefined ? livedThrough(client, observing, trace) : trace;
    }
  }
}

async function expectSkipped(client: Client, seq: number): Promise<void> {
  const { kind } = await client.answer(seq, readStep);
  if (kind !== 'skipped')
    throw new HarnessError(`expected skipped after configure was skipped, until the next configure, got ${kind}`);
}

async function livedThrough(client: Client, observing: number, trace: Trace): Promise<Trace> {
  const answer = await client.answer(observing, readState);
  switch (answer.kind) {
    case 'reply':
      return trace;
    case 'skipped':
    case 'errored':
      throw new HarnessError(`observe was ${answer.kind}: ${answer.reason}`);
    case 'ended': {
      // All was answered, and it died of it: the last operation is the last that it survived.
      const lastWords = `after the last operation, before it answered observe\n${answer.lastWords}`;
      const steps = trace.steps.length === 0 ? [] : [...trace.steps.slice(0, -1), lastStep(answer.reason)];
      return { ...trace, steps, lastWords };
    }
  }
}

async function readSteps(
  client: Client,
  running: number,
  operations: readonly Operation[],
  start: Pick<Trace, 'initial' | 'initialParent'>,
  reader: TraceReader,
): Promise<Trace> {
  const steps: Step[] = [];
  for (const [place, operation] of operations.entries()) {
    const answer = await client.answer(running, readStep, place);
    switch (answer.kind) {
      case 'reply':
        steps.push(reader.next(operation, answer.value));
        break;
      case 'skipped':
        return { ...start, steps, skipped: answer.reason };
      case 'errored':
        throw new HarnessError(`operation ${place} (${printOperation(operation)}) was errored: ${answer.reason}`);
      case 'ended':
        return { ...start, steps: [...steps, lastStep(answer.reason)], lastWords: answer.lastWords || 'none' };
    }
  }
  return { ...start, steps };
}

function lastStep(reason: 'crash' | 'time-out'): Step {
  return { outcome: { kind: 'unknown', reason }, events: [], observation: [], clauses: [] };
}
