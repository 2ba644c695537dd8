import type { Duplex } from 'node:stream';

/** What is at the other end of a channel is gone, or says nothing any more. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly reason: 'crash' | 'time-out';

  constructor(reason: 'crash' | 'time-out', lastWords: string) {
    super(lastWords);
    this.reason = reason;
  }
}

/** Time without an answer after which who should answer counts as hung. */
const ANSWER_TIMEOUT_MS = 10_000;

export function onLines(channel: Duplex, take: (line: string) => void): void {
  let rest = '';
  channel.setEncoding('latin1');
  channel.on('data', (data: string) => {
    const lines = `${rest}${data}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  // How it ended, the process says.
  channel.on('error', () => undefined);
}

interface Waiting {
  readonly answers: string[];
  readonly expected: number;
  resolve(answers: string[]): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

/** Asks lines and gets a line for each, in order. */
export class Client {
  readonly #channel: Duplex;
  readonly #who: string;
  readonly #waiting: Waiting[] = [];

  /** @param who names the other end where it hangs */
  constructor(channel: Duplex, who: string) {
    this.#channel = channel;
    this.#who = who;
  }

  ask(lines: readonly string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const late = new Ended('time-out', `${this.#who} did not answer for ${ANSWER_TIMEOUT_MS / 1000} s`);
      const timer = setTimeout(() => this.fail(late), ANSWER_TIMEOUT_MS);
      this.#waiting.push({ answers: [], expected: lines.length, resolve, reject, timer });
      this.#channel.write(`${lines.join('\n')}\n`, 'latin1');
    });
  }

  /** Takes an answer. */
  take(line: string): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    first.answers.push(line);
    if (first.answers.length < first.expected) return;
    this.#waiting.shift();
    clearTimeout(first.timer);
    first.resolve(first.answers);
  }

  /** Nobody will answer what is asked. */
  fail(error: Error): void {
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }
}
