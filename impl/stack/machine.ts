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
} from '#vocabulary';
import { accesses, look, NOTHING, rewind, type Sight, see } from '../qemu/guest.ts';
import { messageEvents } from '../qemu/messages.ts';
import type { Pair } from './artifacts.ts';
import { kernelOf, writtenImage } from './image.ts';
import { Inner } from './inner.ts';
import { Ended } from './lines.ts';
import { Observer } from './observer.ts';
import { type FoundDevice, Outer, type PhysicalSight } from './outer.ts';

const OK: Outcome = { kind: 'ok' };
const EINVAL: Outcome = { kind: 'errno', errno: 'EINVAL' };

/** A real kernel with an inner QEMU on each of its devices. It runs one scenario after the other. */
export class Machine {
  readonly #outer: Outer;
  readonly #inners: readonly Inner[];
  #isOver = false;

  private constructor(outer: Outer) {
    this.#outer = outer;
    this.#inners = outer.devices.map((_, place) => new Inner(outer, place));
    outer.onInnerEnd = (place, lastWords) => this.#inners[place]?.fail(new Ended('crash', lastWords));
  }

  /** @throws HarnessError when it does not start */
  static async boot(pair: Pair): Promise<Machine> {
    return new Machine(await Outer.boot(kernelOf(pair), writtenImage(pair)));
  }

  /** Whether it runs no more scenarios. */
  get hasEnded(): boolean {
    return this.#isOver || this.#outer.hasEnded;
  }

  end(): Promise<void> {
    this.#isOver = true;
    return this.#outer.end();
  }

  async run({ config, operations }: Scenario): Promise<Trace> {
    const place = placeFor(this.#outer.devices, config);
    const inner = this.#inners[place] as Inner;
    const run = new Run(this.#outer, inner, place);
    const initial = await run.begin();
    const steps: Step[] = [];
    for (const operation of operations) {
      try {
        steps.push(await run.step(operation));
      } catch (error) {
        if (!(error instanceof Ended)) throw error;
        inner.fail(error);
        const outcome: Outcome = { kind: 'unknown', reason: error.reason };
        const last: Step = { outcome, events: [], observation: [], clauses: [] };
        return { initial, steps: [...steps, last], lastWords: await this.#lastWords(error) };
      }
    }
    return { initial, steps };
  }

  /** An inner QEMU that has crashed is gone. What hangs may be the kernel, so that machine is ended. */
  async #lastWords({ reason, message }: Ended): Promise<string> {
    if (reason === 'crash') return message || 'none';
    await this.end();
    return `${message}\n${this.#outer.lastWords()}`.trim();
  }
}

function placeFor(found: readonly FoundDevice[], { devices }: Config): number {
  const [wanted] = devices;
  const events = wanted?.silent === true ? 'silent' : wanted?.whileOff === 'drops' ? 'dropped' : 'latched';
  const place = found.findIndex((device) => device.vectors === wanted?.msixVectors && device.events === events);
  if (place === -1 || devices.length !== 1)
    throw new HarnessError(
      `no device for ${JSON.stringify(devices)}; there are ${JSON.stringify(found)}, one at a time`,
    );
  return place;
}

/** What was seen after a step; of the hardware, unless it is as it was. */
interface Seen {
  readonly guest: Sight;
  readonly physical?: PhysicalSight;
}

/** Whether QEMU may take it to the host: all else is between it and the guest. */
function mayCall({ kind }: GuestOperation): boolean {
  switch (kind) {
    case 'guest.msixControl':
    case 'guest.configWrite':
    case 'guest.unmask':
    case 'guest.busMaster':
    case 'guest.reset':
      return true;
    case 'guest.mask':
    case 'guest.tableWrite':
    case 'guest.tableRead':
    case 'guest.readPba':
      return false;
  }
}

/** A scenario on one inner QEMU. */
class Run {
  readonly #outer: Outer;
  readonly #inner: Inner;
  readonly #place: number;
  readonly #observer = new Observer();
  #guest: Sight | undefined;
  #physical: PhysicalSight | undefined;

  constructor(outer: Outer, inner: Inner, place: number) {
    this.#outer = outer;
    this.#inner = inner;
    this.#place = place;
  }

  /** Brings the guest to where a scenario finds it. */
  async begin(): Promise<Trace['initial']> {
    try {
      await this.#inner.start();
      this.#inner.gatekeeper.fallSilent();
      const { layout } = this.#inner;
      await this.#inner.ask(rewind(layout, layout.vectors));
      await this.#runEventLoop();
      await this.#look();
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      this.#inner.fail(error);
      throw new HarnessError(`QEMU ended before a scenario: ${error.message}`);
    }
    this.#inner.gatekeeper.begin();
    return this.#observe();
  }

  async step(operation: Operation): Promise<Step> {
    const { gatekeeper } = this.#inner;
    let outcome = OK;
    let seen: Seen | undefined;
    if (isGuestOperation(operation)) ({ outcome, seen } = await this.#react(operation));
    else if (operation.kind === 'device.arm') gatekeeper.arm(operation.vector, operation.window);
    else if (operation.kind === 'device.raise') await this.#raise(operation.vector);
    else throw new HarnessError(`a real kernel with a VMM was asked for ${operation.kind}`);
    if (seen !== undefined) await this.#take(seen);
    // Of an arming nobody sees anything.
    else if (operation.kind !== 'device.arm') await this.#look();
    const { calls, raised, messages } = gatekeeper.takeStep();
    const events = [...raised, ...messageEvents(messages)];
    return { outcome, events, observation: this.#observe(), calls, clauses: [] };
  }

  /**
   * The guest does something, QEMU reacts, and raises whose window did not open come right after. What is seen in the
   * same go holds where QEMU did not call: its event loop has nothing to do then, and the hardware heard nothing.
   */
  async #react(operation: GuestOperation): Promise<{ readonly outcome: Outcome; readonly seen: Seen | undefined }> {
    const { gatekeeper, layout } = this.#inner;
    const isAnswered = !('vector' in operation) || operation.vector < layout.vectors;
    const lines = isAnswered ? accesses(operation, layout) : [];
    const looking = isAnswered && mayCall(operation) ? [] : look(layout);
    gatekeeper.beginReaction();
    const answers = await this.#inner.ask([...lines, ...looking]);
    const left = gatekeeper.endReaction();
    const isOver = !gatekeeper.wasCalled && left.length === 0;
    if (gatekeeper.wasCalled) await this.#runEventLoop();
    for (const vector of left) await this.#raise(vector);
    const isRead = operation.kind === 'guest.tableRead' || operation.kind === 'guest.readPba';
    const value = Number(answers[lines.length - 1]);
    return {
      outcome: isAnswered ? (isRead ? { kind: 'value', value } : OK) : EINVAL,
      seen: isOver && looking.length > 0 ? { guest: see(answers.slice(lines.length), layout) } : undefined,
    };
  }

  async #raise(vector: number): Promise<void> {
    await this.#inner.gatekeeper.raise(vector);
    await this.#runEventLoop();
  }

  /**
   * Lets QEMU handle what was signalled before. It finds the eventfd in its event loop and not before: at the latest in
   * the round in which it also finds this access, which may come before it there. So the next access comes after it.
   */
  async #runEventLoop(): Promise<void> {
    await this.#inner.ask([NOTHING]);
  }

  async #look(): Promise<void> {
    const { layout } = this.#inner;
    const [answers, physical] = await Promise.all([this.#inner.ask(look(layout)), this.#outer.look(this.#place)]);
    await this.#take({ guest: see(answers, layout), physical });
  }

  async #take({ guest, physical }: Seen): Promise<void> {
    this.#guest = guest;
    this.#physical = physical ?? this.#physical;
    await this.#inner.gatekeeper.reach(guest.told);
  }

  #observe(): Trace['initial'] {
    if (this.#guest === undefined || this.#physical === undefined) throw new Error('nothing was looked at yet');
    return this.#observer.observe(this.#physical, this.#guest, this.#inner.gatekeeper.infoFlags);
  }
}
