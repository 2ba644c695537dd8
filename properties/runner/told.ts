import type { Divergence } from './verdict.ts';

/** The differences of two runs: each is told where it begins and where it changes. */
export class Told {
  readonly found: Divergence[] = [];
  /** What lasts, by path; null while nothing ever differed. */
  #lasting: Map<string, string> | null = null;

  /** Whether nothing differs for now: what is the same on both sides then need not be registered. */
  get isEmpty(): boolean {
    return this.#lasting === null || this.#lasting.size === 0;
  }

  /** What both say at a step and not for longer. */
  once(step: number, path: string, expected: string, got: string): void {
    if (expected !== got) this.found.push({ step, path, expected, got });
  }

  /** What both say from a step on. */
  register(step: number, path: string, expected: string, got: string): void {
    if (expected === got) {
      this.#lasting?.delete(path);
      return;
    }
    this.#lasting ??= new Map();
    const pair = `${expected}/${got}`;
    if (this.#lasting.get(path) === pair) return;
    this.#lasting.set(path, pair);
    this.found.push({ step, path, expected, got });
  }
}
