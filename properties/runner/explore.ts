import type { Operation, Window } from '#vocabulary';
import type { Breach, InvariantId } from '../invariants/invariant.ts';
import type { Alphabet } from './explore-alphabet.ts';
import { Fingerprint } from './fingerprint.ts';
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
export function explore<Saved>(subject: Subject<Saved>, alphabet: Alphabet, reach: Reach): Exploration {
  return new Explorer(subject, alphabet, reach).explore();
}

class Explorer<Saved> {
  readonly #subject: Subject<Saved>;
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
  readonly #path: Saved[] = [];
  readonly #way: number[] = [];
  readonly #before = new Fingerprint();
  readonly #after = new Fingerprint();

  constructor(subject: Subject<Saved>, alphabet: Alphabet, reach: Reach) {
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
    this.#path.push(this.#subject.save());
    this.#keep(this.#subject.tell(this.#after.begin()), -1, 0);
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
    const before = this.#before.begin();
    const orbit = subject.tell(before);
    for (let lead = 0; lead < this.#alphabet.plain.length; lead += 1) {
      const operation = this.#alphabet.plain[lead];
      if (operation === undefined || !subject.tries(operation)) continue;
      const { broken, still } = subject.step(operation, depth);
      this.#count(orbit);
      for (const one of broken) this.#blame(one, place, lead);
      const ways = subject.tell(this.#after.begin());
      // What changed nothing needs no putting back for the next operation, and leads nowhere.
      if (still && this.#after.equals(before)) continue;
      this.#keep(ways, place, lead);
      subject.restore(from);
    }
  }

  #tryArmed(place: number, depth: number): void {
    const subject = this.#subject;
    const from = this.#find(place);
    const orbit = subject.tell(this.#before.begin());
    let lead = this.#alphabet.plain.length;
    for (const { reaction, device, arms } of this.#alphabet.armed) {
      const opened = subject.opens(reaction, device, from);
      for (const arm of arms) {
        if (opened.has(arm.window)) {
          subject.step(arm, depth);
          const { broken } = subject.step(reaction, depth + 1);
          this.#count(orbit);
          for (const one of broken) this.#blame(one, place, lead);
          this.#keep(subject.tell(this.#after.begin()), place, lead);
          subject.restore(from);
        }
        lead += 1;
      }
    }
  }

  #count(orbit: number): void {
    this.#transitions += 1;
    this.#transitionsCovered += orbit;
  }

  /** Does the way to a state again, from where it leaves the way to the last one. It is the state then. */
  #find(place: number): Saved {
    const subject = this.#subject;
    const way = this.#wayTo(place);
    let same = 0;
    while (same < way.length && same < this.#way.length && this.#way[same] === way[same]) same += 1;
    this.#way.length = same;
    this.#path.length = same + 1;
    let found = this.#path[same];
    if (found === undefined) throw new Error('the way has no beginning');
    subject.restore(found);
    let index = way.slice(0, same).reduce((sum, lead) => sum + (this.#moves[lead]?.length ?? 0), 0);
    for (const lead of way.slice(same)) {
      for (const operation of this.#moves[lead] ?? []) {
        subject.step(operation, index);
        index += 1;
      }
      found = subject.save();
      this.#path.push(found);
      this.#way.push(lead);
    }
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

  /** Keeps the state that was told last, unless it is known. */
  #keep(orbit: number, from: number, lead: number): void {
    if (this.#states >= this.#reach.states || !this.#known.add(this.#after)) return;
    this.#parents[this.#states] = from;
    this.#leads[this.#states] = lead;
    this.#states += 1;
    this.#statesCovered += orbit;
  }
}
