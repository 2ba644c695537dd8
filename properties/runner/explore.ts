import type { Operation, Window } from '#vocabulary';
import type { Breach, InvariantId } from '../invariants/invariant.ts';
import type { Alphabet } from './explore-alphabet.ts';
import { type BrokenAt, Hand, movesOf, type Slice, type SliceFound, STATE_NUMBERS } from './explore-hand.ts';
import { Fingerprint } from './fingerprint.ts';
import { StateSet } from './state-set.ts';
import { StateTree } from './state-tree.ts';

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
 * Anything of which every sequence of operations can be tried: a machine with what the promises remember of its run.
 * There is one state, which is moved on and put back.
 */
export interface Subject<Saved> {
  readonly promises: readonly InvariantId[];
  /** What the state is, to be put back. */
  save(): Saved;
  restore(saved: Saved): void;
  /** Moves the state on, in which `index` operations have been done before. */
  step(operation: Operation, index: number): Stepped;
  /**
   * Tells the state: the same for two from which everything goes on alike, but for the names of vectors. Returns how
   * many states there are that do, this one among them.
   */
  tell(fingerprint: Fingerprint): number;
  /** Whether an operation is to be tried: one that only ever adds to a count would never come to an end. */
  tries(operation: Operation): boolean;
  /** The windows that an operation on a device would open. What the state is has been saved, and it is put back. */
  opens(operation: Operation, device: number, state: Saved): ReadonlySet<Window>;
}

/** How far to go. */
export interface Reach {
  /** Operations in a sequence. */
  readonly depth: number;
  /** States to keep, at most: 6 bytes each, and 16 to 32 in the set of those that are known, in every process. */
  readonly states: number;
  readonly onProgress?: (sofar: Sofar) => void;
}

/** How far it has come. */
export type Sofar = Pick<Exploration, 'states' | 'transitions' | 'depth'>;

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

/** States of a slice at most: so often somebody is told how far it has come. */
export const SLICE = 1 << 10;

/**
 * Tries every operation in every state that can be reached, breadth first, and judges each: what holds here holds for
 * every sequence of these operations up to the depth that was reached. A state is kept as the operation that led to
 * it, and found again by doing that once more.
 *
 * An event that is armed is tried with the reaction in which its window opens, as one move of two operations. It needs
 * no trying with others: an event whose window does not open happens right after the reaction, where it is tried as a
 * raise; and armed before something else it waits, and is as if armed after that.
 */
export function explore(subject: Subject<unknown>, alphabet: Alphabet, reach: Reach): Exploration {
  const explorer = new Explorer(subject, alphabet, reach);
  for (const whole of explorer.slices()) for (const slice of cut(whole, SLICE)) explorer.add(explorer.hand.do(slice));
  return explorer.found();
}

/** A slice as several of so many states at most. */
export function cut(whole: Slice, states: number): readonly Slice[] {
  const count = Math.ceil((whole.to - whole.from) / states);
  return Array.from({ length: count }, (_, place) => {
    const from = whole.from + place * states;
    return { ...whole, from, to: Math.min(from + states, whole.to) };
  });
}

/** What is known of all states so far. Who does the trying gives it what was found, slice by slice in their order. */
export class Explorer {
  readonly tree: StateTree;
  /** The one of this process. */
  readonly hand: Hand;
  readonly #moves: readonly (readonly Operation[])[];
  readonly #hasArmed: boolean;
  readonly #reach: Reach;
  readonly #startedAt = performance.now();
  readonly #known = new StateSet();
  readonly #verdicts: Map<InvariantId, Found>;
  /** The first state of each depth, and behind the last one. */
  readonly #begins: number[] = [0];
  #depth = 0;
  #statesCovered = 0;
  #transitions = 0;
  #transitionsCovered = 0;

  constructor(subject: Subject<unknown>, alphabet: Alphabet, reach: Reach) {
    this.#moves = movesOf(alphabet);
    this.#hasArmed = alphabet.armed.length > 0;
    this.#reach = reach;
    this.#verdicts = new Map(subject.promises.map((id) => [id, { known: new Map(), broken: null }]));
    this.tree = new StateTree(reach.states, this.#moves.length);
    this.hand = new Hand(subject, alphabet, this.tree, (state) => !this.#known.has(state));
    const first = new Fingerprint().begin();
    const orbit = subject.tell(first);
    this.#keep(first, orbit, -1, 0);
  }

  /** What is to be tried next: each slice is asked for when all before it were added. */
  *slices(): Generator<Slice, void, undefined> {
    const begins = this.#begins;
    while (this.#depth < this.#reach.depth && this.#hasMore() && this.tree.size < this.#reach.states) {
      begins.push(this.tree.size);
      this.#depth += 1;
      yield this.#sliceAt(this.#depth - 1, false);
      if (this.#hasArmed && this.#depth > 1) yield this.#sliceAt(this.#depth - 2, true);
    }
  }

  #sliceAt(depth: number, armed: boolean): Slice {
    return { armed, depth, from: this.#begins[depth] ?? 0, to: this.#begins[depth + 1] ?? 0 };
  }

  /** Whether there are states whose moves have not been tried: armed ones are tried one depth later. */
  #hasMore(): boolean {
    const last = this.#begins.at(this.#hasArmed ? -2 : -1) ?? 0;
    return last < this.tree.size;
  }

  add({ transitions, transitionsCovered, states, broken }: SliceFound): void {
    this.#transitions += transitions;
    this.#transitionsCovered += transitionsCovered;
    for (const one of broken) this.#blame(one);
    for (let at = 0; at < states.length; at += STATE_NUMBERS) {
      const state = { low: states[at] ?? 0, high: states[at + 1] ?? 0 };
      this.#keep(state, states[at + 2] ?? 0, states[at + 3] ?? 0, states[at + 4] ?? 0);
    }
    this.#reach.onProgress?.(this.#sofar());
  }

  found(): Exploration {
    return {
      ...this.#sofar(),
      statesCovered: this.#statesCovered,
      transitionsCovered: this.#transitionsCovered,
      closed: this.tree.size < this.#reach.states && !this.#hasMore(),
      seconds: (performance.now() - this.#startedAt) / 1000,
      verdicts: this.#verdicts,
    };
  }

  #sofar(): Sofar {
    return { states: this.tree.size, transitions: this.#transitions, depth: this.#depth };
  }

  /** The first counterexample found is a shortest one. */
  #blame({ broken: { id, breach, expectedBy }, place, lead }: BrokenAt): void {
    const found = this.#verdicts.get(id);
    if (found === undefined || (expectedBy === null ? found.broken !== null : found.known.has(expectedBy))) return;
    const operations = [...this.tree.wayTo(place), lead].flatMap((move) => this.#moves[move] ?? []);
    if (expectedBy === null) found.broken = { operations, breach };
    else found.known.set(expectedBy, { operations, breach });
  }

  /** Keeps a state, unless it is known. */
  #keep(state: Pick<Fingerprint, 'low' | 'high'>, orbit: number, from: number, lead: number): void {
    if (this.tree.size >= this.#reach.states || !this.#known.add(state)) return;
    this.tree.add(from, lead);
    this.#statesCovered += orbit;
  }
}
