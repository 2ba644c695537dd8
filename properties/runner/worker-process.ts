import { type ChildProcess, fork } from 'node:child_process';

interface Asker<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly secondsMax: number;
}

/** How long a worker is to go on with the same work, and with it how much it is worth to compile that well. */
export type Stint = 'short' | 'long';

/**
 * Nearly all that a step makes is garbage after it, and half of the collections are saved by room for twice as much: a
 * twentieth of the time. Operations have some twenty shapes, and what they say is read sooner by code for each of them
 * than by a look-up: another twentieth.
 */
const SHORT = ['--min-semi-space-size=32', '--max-semi-space-size=32', '--max-valid-polymorphic-map-count=30'];

/**
 * What V8 is told when a worker begins. More inlining saves a long campaign a twenty-fifth, and costs as much as it
 * saves in 100,000 scenarios: too much for the many short campaigns of a run, for each of which code is made anew.
 */
const ENGINE_OPTIONS: Readonly<Record<Stint, readonly string[]>> = {
  short: SHORT,
  long: [...SHORT, '--max-inlined-bytecode-size-cumulative=1400'],
};

/** A process of its own that answers one question after the other, each with one message. */
export class WorkerProcess<Question, Answer> {
  isOver = false;
  readonly #child: ChildProcess;
  /** Those whose questions are not answered yet, the first asked first. */
  readonly #asked: Asker<Answer>[] = [];
  #clock: NodeJS.Timeout | undefined;
  /** The last of what it wrote to its standard error. */
  #said = '';
  /** Settled when the process has said that it is ready, or has ended. */
  readonly ready: Promise<void>;

  /** @param source the file of the worker beside ours, without its ending: it is one thing as source, another built */
  constructor(source: string, stint: Stint) {
    const isSource = import.meta.url.endsWith('.ts');
    const file = new URL(`./${source}.${isSource ? 'ts' : 'js'}`, import.meta.url);
    const execArgv = [...ENGINE_OPTIONS[stint], ...(isSource ? ['--import', import.meta.resolve('tsx')] : [])];
    this.#child = fork(file, { execArgv, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#said = (this.#said + data).slice(-2000);
    });
    this.ready = new Promise((resolve) => {
      this.#child.once('message', () => {
        this.#child.on('message', (answer) => this.#answered(answer as Answer));
        resolve();
      });
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
    this.#child.on('error', (error) => this.#fail(`its worker: ${error.message}`));
    this.#child.on('close', () => this.#fail(this.#lastWords()));
  }

  /**
   * Questions may be asked ahead: they are answered in their order.
   * @throws Error with its last words when it ends, or takes longer than so many seconds; it is over then
   */
  async ask(question: Question, secondsMax: number): Promise<Answer> {
    await this.ready;
    if (!this.#child.connected) throw new Error(this.#lastWords());
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject, secondsMax });
      if (this.#asked.length === 1) this.#startClock();
      this.#child.send(question as object);
    });
  }

  #answered(answer: Answer): void {
    clearTimeout(this.#clock);
    this.#asked.shift()?.resolve(answer);
    this.#startClock();
  }

  /** The time that the first of the questions may take. */
  #startClock(): void {
    const [first] = this.#asked;
    if (first === undefined) return;
    const { secondsMax } = first;
    this.#clock = setTimeout(() => this.#fail(`not done in ${secondsMax} seconds`), secondsMax * 1000);
  }

  #fail(reason: string): void {
    clearTimeout(this.#clock);
    this.end();
    for (const { reject } of this.#asked.splice(0)) reject(new Error(reason));
  }

  #lastWords(): string {
    return `its worker ended: ${this.#said.trim()}`;
  }

  end(): void {
    this.isOver = true;
    this.#child.kill();
  }
}

/** What a worker process does: says that it is ready, and answers. It ends with the process that asks. */
export function answerQuestions<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  // Ctrl-C goes to all processes of the terminal; the one that asks decides what is still done.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit());
  let before = Promise.resolve();
  process.on('message', (question: Question) => {
    before = before.then(async () => {
      const told = await answer(question);
      process.send?.(told);
    });
  });
  process.send?.('ready');
}
