import type { Scenario, Trace } from '#vocabulary';
import { type Asked, askScenario, readScenario } from './asked.ts';
import type { Client } from './client.ts';

/**
 * Scenarios that are on their way while one is judged. The child and we take turns on a machine that has no core to
 * spare: what there is to do at a turn should be worth it.
 */
export const AT_ONCE = 8;

/** A scenario that waits for its answers. */
interface Turn {
  readonly scenario: Scenario;
  asked: Asked | undefined;
  /** What came of it when it was looked for what another had died of. */
  trace: Trace | undefined;
}

/**
 * Scenarios on one child after the other. Each is asked as soon as it is known, and answered when those before it are.
 * A child that dies has answered neither the one nor what was asked after it.
 */
export class Turns {
  readonly #start: () => Promise<Client>;
  #running: Client | undefined;
  /** In the order in which they came; the first is being answered. */
  readonly #waiting: Turn[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** While it is looked for what a child has died of, each scenario is alone. */
  #isLooking = false;

  constructor(first: Client, start: () => Promise<Client>) {
    this.#running = first;
    this.#start = start;
  }

  /** @throws HarnessError when the harness, and not the system, has failed */
  run(scenario: Scenario): Promise<Trace> {
    const turn: Turn = { scenario, asked: undefined, trace: undefined };
    const isInOrder = !this.#isLooking && this.#waiting.every(({ asked }) => asked?.client === this.#running);
    if (this.#running !== undefined && isInOrder) turn.asked = askScenario(this.#running, scenario, false);
    this.#waiting.push(turn);
    const answered = this.#last.then(() => this.#answer(turn)).finally(() => this.#waiting.shift());
    this.#last = answered.catch(() => undefined);
    return answered;
  }

  async close(): Promise<void> {
    await this.#running?.stop();
  }

  /**
   * Answers may come in batches, so a child that dies takes some with it, also of a scenario that it did not die of:
   * the second time they are to come one by one, of one scenario after the other.
   */
  async #answer(turn: Turn): Promise<Trace> {
    if (turn.trace !== undefined) return turn.trace;
    const trace = await this.#attempt(turn, false);
    const end = endOf(trace);
    if (end === undefined) {
      this.#askAhead();
      return trace;
    }
    const others = this.#waiting.filter((other) => other !== turn && other.asked?.client === turn.asked?.client);
    // One that hangs alone is to blame, and to wait once more would say nothing new.
    if (end === HUNG && others.length === 0) return trace;
    this.#isLooking = true;
    try {
      const again = await this.#attempt(turn, true);
      const endAgain = endOf(again);
      if (endAgain !== undefined) return diedAgain(again, endAgain);
      if (await this.#diesOf(others)) return again;
      const alive = `it did not ${end.infinitive} when the scenario was run once more, in a new process`;
      return withWords(trace, `${alive}: what was asked before or with it may be to blame`);
    } finally {
      this.#isLooking = false;
    }
  }

  /** What has lost its child, or never had one, is asked of the one that has just answered: it lives. */
  #askAhead(): void {
    const client = this.#running;
    if (client === undefined) return;
    for (const other of this.#waiting.slice(1))
      if (other.trace === undefined && other.asked?.client !== client)
        other.asked = askScenario(client, other.scenario, false);
  }

  /** Whether it dies of what was on its way as well. */
  async #diesOf(others: readonly Turn[]): Promise<boolean> {
    for (const other of others) {
      const trace = await this.#attempt(other, true);
      const end = endOf(trace);
      other.trace = end === undefined ? trace : diedAgain(trace, end);
      if (end !== undefined) return true;
    }
    return false;
  }

  /** One that was asked of a child that is no more is asked again. */
  async #attempt(turn: Turn, flush: boolean): Promise<Trace> {
    this.#running ??= await this.#start();
    const client = this.#running;
    if (turn.asked?.client !== client) turn.asked = askScenario(client, turn.scenario, flush);
    let trace: Trace | undefined;
    try {
      trace = await readScenario(turn.asked);
      return trace;
    } finally {
      // One that died, or that said what nobody understands, is not used again.
      if (trace === undefined || trace.lastWords !== undefined) {
        this.#running = undefined;
        await client.kill();
      }
    }
  }
}

interface End {
  readonly past: string;
  readonly infinitive: string;
}

const CRASHED: End = { past: 'crashed', infinitive: 'crash' };
const HUNG: End = { past: 'hung', infinitive: 'hang' };

/** How the child has ended in a scenario, or undefined where it has not. */
function endOf({ steps }: Trace): End | undefined {
  const last = steps.at(-1)?.outcome;
  if (last?.kind !== 'unknown') return undefined;
  return last.reason === 'crash' ? CRASHED : HUNG;
}

function diedAgain(trace: Trace, { past }: End): Trace {
  return withWords(trace, `it ${past} again when the scenario was run once more, in a new process`);
}

function withWords(trace: Trace, words: string): Trace {
  return { ...trace, lastWords: [trace.lastWords ?? '', words].filter((part) => part !== '').join('\n') };
}
