import { isDeepStrictEqual } from 'node:util';
import {
  type Config,
  HarnessError,
  type Precision,
  REGISTERS_MASK,
  type Scenario,
  type Support,
  type System,
  type Trace,
  VECTOR_STATE_MASK,
} from '#vocabulary';
import { seesMessage } from './pci-devices.ts';

/** What is kept from scenario to scenario. */
interface Pooled {
  run(scenario: Scenario): Promise<Trace>;
  /** Whether it runs no more scenarios. */
  readonly hasEnded: boolean;
  end(): Promise<void>;
}

interface Boot<Machine> {
  boot(config: Config): Promise<Machine>;
  /** What a machine was started on: it runs scenarios of the same key only. */
  keyOf(config: Config): string;
  /** How many machines are kept that have nothing to do. */
  readonly idleMax: number;
}

/** As many machines as scenarios run at a time, started when they are first needed. */
export class Pool<Machine extends Pooled> {
  readonly #name: string;
  readonly #how: Boot<Machine>;
  /** Those used last come last. */
  #idle: { readonly key: string; readonly machine: Machine }[] = [];
  readonly #starting = new Set<Promise<Machine>>();
  readonly #running = new Set<Machine>();
  #isClosed = false;

  constructor(name: string, how: Boot<Machine>) {
    this.#name = name;
    this.#how = how;
  }

  async run(scenario: Scenario): Promise<Trace> {
    const key = this.#how.keyOf(scenario.config);
    const machine = await this.#take(key, scenario.config);
    let isDone = false;
    try {
      const trace = await machine.run(scenario);
      isDone = true;
      return trace;
    } finally {
      // One that died, or that said what nobody understands, is not used again.
      if (isDone && !machine.hasEnded) await this.#giveBack(key, machine);
      else await this.#discard(machine);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // One that is being started is not running yet, and would be left behind.
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#running].map((machine) => machine.end()));
  }

  async #take(key: string, config: Config): Promise<Machine> {
    if (this.#isClosed) throw new HarnessError(`${this.#name} was asked after it was closed`);
    const found = this.#idle.findLast((idle) => idle.key === key);
    if (found !== undefined) {
      this.#idle = this.#idle.filter((idle) => idle !== found);
      return found.machine;
    }
    const starting = this.#how.boot(config);
    this.#starting.add(starting);
    try {
      const machine = await starting;
      this.#running.add(machine);
      return machine;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #giveBack(key: string, machine: Machine): Promise<void> {
    this.#idle.push({ key, machine });
    if (this.#idle.length <= this.#how.idleMax) return;
    const oldest = this.#idle.shift();
    if (oldest !== undefined) await this.#discard(oldest.machine);
  }

  async #discard(machine: Machine): Promise<void> {
    this.#running.delete(machine);
    await machine.end();
  }
}

/** No function has MSI, so there is nothing to see of that. */
const PRECISION: Precision = {
  vectorState: VECTOR_STATE_MASK,
  messageControl: true,
  registers: REGISTERS_MASK,
  seesMessage,
};

/** A pool as a system, which has the VMM that it has. */
export function pooledSystem<Machine extends Pooled>(
  name: string,
  pool: Pool<Machine>,
  support: Support,
  atOnce: number,
): System {
  return {
    name,
    precision: PRECISION,
    support,
    atOnce,
    run: async (scenario) => {
      if (!isDeepStrictEqual(scenario.config.vmm, support.vmm))
        throw new HarnessError(
          `${name} is ${JSON.stringify(support.vmm)}, asked was ${JSON.stringify(scenario.config.vmm ?? 'no VMM')}`,
        );
      return pool.run(scenario);
    },
    close: () => pool.close(),
  };
}
