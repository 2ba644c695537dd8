import type { Operation, Window } from '#vocabulary';
import type { Breach, InvariantId } from '../invariants/invariant.ts';
import type { Alphabet } from './explore-alphabet.ts';
import { StateSet } from './state-set.ts';

/** A promise that a step broke. */
export interface Broken {
  readonly id: InvariantId;
  readonly breach: Breach;
  /** The clause that explains it, where it is known history. */
  readonly expectedBy: string | null;
}

/** What came of one operation. */
export interface Stepped {
  readonly broken: readonly Broken[];
  /** Whether nothing was changed at all, so that the state can be used for the next operation. */
  readonly still: boolean;
}

/**
 * Anything of which every sequence of operations can be tried: a machine with what the promises remember of its run,
 * in a state that can be copied and named.
 */
export interface Subject<State> {
  readonly promises: readonly InvariantId[];
  initial(): State;
  clone(state: State): State;
  /** Moves the state on, in which `index` operations have been done before. */
  step(state: State, operation: Operation, index: number): Stepped;
  /** The same for two states from which everything goes on alike. */
  key(state: State): string;
  /** Whether an operation is to be tried: one that only ever adds to a count would never come to an end. */
  tries(state: State, operation: Operation): boolean;
  /** How many states there are that go on alike but for the names of vectors, this one among them. */
  orbit(state: State): number;
  /** The windows that the last operation opened, which was one on the device. */
  opened(state: State, device: number): ReadonlySet<Window>;
}

/** How far to go. */
export interface Reach {
  /** Operations in a sequence. */
  readonly depth: number;
  /** States to keep, at most: 6 bytes each, and 16 to 32 in the set of those that are known. */
  readonly states: number;
  readonly onProgress?: (sofar: Pick<Exploration, 'states' | 'transitions' | 'depth'>) => void;
}

/** A shortest sequence of operations that breaks a promise. */
export interface Counterexample {
  readonly operations: readonly Operation[];
  readonly breach: Breach;
}

/** What was found of one promise. It holds where there is neither. */
export interface Verdict {
  /** A shortest sequence for each clause that explains why the promise is broken. */
  readonly known: ReadonlyMap<string, Counterexample>;
  /** A shortest one that nothing explains. */
  readonly broken: Counterexample | null;
}

/** What was found. */
export interface Exploration {
  /** Different states, the first among them: of those that go on alike but for the names of vectors one. */
  readonly states: number;
  /** The same with each of those counted. */
  readonly statesCovered: number;
  /** Operations done in different states. One with an event in a window of its reaction is another. */
  readonly transitions: number;
  readonly transitionsCovered: number;
  /** Every sequence of so many operations was tried: fewer than asked where there was no room for more states. */
  readonly depth: number;
  /** Whether there are no other states at all: the last operations led to none that was new. */
  readonly closed: boolean;
  readonly seconds: number;
  readonly verdicts: ReadonlyMap<InvariantId, Verdict>;
}

interface Found {
  readonly known: Map<string, Counterexample>;
  broken: Counterexample | null;
}

/** How often somebody is told how far it has come, in states. */
const TOLD_EVERY = 1 << 12;

/**
 * Tries every operation in every state that can be reached, breadth first, and judges each: what holds here holds for
 * every sequence of these operations up to the depth that was reached. A state is kept as the operation that led to
 * it, and found again by doing that once more.
 *
 * An event that is armed is tried with the reaction in which its window opens, as one move of two operations. It needs
 * no trying with others: an event whose window does not open happens right after the reaction, where it is tried as a
 * raise; and armed before something else it waits, and is as if armed after that.
 */
export function explore<State>(subject: Subject<State>, alphabet: Alphabet, reach: Reach): Exploration {
  return new Explorer(subject, alphabet, reach).explore();
}

class Explorer<State> {
  readonly #subject: Subject<State>;
  readonly #alphabet: Alphabet;
  /** Every move as operations: the plain ones, then each armed one with its reaction. */
  readonly #moves: readonly (readonly Operation[])[];
  readonly #reach: Reach;
  readonly #known = new StateSet();
  readonly #verdicts: Map<InvariantId, Found>;
  /** For each state the one before it and the move that leads from there. */
  readonly #parents: Int32Array;
  readonly #leads: Uint16Array | Uint32Array;
  /** The first state of each depth, and behind the last one. */
  readonly #begins: number[] = [0];
  #states = 0;
  #statesCovered = 0;
  #transitions = 0;
  #transitionsCovered = 0;
  /** The states on the way to the one that was looked at last, and the moves between them. */
  readonly #path: State[] = [];
  readonly #way: number[] = [];

  constructor(subject: Subject<State>, alphabet: Alphabet, reach: Reach) {
    this.#subject = subject;
    this.#alphabet = alphabet;
    const { plain, armed } = alphabet;
    this.#moves = [
      ...plain.map((operation) => [operation]),
      ...armed.flatMap(({ reaction, arms }) => arms.map((arm) => [arm, reaction])),
    ];
    this.#reach = reach;
    this.#verdicts = new Map(subject.promises.map((id) => [id, { known: new Map(), broken: null }]));
    this.#parents = new Int32Array(reach.states);
    // A file may bring any number of operations.
    const Leads = this.#moves.length > 0x10000 ? Uint32Array : Uint16Array;
    this.#leads = new Leads(reach.states);
  }

  explore(): Exploration {
    const startedAt = performance.now();
    const first = this.#subject.initial();
    this.#path.push(first);
    this.#keep(first, -1, 0);
    let depth = 0;
    while (depth < this.#reach.depth && this.#hasMore() && this.#states < this.#reach.states) {
      this.#begins.push(this.#states);
      depth += 1;
      this.#each(depth - 1, (place) => this.#tryPlain(place, depth - 1));
      if (this.#alphabet.armed.length > 0 && depth > 1)
        this.#each(depth - 2, (place) => this.#tryArmed(place, depth - 2));
    }
    return {
      ...this.#sofar(depth),
      statesCovered: this.#statesCovered,
      transitionsCovered: this.#transitionsCovered,
      closed: this.#states < this.#reach.states && !this.#hasMore(),
      seconds: (performance.now() - startedAt) / 1000,
      verdicts: this.#verdicts,
    };
  }

  #sofar(depth: number): Pick<Exploration, 'states' | 'transitions' | 'depth'> {
    return { states: this.#states, transitions: this.#transitions, depth };
  }

  /** Whether there are states whose moves have not been tried: armed ones are tried one depth later. */
  #hasMore(): boolean {
    const last = this.#begins.at(this.#alphabet.armed.length > 0 ? -2 : -1) ?? 0;
    return last < this.#states;
  }

  #each(depth: number, attempt: (place: number) => void): void {
    const end = this.#begins[depth + 1] ?? 0;
    for (let place = this.#begins[depth] ?? 0; place < end; place += 1) {
      attempt(place);
      if (place % TOLD_EVERY === 0) this.#reach.onProgress?.(this.#sofar(depth));
    }
  }

  #tryPlain(place: number, depth: number): void {
    const subject = this.#subject;
    const from = this.#find(place);
    const orbit = subject.orbit(from);
    const fromKey = subject.key(from);
    let state = subject.clone(from);
    for (const [lead, operation] of this.#alphabet.plain.entries()) {
      if (!subject.tries(from, operation)) continue;
      const { broken, still } = subject.step(state, operation, depth);
      this.#count(orbit);
      for (const one of broken) this.#blame(one, place, lead);
      // What changed nothing needs no copy for the next operation, and leads nowhere.
      if (still && subject.key(state) === fromKey) continue;
      this.#keep(state, place, lead);
      state = subject.clone(from);
    }
  }

  #tryArmed(place: number, depth: number): void {
    const subject = this.#subject;
    const from = this.#find(place);
    const orbit = subject.orbit(from);
    let lead = this.#alphabet.plain.length;
    for (const { reaction, device, arms } of this.#alphabet.armed) {
      const alone = subject.clone(from);
      subject.step(alone, reaction, depth);
      const opened = subject.opened(alone, device);
      for (const arm of arms) {
        if (opened.has(arm.window)) {
          const state = subject.clone(from);
          subject.step(state, arm, depth);
          const { broken } = subject.step(state, reaction, depth + 1);
          this.#count(orbit);
          for (const one of broken) this.#blame(one, place, lead);
          this.#keep(state, place, lead);
        }
        lead += 1;
      }
    }
  }

  #count(orbit: number): void {
    this.#transitions += 1;
    this.#transitionsCovered += orbit;
  }

  /** Does the way to a state again, from where it leaves the way to the last one. */
  #find(place: number): State {
    const way = this.#wayTo(place);
    let same = 0;
    while (same < way.length && same < this.#way.length && this.#way[same] === way[same]) same += 1;
    this.#way.length = same;
    this.#path.length = same + 1;
    let index = way.slice(0, same).reduce((sum, lead) => sum + (this.#moves[lead]?.length ?? 0), 0);
    for (const lead of way.slice(same)) {
      const last = this.#path.at(-1);
      if (last === undefined) throw new Error('the way has no beginning');
      const state = this.#subject.clone(last);
      for (const operation of this.#moves[lead] ?? []) {
        this.#subject.step(state, operation, index);
        index += 1;
      }
      this.#path.push(state);
      this.#way.push(lead);
    }
    const found = this.#path.at(-1);
    if (found === undefined) throw new Error('the way has no beginning');
    return found;
  }

  #wayTo(place: number): readonly number[] {
    const way: number[] = [];
    for (let at = place; at > 0; at = this.#parents[at] ?? 0) way.push(this.#leads[at] ?? 0);
    return way.reverse();
  }

  /** The first counterexample found is a shortest one. */
  #blame({ id, breach, expectedBy }: Broken, place: number, lead: number): void {
    const found = this.#verdicts.get(id);
    if (found === undefined || (expectedBy === null ? found.broken !== null : found.known.has(expectedBy))) return;
    const operations = [...this.#wayTo(place), lead].flatMap((move) => this.#moves[move] ?? []);
    if (expectedBy === null) found.broken = { operations, breach };
    else found.known.set(expectedBy, { operations, breach });
  }

  #keep(state: State, from: number, lead: number): void {
    if (this.#states >= this.#reach.states || !this.#known.add(this.#subject.key(state))) return;
    this.#parents[this.#states] = from;
    this.#leads[this.#states] = lead;
    this.#states += 1;
    this.#statesCovered += this.#subject.orbit(state);
  }
}
