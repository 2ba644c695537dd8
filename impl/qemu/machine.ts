import {
  type Config,
  type GuestOperation,
  HarnessError,
  isGuestOperation,
  type Operation,
  type Outcome,
  type Scenario,
  type Step,
  type Trace,
  UNMASKED,
} from '#vocabulary';
import {
  accesses,
  type Layout,
  layoutOf,
  look,
  NOTHING,
  rewind,
  ring,
  type Sight,
  see,
  setUpMachine,
} from './guest.ts';
import { Host } from './host.ts';
import type { Kernel } from './kernel.ts';
import { messageEvents } from './messages.ts';
import { Observer } from './observer.ts';
import { type Accelerator, type Program, type Qemu, QemuEnded, startQemu } from './qemu.ts';

const OK: Outcome = { kind: 'ok' };
const EINVAL: Outcome = { kind: 'errno', errno: 'EINVAL' };

/** A QEMU with a function in it, and the kernel below. It runs one scenario after the other. */
export class Machine {
  readonly #qemu: Qemu;
  readonly #host: Host;
  readonly #layout: Layout;
  #observer = new Observer();
  #hasEnded = false;
  #sight: Sight | undefined;

  private constructor(program: Program, accelerator: Accelerator, kernel: Kernel, config: Config) {
    this.#layout = layoutOf(config.devices[0]?.msixVectors ?? 0);
    this.#host = new Host(kernel, config, (observation) => this.#observer.take(observation));
    this.#qemu = startQemu(program, accelerator, (line) => this.#host.answer(line));
  }

  /**
   * Starts a QEMU that has the first device of the config, on the host of the config.
   * @throws HarnessError when it does not start
   */
  static async start(program: Program, accelerator: Accelerator, kernel: Kernel, config: Config): Promise<Machine> {
    const machine = new Machine(program, accelerator, kernel, config);
    try {
      await machine.#qemu.ask(setUpMachine());
      return machine;
    } catch (error) {
      await machine.end();
      if (!(error instanceof QemuEnded)) throw error;
      throw new HarnessError(`QEMU did not start: ${error.message}`);
    }
  }

  /** Whether it runs no more scenarios. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  end(): Promise<void> {
    return this.#qemu.end();
  }

  /** A trace with last words is its last. */
  async run(scenario: Scenario): Promise<Trace> {
    const initial = await this.#begin(scenario.config);
    const steps: Step[] = [];
    for (const operation of scenario.operations) {
      try {
        steps.push(await this.#step(operation));
      } catch (error) {
        if (!(error instanceof QemuEnded)) throw error;
        this.#hasEnded = true;
        const outcome: Outcome = { kind: 'unknown', reason: error.reason };
        return {
          initial,
          steps: [...steps, { outcome, events: [], observation: [], clauses: [] }],
          lastWords: error.message || 'none',
        };
      }
    }
    return { initial, steps };
  }

  async #begin(config: Config): Promise<Trace['initial']> {
    this.#host.fallSilent();
    this.#observer = new Observer();
    try {
      const answers = await this.#qemu.ask([...rewind(this.#layout, 1), ...look(this.#layout)]);
      this.#sight = see(answers.slice(-look(this.#layout).length), this.#layout);
      await this.#host.reach(this.#sight.told);
    } catch (error) {
      if (!(error instanceof QemuEnded)) throw error;
      throw new HarnessError(`QEMU ended between two scenarios: ${error.message}`);
    }
    this.#host.begin(config);
    return this.#observer.observe(this.#sight);
  }

  async #step(operation: Operation): Promise<Step> {
    let outcome = OK;
    let sight: Sight | undefined;
    if (isGuestOperation(operation)) ({ outcome, sight } = await this.#react(operation));
    else {
      this.#perform(operation);
      // Of anything but a raise the guest sees nothing.
      if (operation.kind !== 'device.raise') sight = this.#seen();
    }
    await this.#runEventLoop();
    await this.#look(sight);
    const { states } = this.#seen();
    this.#host.nameIrqfds([...states.keys()].filter((vector) => ((states[vector] ?? 0) & UNMASKED) !== 0));
    const { calls, raised, messages } = this.#host.takeStep();
    const events = [...raised, ...messageEvents(messages)];
    return { outcome, events, observation: this.#observer.observe(this.#seen()), calls, clauses: [] };
  }

  #perform(operation: Exclude<Operation, GuestOperation>): void {
    switch (operation.kind) {
      case 'device.raise':
        this.#host.raise(operation.vector);
        return;
      case 'device.arm':
        this.#host.arm(operation.vector, operation.window);
        return;
      case 'host.limitVectors':
      case 'host.failAllocation':
        this.#host.perform(operation);
        return;
    }
    throw new HarnessError(`a machine with a VMM was asked for ${operation.kind}`);
  }

  /**
   * The guest does something, QEMU reacts, and raises whose window did not open come right after. What is seen in the
   * same go holds where QEMU asked for nothing: its event loop has nothing to do then.
   */
  async #react(operation: GuestOperation): Promise<{ readonly outcome: Outcome; readonly sight: Sight | undefined }> {
    const isAnswered = !('vector' in operation) || operation.vector < this.#layout.vectors;
    const lines = isAnswered ? accesses(operation, this.#layout) : [];
    const looking = isAnswered && mayCall(operation) ? [] : look(this.#layout);
    this.#host.beginReaction();
    const answers = await this.#qemu.ask([...lines, ...looking]);
    const left = this.#host.endReaction();
    if (this.#host.wasAsked) await this.#qemu.ask([NOTHING]);
    for (const vector of left) {
      this.#host.raise(vector);
      await this.#runEventLoop();
    }
    const isSeen = looking.length > 0 && !this.#host.wasAsked && left.length === 0;
    const outcome = isAnswered ? outcomeOf(operation, answers[lines.length - 1]) : EINVAL;
    return { outcome, sight: isSeen ? see(answers.slice(lines.length), this.#layout) : undefined };
  }

  /**
   * Lets QEMU handle what was signalled. It finds the eventfd in its event loop and not before: at the latest in the
   * round in which it also finds the second access, which may come before it there.
   */
  async #runEventLoop(): Promise<void> {
    const signals = this.#host.takeSignals();
    if (signals.length === 0) return;
    await this.#qemu.ask(signals.map(ring));
    await this.#qemu.ask([NOTHING]);
  }

  async #look(already: Sight | undefined): Promise<void> {
    this.#sight = already ?? see(await this.#qemu.ask(look(this.#layout)), this.#layout);
    await this.#host.reach(this.#sight.told);
  }

  #seen(): Sight {
    if (this.#sight === undefined) throw new HarnessError('nothing was looked at yet');
    return this.#sight;
  }
}

/** Whether it is of a kind that QEMU often asks the host for: what is seen in the same go would then be in vain. */
function mayCall({ kind }: GuestOperation): boolean {
  switch (kind) {
    case 'guest.msixControl':
    case 'guest.configWrite':
    case 'guest.unmask':
    case 'guest.reset':
      return true;
    case 'guest.mask':
    case 'guest.tableWrite':
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.busMaster':
      return false;
  }
}

function outcomeOf(operation: GuestOperation, answer: string | undefined): Outcome {
  const isRead = operation.kind === 'guest.tableRead' || operation.kind === 'guest.readPba';
  return isRead ? { kind: 'value', value: Number(answer) } : OK;
}
