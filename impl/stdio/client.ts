import { HarnessError } from '#vocabulary';
import { type Said, startChild } from './child.ts';
import { type Hello, PROTOCOL_VERSION, readHello } from './hello.ts';
import { type Declined, type Request, readDeclined, readStopped } from './replies.ts';
import { isRecord, type Read, ShapeError } from './shape.ts';

/** What came of a message. `ended`: the child crashed, or said nothing in time; it is not to be asked again. */
export type Answer<Value> =
  | { readonly kind: 'reply'; readonly value: Value }
  | { readonly kind: 'ended'; readonly reason: 'crash' | 'time-out'; readonly lastWords: string }
  | Declined;

/** One process that speaks the protocol. */
export interface Client {
  /** Sends messages, all at once, and returns the sequence number of the first; the others follow it. */
  ask(...requests: readonly Request[]): number;
  /**
   * The next answer to a message, at once where it is there.
   * @param step which answer of a `run` it has to be
   * @param withinMs how long it may take, where that is not what another may
   * @throws HarnessError for a line that is no such answer.
   */
  answer<Value>(
    seq: number,
    read: Read<Value>,
    step?: number,
    withinMs?: number,
  ): Answer<Value> | Promise<Answer<Value>>;
  /** Asks it to stop, and ends it if it does not. Returns what was wrong about how it stopped, if anything was. */
  stop(): Promise<string | undefined>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** Time that a child has to stop when it is asked. */
const STOP_MS = 2000;
/** Time that it has to start. */
const START_MS = 30_000;
const EXCERPT = 120;

/**
 * Starts a program and says nothing to it yet.
 * @param timeoutMs how long it may take for each line
 * @param before the sequence number before the first
 */
export function startClient(words: readonly string[], timeoutMs: number, before = 0): Client {
  const child = startChild(words);
  let last = before;
  const withStderr = (what: string): string => [what, child.lastWords()].filter((part) => part !== '').join('\n');
  const broken = (what: string): HarnessError => new HarnessError(withStderr(what));
  const ask: Client['ask'] = (...requests) => {
    const first = last + 1;
    let lines = '';
    for (const request of requests) {
      last += 1;
      lines += `${JSON.stringify({ seq: last, ...request })}\n`;
    }
    child.send(lines);
    return first;
  };
  const understood = <Value>(said: Said, due: Due<Value>): Answer<Value> => {
    switch (said.kind) {
      case 'ended': {
        const begun = said.unfinished === '' ? '' : `it ended in the middle of a line: ${said.unfinished}`;
        return { kind: 'ended', reason: 'crash', lastWords: withStderr(begun) };
      }
      case 'silent':
        return { kind: 'ended', reason: 'time-out', lastWords: withStderr(`no line within ${due.withinMs / 1000} s`) };
      case 'overlong':
        throw broken('a line is longer than 4 MiB');
      case 'line':
        return readLine(said.text, due, broken);
    }
  };
  const answer: Client['answer'] = (seq, read, step, withinMs = timeoutMs) => {
    const due = { seq, read, step, withinMs };
    const said = child.next(withinMs);
    return said instanceof Promise ? said.then((later) => understood(later, due)) : understood(said, due);
  };
  const stopAnswer = async (): Promise<Answer<unknown>> =>
    answer(ask({ message: 'stop' }), readStopped, undefined, STOP_MS);
  return {
    ask,
    answer,
    stop: async () => {
      const stopped = await stopAnswer().catch((error: HarnessError) => error.message);
      const byItself = await child.end(STOP_MS);
      if (typeof stopped === 'string') return stopped;
      if (stopped.kind === 'ended') return `stop was not answered (${stopped.reason})`;
      if (stopped.kind !== 'reply') return `stop was ${stopped.kind}: ${stopped.reason}`;
      return byItself ? undefined : `it did not end within ${STOP_MS / 1000} s after it had answered stop`;
    },
    kill: async () => void (await child.end(0)),
  };
}

/** Which answer is due. */
interface Due<Value> {
  readonly seq: number;
  readonly read: Read<Value>;
  readonly step: number | undefined;
  readonly withinMs: number;
}

function readLine<Value>(
  line: string,
  { seq, step, read }: Due<Value>,
  broken: (what: string) => HarnessError,
): Answer<Value> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw broken(`expected a line of JSON, got: ${excerptOf(line)}`);
  }
  if (!isRecord(value)) throw broken(`expected an object, got: ${excerptOf(line)}`);
  if (value['seq'] !== seq)
    throw broken(`expected an answer with sequence number ${seq}, got ${value['seq']}: ${excerptOf(line)}`);
  try {
    const declined = readDeclined(value);
    if (declined !== undefined) return declined;
    if (step !== undefined && value['step'] !== step)
      throw broken(`expected the answer to operation ${step}, got that to ${value['step']}: ${excerptOf(line)}`);
    return { kind: 'reply', value: read(value) };
  } catch (error) {
    if (error instanceof ShapeError) throw broken(`${error.message} in: ${excerptOf(line)}`);
    throw error;
  }
}

function excerptOf(line: string): string {
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}...` : line;
}

/** Asks who it is. @throws HarnessError when it does not say within the time that a start may take */
export async function greet(client: Client): Promise<Hello> {
  const asked = client.ask({ message: 'hello', protocol: PROTOCOL_VERSION });
  const answer = await client.answer(asked, readHello, undefined, START_MS);
  switch (answer.kind) {
    case 'reply':
      return answer.value;
    case 'ended':
      throw new HarnessError(`hello was not answered (${answer.reason})\n${answer.lastWords}`);
    case 'skipped':
    case 'errored':
      throw new HarnessError(`hello was ${answer.kind}: ${answer.reason}`);
  }
}
