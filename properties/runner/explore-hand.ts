import type { Operation } from '#vocabulary';
import type { Broken, Subject } from './explore.ts';
import type { Alphabet } from './explore-alphabet.ts';
import { Fingerprint } from './fingerprint.ts';
import type { StateTree } from './state-tree.ts';

/** Some states after the same number of operations, in which every plain move is to be tried, or every armed one. */
export interface Slice {
  readonly armed: boolean;
  readonly depth: number;
  /** The first state, and behind the last one. */
  readonly from: number;
  readonly to: number;
}

/** What came of a slice, in the order in which it was tried. */
export interface SliceFound {
  readonly transitions: number;
  readonly transitionsCovered: number;
  /** The states that may be new, STATE_NUMBERS for each: fingerprint, how many states it stands for, parent, lead. */
  readonly states: Float64Array;
  /** The first that breaks a promise in its way, of all that this hand has tried. */
  readonly broken: readonly BrokenAt[];
}

export const STATE_NUMBERS = 5;

export interface BrokenAt {
  readonly broken: Broken;
  readonly place: number;
  readonly lead: number;
}

/** Every move as operations: the plain ones, then each armed one with its reaction. */
export function movesOf({ plain, armed }: Alphabet): readonly (readonly Operation[])[] {
  return [
    ...plain.map((operation) => [operation]),
    ...armed.flatMap(({ reaction, arms }) => arms.map((arm) => [arm, reaction])),
  ];
}

/** Who tries moves in states, with a subject of its own. Slices come to it in ascending order. */
export class Hand {
  readonly #subject: Subject<unknown>;
  readonly #alphabet: Alphabet;
  readonly #moves: readonly (readonly Operation[])[];
  readonly #tree: StateTree;
  readonly #mayBeNew: (state: Fingerprint) => boolean;
  /** The states on the way to the one that was looked at last, and the moves between them. */
  readonly #path: unknown[];
  readonly #way: number[] = [];
  readonly #before = new Fingerprint();
  readonly #after = new Fingerprint();
  /** What was found of the slice so far. */
  #transitions = 0;
  #transitionsCovered = 0;
  #states: number[] = [];
  #broken: BrokenAt[] = [];
  /** The ways in which promises were broken so far. */
  readonly #blamed = new Set<string>();

  /**
   * @param subject in its first state
   * @param mayBeNew whether a state is to be told of: it is asked about each that is not as the one before
   */
  constructor(
    subject: Subject<unknown>,
    alphabet: Alphabet,
    tree: StateTree,
    mayBeNew: (state: Fingerprint) => boolean,
  ) {
    this.#subject = subject;
    this.#alphabet = alphabet;
    this.#moves = movesOf(alphabet);
    this.#tree = tree;
    this.#mayBeNew = mayBeNew;
    this.#path = [subject.save()];
  }

  /** Tries all moves of a slice. */
  do({ armed, depth, from, to }: Slice): SliceFound {
    this.#transitions = 0;
    this.#transitionsCovered = 0;
    this.#states = [];
    this.#broken = [];
    for (let place = from; place < to; place += 1)
      if (armed) this.#tryArmed(place, depth);
      else this.#tryPlain(place, depth);
    return {
      transitions: this.#transitions,
      transitionsCovered: this.#transitionsCovered,
      states: Float64Array.from(this.#states),
      broken: this.#broken,
    };
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
  #find(place: number): unknown {
    const subject = this.#subject;
    const way = this.#tree.wayTo(place);
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

  #blame(broken: Broken, place: number, lead: number): void {
    const way = `${broken.id} ${broken.expectedBy}`;
    if (this.#blamed.has(way)) return;
    this.#blamed.add(way);
    this.#broken.push({ broken, place, lead });
  }

  /** Notes the state that was told last, unless it is known. */
  #keep(orbit: number, from: number, lead: number): void {
    if (this.#mayBeNew(this.#after)) this.#states.push(this.#after.low, this.#after.high, orbit, from, lead);
  }
}
