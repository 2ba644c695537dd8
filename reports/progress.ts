/** How far a campaign has come. */
interface Progress {
  readonly scenarios: number;
  readonly operations: number;
  readonly findings: number;
}

/** One line about a campaign: written over and over on a terminal, once at its end elsewhere. */
export class ProgressLine {
  readonly #name: string;
  readonly #startedAt = performance.now();
  readonly #stream: NodeJS.WriteStream;

  constructor(name: string, stream: NodeJS.WriteStream) {
    this.#name = name;
    this.#stream = stream;
  }

  show(progress: Progress): void {
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[2K${this.#line(progress)}`);
  }

  end(progress: Progress): void {
    this.#stream.write(this.#stream.isTTY ? '\r\x1b[2K' : `${this.#line(progress)}\n`);
  }

  #line({ scenarios, operations, findings }: Progress): string {
    const perSecond = Math.round((operations / (performance.now() - this.#startedAt)) * 1000);
    return `${this.#name}: ${scenarios} scenarios, ${perSecond} operations per second, ${findings} findings`;
  }
}
