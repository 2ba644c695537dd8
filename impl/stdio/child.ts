import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

/** A harness as a process: lines in, lines out, and what it says beside. Whatever it does, little of it is kept. */
export interface Child {
  /** Writes some lines, each with its newline. A child that has ended does not mind. */
  send(lines: string): void;
  /** The next line, at once where one waits, or why there is none. */
  next(timeoutMs: number): Said | Promise<Said>;
  /** The last lines of what it wrote to stderr, and how it ended where it has. */
  lastWords(): string;
  /** Lets it end by itself, which it may take so long for; then it is killed. Returns whether it ended by itself. */
  end(graceMs: number): Promise<boolean>;
}

export type Said =
  | { readonly kind: 'line'; readonly text: string }
  /** `unfinished`: the beginning of a line that it did not finish. */
  | { readonly kind: 'ended'; readonly unfinished: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'overlong' };

/** The longest line that is read: a state of 2048 vectors takes a hundredth of it. */
export const LINE_BYTES_MAX = 2 ** 22;
/** Lines and bytes that may wait to be read; then the child has to wait. */
const WAITING_LINES_MAX = 4096;
const WAITING_BYTES_MAX = 2 ** 24;
/** What is kept of stderr. */
const ERROR_BYTES = 8192;
const ERROR_LINES = 12;
const ERROR_COLUMNS = 300;
const NEWLINE = 0x0a;

/** Starts a program, which dies with us, however we die. */
export function startChild(words: readonly string[]): Child {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C is for us, and what the child has started is ended with it.
    detached: true,
  });
  const lastWords = keepLastWords(child);
  // That it has ended is seen when its output ends.
  child.stdin.on('error', () => undefined);
  // What it has started ends with it, and with that the output that they share.
  child.on('exit', () => killGroup(child));
  return {
    send: (lines) => {
      // What is asked in one go is written in one go: a write costs as much as many operations.
      child.stdin.cork();
      child.stdin.write(lines);
      process.nextTick(() => child.stdin.uncork());
    },
    next: readLines(child),
    lastWords,
    end: (graceMs) => endOf(child, graceMs),
  };
}

function keepLastWords(child: ChildProcessWithoutNullStreams): () => string {
  let text = '';
  let end = '';
  child.stderr.on('data', (data: Buffer) => {
    const recent = data.subarray(-ERROR_BYTES).toString('utf8');
    text = `${text}${recent}`.slice(-ERROR_BYTES);
  });
  child.on('error', (error) => {
    end = `could not be started: ${error.message}`;
  });
  child.on('exit', (code, signal) => {
    end = signal === null ? `ended with exit code ${code}` : `ended by ${signal}`;
  });
  return () => {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    return [
      ...lines.slice(-ERROR_LINES).map((line) => line.slice(0, ERROR_COLUMNS)),
      ...(end === '' ? [] : [end]),
    ].join('\n');
  };
}

/** Lines as they come. An unfinished one is dropped when the child ends, and said so. */
function readLines(child: ChildProcessWithoutNullStreams): Child['next'] {
  const queue = new LineQueue();
  let ended = false;
  let wake: () => void = () => undefined;
  child.stdout.on('data', (data: Buffer) => {
    queue.add(data);
    if (queue.isFull) child.stdout.pause();
    wake();
  });
  const finish = (): void => {
    ended = true;
    wake();
  };
  child.on('error', finish);
  // Not `exit`: what was written before that may still be on its way.
  child.on('close', finish);
  const waiting = (): Said | undefined => {
    const said = queue.take();
    if (said !== undefined && child.stdout.isPaused() && !queue.isFull) child.stdout.resume();
    return said;
  };
  const wait = async (timeoutMs: number): Promise<Said> => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const left = deadline - performance.now();
      if (!ended && left > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      const said = waiting();
      if (said !== undefined) return said;
      if (ended) return { kind: 'ended', unfinished: queue.unfinished };
      if (performance.now() >= deadline) return { kind: 'silent' };
    }
  };
  return (timeoutMs) => waiting() ?? wait(timeoutMs);
}

/** Whole lines that wait, and the beginning of one that is not whole yet. */
class LineQueue {
  readonly #lines: string[] = [];
  #taken = 0;
  #waitingBytes = 0;
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #overlong = false;

  get isFull(): boolean {
    return (
      this.#overlong || this.#lines.length - this.#taken > WAITING_LINES_MAX || this.#waitingBytes > WAITING_BYTES_MAX
    );
  }

  get unfinished(): string {
    return Buffer.concat(this.#begun).toString('utf8').slice(0, ERROR_COLUMNS);
  }

  add(data: Buffer): void {
    if (this.#overlong) return;
    const first = data.indexOf(NEWLINE);
    if (first === -1) {
      this.#begin(data);
      return;
    }
    // All that is whole is made text at once: lines are many and short.
    const end = data.lastIndexOf(NEWLINE);
    this.#begin(data.subarray(0, first));
    if (this.#overlong) return;
    const whole = Buffer.concat([...this.#begun, data.subarray(first, end)]);
    for (const line of whole.toString('utf8').split('\n')) this.#lines.push(line);
    this.#waitingBytes += whole.length;
    this.#begun = [];
    this.#begunBytes = 0;
    if (end + 1 < data.length) this.#begin(data.subarray(end + 1));
  }

  /** Undefined where no whole line waits. */
  take(): Said | undefined {
    const text = this.#lines[this.#taken];
    if (text === undefined) return this.#overlong ? { kind: 'overlong' } : undefined;
    this.#taken += 1;
    this.#waitingBytes -= text.length;
    if (this.#taken === this.#lines.length) {
      this.#lines.length = 0;
      this.#taken = 0;
      this.#waitingBytes = 0;
    }
    return { kind: 'line', text };
  }

  #begin(part: Buffer): void {
    this.#begunBytes += part.length;
    this.#overlong = this.#begunBytes > LINE_BYTES_MAX;
    if (this.#overlong) this.#begun = [];
    else this.#begun.push(part);
  }
}

function endOf(child: ChildProcessWithoutNullStreams, graceMs: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    let byItself = true;
    const kill = (): void => {
      byItself = false;
      killGroup(child);
    };
    const timer = setTimeout(kill, graceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(byItself);
    });
    child.stdin.end();
    // What it leaves unread is of no interest, and must not keep it.
    child.stdout.removeAllListeners('data').resume();
    if (graceMs === 0) kill();
  });
}

function killGroup({ pid }: ChildProcessWithoutNullStreams): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // There is nobody left in it.
  }
}
