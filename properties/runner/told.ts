import type { Divergence } from './verdict.ts';

/** The differences of two runs: each is told where it begins and where it changes. */
export class Told {
  readonly found: Divergence[] = [];
  /** What lasts, by path. */
  readonly #lasting = new Map<string, string>();

  /** Whether nothing that differs lasts. */
  get isEmpty(): boolean {
    return this.#lasting.size === 0;
  }

  /** What both say at a step and not for longer. */
  once(step: number, path: string, expected: string, got: string): void {
    if (expected !== got) this.found.push({ step, path, expected, got });
  }

  /** What both say from a step on. */
  register(step: number, path: string, expected: string, got: string): void {
    if (expected === got) {
      this.#lasting.delete(path);
      return;
    }
    const pair = `${expected}/${got}`;
    if (this.#lasting.get(path) === pair) return;
    this.#lasting.set(path, pair);
    this.found.push({ step, path, expected, got });
  }
}
