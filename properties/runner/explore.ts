import type { Operation, Step, Trace } from '#vocabulary';
import { firstSeen } from '../invariants/follow-parent.ts';
import { type FollowedParent, keyOf, type MdevConfig } from '../invariants/followed-parent.ts';
import type { Breach, Invariant, InvariantId, MdevWatch } from '../invariants/invariant.ts';
import { type MdevMoment, mdevMoment } from '../invariants/mdev-moment.ts';
import { StateSet } from './state-set.ts';

/** Anything of which every sequence of operations can be tried: a machine whose state can be copied and named. */
export interface Machine<State> {
  /** A fresh state, and what is seen of it before the first operation. */
  initial(): { readonly state: State; readonly seen: Pick<Trace, 'initial' | 'initialParent'> };
  clone(state: State): State;
  /** Moves the state on. */
  step(state: State, operation: Operation): Step;
  /** The same for two states from which everything goes on alike. */
  key(state: State): string;
}

/** How far to go. */
export interface Reach {
  /** Operations in a sequence. */
  readonly depth: number;
  /** States to keep, at most: 6 bytes each, and 16 to 32 in the set of those that are known. */
  readonly states: number;
}

/** A shortest sequence of operations that breaks a promise. */
export interface Counterexample {
  readonly operations: readonly Operation[];
  readonly breach: Breach;
}

/** What was found. */
export interface Exploration {
  /** Different states, the first among them. */
  readonly states: number;
  /** Operations done in different states. */
  readonly transitions: number;
  /** Every sequence of so many operations was tried: fewer than asked where there was no room for more states. */
  readonly depth: number;
  /** Whether there are no other states at all: the last operations led to none that was new. */
  readonly closed: boolean;
  /** For each promise a shortest counterexample, or that it holds as far as was gone. */
  readonly verdicts: ReadonlyMap<InvariantId, Counterexample | 'holds'>;
}

/** A state of the machine with what is followed of it. */
interface Joint<State> {
  readonly state: State;
  readonly key: string;
  readonly followed: FollowedParent;
}

interface Watching {
  readonly id: InvariantId;
  readonly watch: MdevWatch;
}

/**
 * Tries every operation in every state that can be reached, breadth first, and judges each: what holds here holds for
 * every sequence of these operations up to the depth that was reached. A state is kept as the operation that led to
 * it, and found again by doing that once more.
 */
export function explore<State>(
  config: MdevConfig,
  machine: Machine<State>,
  alphabet: readonly Operation[],
  invariants: readonly Invariant[],
  reach: Reach,
): Exploration {
  return new Explorer(config, machine, alphabet, invariants, reach).explore();
}

class Explorer<State> {
  readonly #config: MdevConfig;
  readonly #machine: Machine<State>;
  readonly #alphabet: readonly Operation[];
  readonly #reach: Reach;
  readonly #known = new StateSet();
  readonly #verdicts: Map<InvariantId, Counterexample | 'holds'>;
  #watching: readonly Watching[];
  /** For each state the one before it and the operation that leads from there, by place in the alphabet. */
  readonly #parents: Int32Array;
  readonly #leads: Uint16Array;
  #states = 0;
  #transitions = 0;
  /** The states on the way to the one that was looked at last, and the operations between them. */
  readonly #path: Joint<State>[] = [];
  readonly #way: number[] = [];

  constructor(
    config: MdevConfig,
    machine: Machine<State>,
    alphabet: readonly Operation[],
    invariants: readonly Invariant[],
    reach: Reach,
  ) {
    this.#config = config;
    this.#machine = machine;
    this.#alphabet = alphabet;
    this.#reach = reach;
    this.#watching = invariants.flatMap(({ id, startMdev }) =>
      startMdev === undefined ? [] : [{ id, watch: startMdev() }],
    );
    this.#verdicts = new Map(this.#watching.map(({ id }) => [id, 'holds']));
    this.#parents = new Int32Array(reach.states);
    this.#leads = new Uint16Array(reach.states);
  }

  explore(): Exploration {
    const { state, seen } = this.#machine.initial();
    const first = { state, key: this.#machine.key(state), followed: firstSeen(this.#config, seen) };
    this.#path.push(first);
    this.#keep(first.key, first.followed, -1, 0);
    let begin = 0;
    let depth = 0;
    while (depth < this.#reach.depth && begin < this.#states && this.#states < this.#reach.states) {
      const end = this.#states;
      for (let place = begin; place < end; place += 1) this.#expand(place, depth);
      begin = end;
      depth += 1;
    }
    return {
      states: this.#states,
      transitions: this.#transitions,
      depth,
      closed: this.#states < this.#reach.states && begin === this.#states,
      verdicts: this.#verdicts,
    };
  }

  #expand(place: number, depth: number): void {
    const from = this.#find(place, depth);
    let state = this.#machine.clone(from.state);
    for (const [lead, operation] of this.#alphabet.entries()) {
      const step = this.#machine.step(state, operation);
      const moment = mdevMoment(this.#config, from.followed, operation, step, depth);
      this.#judge(moment, place, lead);
      this.#transitions += 1;
      const key = this.#machine.key(state);
      // What changed nothing needs no copy for the next operation, and leads nowhere.
      if (key === from.key && moment.changes.length === 0 && moment.after === from.followed) continue;
      this.#keep(key, moment.after, place, lead);
      state = this.#machine.clone(from.state);
    }
  }

  #judge(moment: MdevMoment, place: number, lead: number): void {
    for (const { id, watch } of this.#watching) {
      const [breach] = watch(moment);
      if (breach !== undefined) this.#blame(id, breach, [...this.#wayTo(place, moment.index), lead]);
    }
  }

  /** Does the way to a state again, from where it leaves the way to the last one. */
  #find(place: number, depth: number): Joint<State> {
    const way = this.#wayTo(place, depth);
    let same = 0;
    while (same < depth && same < this.#way.length && this.#way[same] === way[same]) same += 1;
    this.#way.length = same;
    this.#path.length = same + 1;
    for (const lead of way.slice(same)) {
      const [last] = this.#path.slice(-1);
      const operation = this.#alphabet[lead];
      if (last === undefined || operation === undefined) throw new Error(`state ${place} cannot be found again`);
      const state = this.#machine.clone(last.state);
      const step = this.#machine.step(state, operation);
      const { after } = mdevMoment(this.#config, last.followed, operation, step, this.#way.length);
      this.#path.push({ state, key: this.#machine.key(state), followed: after });
      this.#way.push(lead);
    }
    const [found] = this.#path.slice(-1);
    if (found === undefined) throw new Error('the way has no beginning');
    return found;
  }

  #wayTo(place: number, depth: number): readonly number[] {
    const way: number[] = new Array(depth);
    let at = place;
    for (let step = depth - 1; step >= 0; step -= 1) {
      way[step] = this.#leads[at] ?? 0;
      at = this.#parents[at] ?? 0;
    }
    return way;
  }

  /** The first counterexample found is a shortest one. */
  #blame(id: InvariantId, breach: Breach, way: readonly number[]): void {
    const operations = way.flatMap((lead) => this.#alphabet[lead] ?? []);
    this.#verdicts.set(id, { operations, breach });
    this.#watching = this.#watching.filter((watching) => watching.id !== id);
  }

  #keep(key: string, followed: FollowedParent, from: number, lead: number): void {
    if (this.#states >= this.#reach.states || !this.#known.add(key, keyOf(followed))) return;
    this.#parents[this.#states] = from;
    this.#leads[this.#states] = lead;
    this.#states += 1;
  }
}
