/** A line that is not an operation: what was expected, and what stood there. */
export class NotationError extends Error {
  override readonly name = 'NotationError';
}

/** The words of one line, taken from the left. */
export class Words {
  readonly #line: string;
  readonly #words: string[];

  constructor(line: string) {
    this.#line = line;
    this.#words = line.replace('[', ' [ ').replace(']', ' ] ').trim().split(/\s+/);
  }

  next(expected: string): string {
    const word = this.#words.shift();
    if (word === undefined || word === '') throw this.unexpected(expected, 'the end');
    return word;
  }

  optional(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#words[0] ?? '');
    if (match === null) return undefined;
    this.#words.shift();
    return match;
  }

  matching(pattern: RegExp, expected: string): RegExpExecArray {
    const word = this.next(expected);
    const match = pattern.exec(word);
    if (match === null) throw this.unexpected(expected, word);
    return match;
  }

  number(expected: string): number {
    return Number(this.matching(/^\d+$/, expected)[0]);
  }

  bracketed(): string[] {
    this.matching(/^\[$/, 'data in brackets');
    const words: string[] = [];
    for (let word = this.next('] after the data'); word !== ']'; word = this.next('] after the data')) words.push(word);
    return words;
  }

  device(): number {
    return Number(this.optional(/^@(\d+)$/)?.[1] ?? 0);
  }

  oneOf<Word extends string>(expected: string, choices: readonly Word[]): Word {
    const word = this.next(expected);
    const found = choices.find((choice) => choice === word);
    if (found === undefined) throw this.unexpected(`one of ${choices.join(', ')}`, word);
    return found;
  }

  end(): void {
    const word = this.#words[0];
    if (word !== undefined) throw this.unexpected('the end', word);
  }

  unexpected(expected: string, got: string): NotationError {
    return new NotationError(`expected ${expected}, got ${got} in: ${this.#line}`);
  }
}
