import type { Message } from '#vocabulary';
import type { Received } from './guest-moment.ts';

/** What the events of one vector may and must make of a step. */
export interface Claim {
  readonly vector: number;
  /** Any of these is the vector's message. */
  readonly messages: readonly Message[];
  /** Messages that have a reason, at most. */
  readonly most: number;
  /** Messages that are owed. */
  readonly least: 0 | 1;
}

/** How many messages were a vector's: they differ where another vector has the same message and a reason for it. */
export interface Told {
  readonly least: number;
  readonly most: number;
}

/** What was received, laid beside the claims. */
export interface Settlement {
  /** Messages received for each vector; of a vector without any nothing is said. */
  readonly told: ReadonlyMap<number, Told>;
  /** Vectors that are owed a message that did not come. */
  readonly unmet: readonly number[];
  /** Messages without a reason, each as often as it came. */
  readonly unexplained: readonly Message[];
}

/** One message received, and the claim it is taken for. */
interface Unit {
  readonly message: Message;
  readonly key: string;
  claim: number | null;
}

/**
 * Takes each message for some vector's, as vectors may have equal ones: as many debts as possible are met first, and
 * then as many messages as possible explained, which takes no message from a debt that was met.
 * Source: augmenting paths in a bipartite graph (Kuhn; Mendelsohn and Dulmage).
 */
export function settle(claims: readonly Claim[], received: readonly Received[]): Settlement {
  return new Matching(claims, received).settle();
}

class Matching {
  readonly #claims: readonly Claim[];
  readonly #keys: readonly ReadonlySet<string>[];
  readonly #units: Unit[];
  readonly #load: number[];

  constructor(claims: readonly Claim[], received: readonly Received[]) {
    this.#claims = claims;
    this.#keys = claims.map(({ messages }) => new Set(messages.map(keyOf)));
    this.#load = claims.map(() => 0);
    // One more than has a reason is enough to say that there are too many.
    const enough = claims.reduce((sum, { most }) => sum + most, 1);
    this.#units = received.flatMap(({ message, count }) =>
      Array.from({ length: Math.min(count, enough) }, () => ({ message, key: keyOf(message), claim: null })),
    );
  }

  settle(): Settlement {
    const unmet: number[] = [];
    for (const [place, { vector, least }] of this.#claims.entries())
      if (least > 0 && !this.#meet(place, new Set())) unmet.push(vector);
    const unexplained: Message[] = [];
    for (const unit of this.#units)
      if (unit.claim === null && !this.#explain(unit, new Set())) unexplained.push(unit.message);
    return { told: this.#told(), unmet, unexplained };
  }

  #told(): Map<number, Told> {
    const told = new Map<number, Told>();
    for (const [place, { vector, most }] of this.#claims.entries()) {
      const own = this.#units.filter(({ key }) => this.#mayTake(place, key));
      const alone = own.filter(({ key }) => !this.#claims.some((_, at) => at !== place && this.#mayTake(at, key)));
      if (own.length > 0) told.set(vector, { least: Math.min(alone.length, most), most: Math.min(own.length, most) });
    }
    return told;
  }

  #mayTake(place: number, key: string): boolean {
    return (this.#claims[place]?.most ?? 0) > 0 && this.#keys[place]?.has(key) === true;
  }

  /** Finds a message for a claim that is owed one; so far no claim has two. */
  #meet(place: number, seen: Set<Unit>): boolean {
    for (const unit of this.#units) {
      if (seen.has(unit) || this.#keys[place]?.has(unit.key) !== true) continue;
      seen.add(unit);
      if (unit.claim !== null && !this.#meet(unit.claim, seen)) continue;
      this.#load[place] = 1;
      unit.claim = place;
      return true;
    }
    return false;
  }

  /** Finds a claim for a message, moving others where that makes room. */
  #explain(unit: Unit, seen: Set<number>): boolean {
    for (const [place, { most }] of this.#claims.entries()) {
      if (seen.has(place) || this.#keys[place]?.has(unit.key) !== true) continue;
      seen.add(place);
      const load = this.#load[place] ?? 0;
      if (load < most) this.#load[place] = load + 1;
      else if (!this.#units.some((other) => other.claim === place && this.#explain(other, seen))) continue;
      unit.claim = place;
      return true;
    }
    return false;
  }
}

function keyOf({ address, high, data }: Message): string {
  return `${high}:${address}:${data}`;
}
