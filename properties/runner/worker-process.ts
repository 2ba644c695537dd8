import { type ChildProcess, fork } from 'node:child_process';

/** A process of its own that answers one question after the other, each with one message. */
export class WorkerProcess<Question, Answer> {
  isOver = false;
  readonly #child: ChildProcess;
  /** The last of what it wrote to its standard error. */
  #said = '';
  /** Settled when the process has said that it is ready, or has ended. */
  readonly ready: Promise<void>;

  /** @param source the file of the worker beside ours, without its ending: it is one thing as source, another built */
  constructor(source: string) {
    const isSource = import.meta.url.endsWith('.ts');
    const file = new URL(`./${source}.${isSource ? 'ts' : 'js'}`, import.meta.url);
    const execArgv = isSource ? ['--import', import.meta.resolve('tsx')] : [];
    this.#child = fork(file, { execArgv, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#said = (this.#said + data).slice(-2000);
    });
    this.ready = new Promise((resolve) => {
      this.#child.once('message', () => resolve());
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
  }

  /** @throws Error with its last words when it ends, or takes longer than so many seconds; it is over then */
  async ask(question: Question, secondsMax: number): Promise<Answer> {
    await this.ready;
    const child = this.#child;
    if (!child.connected) throw new Error(this.#lastWords());
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('error', onError).off('close', onClose);
      };
      const onMessage = (answer: unknown): void => {
        settle();
        resolve(answer as Answer);
      };
      const fail = (reason: string): void => {
        this.end();
        settle();
        reject(new Error(reason));
      };
      const onError = (error: Error): void => fail(`its worker: ${error.message}`);
      const onClose = (): void => fail(this.#lastWords());
      const timer = setTimeout(() => fail(`not done in ${secondsMax} seconds`), secondsMax * 1000);
      child.on('message', onMessage).on('error', onError).on('close', onClose);
      child.send(question as object);
    });
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
  process.on('message', (question: Question) => {
    void answer(question).then((told) => process.send?.(told));
  });
  process.send?.('ready');
}
