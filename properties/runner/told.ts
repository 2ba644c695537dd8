import type { Divergence } from './verdict.ts';

/** Differences already told, by path: each is told where it begins and where it changes. */
export class Told {
  readonly #told = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  register(step: number, path: string, expected: string, got: string, found: Divergence[]): void {
    if (expected === got) {
      if (this.#told.size > 0) this.#told.delete(path);
      return;
    }
    const pair = `${expected}/${got}`;
    if (this.#told.get(path) === pair) return;
    this.#told.set(path, pair);
    found.push({ step, path, expected, got });
  }
}
