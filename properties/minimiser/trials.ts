import type { Scenario } from '#vocabulary';

/**
 * What is paid for a try. `steps`: operations, for what runs in this process. `runs`: scenarios, for a system that has
 * to be started for each.
 */
export interface Cost {
  readonly kind: 'steps' | 'runs';
  /** Nothing more is tried afterwards. */
  readonly most: number;
}

/** What fails. */
export interface Suspect {
  /**
   * Whether a scenario fails in the same way. What has failed stays failed: a scenario fails with everything that
   * begins with one that does.
   */
  readonly stillFails: (scenario: Scenario) => Promise<boolean> | boolean;
  /**
   * What the scenario that was tried last has left behind, as text: from two that left the same everything is held to
   * go on alike. Left out where nothing is known of that.
   */
  readonly stateAfter?: (scenario: Scenario) => string;
  /** Whether time is up, and nothing more is tried. Left out where nobody waits. */
  readonly isOver?: () => boolean;
  /** How many scenarios may be tried at once, 1 or more. */
  readonly atOnce: number;
}

/** What was paid so far. */
export interface Spent {
  readonly runs: number;
  /** Operations of all runs. */
  readonly steps: number;
}

/** Tries scenarios on a suspect as long as they can be paid for. */
export class Trials {
  readonly suspect: Suspect;
  readonly #cost: Cost;
  readonly #whole: Trials | null;
  /** What was tried, where a run is dear. */
  readonly #known = new Map<string, boolean>();
  #runs = 0;
  #steps = 0;
  #hasRefused = false;

  /** @param whole the trials that these are a part of, which pay for them too */
  constructor(suspect: Suspect, cost: Cost, whole: Trials | null = null) {
    this.suspect = suspect;
    this.#cost = cost;
    this.#whole = whole;
  }

  get kind(): Cost['kind'] {
    return this.#cost.kind;
  }

  get spent(): Spent {
    return { runs: this.#runs, steps: this.#steps };
  }

  /** What is left of the cost. */
  get left(): number {
    const own = this.#cost.most - (this.#cost.kind === 'runs' ? this.#runs : this.#steps);
    return this.#whole === null ? own : Math.min(own, this.#whole.left);
  }

  get isOver(): boolean {
    return this.left <= 0 || this.suspect.isOver?.() === true;
  }

  /** Whether something was not tried that was asked for: what it would have shown is not known. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  /** Trials that may spend a share of what is left. */
  part(share: number): Trials {
    return new Trials(this.suspect, { ...this.#cost, most: Math.ceil(this.left * share) }, this);
  }

  /** Whether a scenario fails; false for one that cannot be paid for any more. */
  async fails(scenario: Scenario): Promise<boolean> {
    if (this.isOver) {
      this.#hasRefused = true;
      return false;
    }
    const known = this.#recall(scenario);
    if (known !== undefined) return known;
    this.#pay(scenario.operations.length);
    const fails = await this.suspect.stillFails(scenario);
    this.#remember(scenario, fails);
    return fails;
  }

  /** The first of some scenarios that fails, or null; as many are tried at once as may be. */
  async firstThatFails(candidates: Iterable<Scenario>): Promise<Scenario | null> {
    let batch: Scenario[] = [];
    for (const candidate of candidates) {
      if (this.isOver) return null;
      batch.push(candidate);
      if (batch.length < this.suspect.atOnce) continue;
      const found = await this.#firstOf(batch);
      if (found !== null) return found;
      batch = [];
    }
    return this.#firstOf(batch);
  }

  async #firstOf(batch: readonly Scenario[]): Promise<Scenario | null> {
    const verdicts = await Promise.all(batch.map((scenario) => this.fails(scenario)));
    return batch.find((_, place) => verdicts[place]) ?? null;
  }

  #pay(steps: number): void {
    this.#runs += 1;
    this.#steps += Math.max(1, steps);
    if (this.#whole !== null) this.#whole.#pay(steps);
  }

  #recall(scenario: Scenario): boolean | undefined {
    if (this.kind === 'steps') return undefined;
    return this.#whole === null ? this.#known.get(JSON.stringify(scenario)) : this.#whole.#recall(scenario);
  }

  #remember(scenario: Scenario, fails: boolean): void {
    if (this.kind === 'steps') return;
    if (this.#whole === null) this.#known.set(JSON.stringify(scenario), fails);
    else this.#whole.#remember(scenario, fails);
  }
}
