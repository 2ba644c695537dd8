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

/** The messages of a claim that allows none. */
export const NO_MESSAGES: readonly Message[] = [];

/** One message received, and the claim it is taken for. */
interface Unit {
  readonly message: Message;
  claim: number | null;
}

const NOTHING_TOLD: ReadonlyMap<number, Told> = new Map();

/**
 * Takes each message for some vector's, as vectors may have equal ones: as many debts as possible are met first, and
 * then as many messages as possible explained, which takes no message from a debt that was met.
 * Source: augmenting paths in a bipartite graph (Kuhn; Mendelsohn and Dulmage).
 */
export function settle(claims: readonly Claim[], received: readonly Received[]): Settlement {
  if (received.length > 0) return new Matching(claims, received).settle();
  const unmet: number[] = [];
  for (const { vector, least } of claims) if (least > 0) unmet.push(vector);
  return { told: NOTHING_TOLD, unmet, unexplained: NO_MESSAGES };
}

class Matching {
  readonly #claims: readonly Claim[];
  readonly #units: Unit[] = [];
  /** Messages that are taken for each claim. */
  readonly #load: number[];

  constructor(claims: readonly Claim[], received: readonly Received[]) {
    this.#claims = claims;
    this.#load = claims.map(() => 0);
    // One more than has a reason is enough to say that there are too many.
    let enough = 1;
    for (const { most } of claims) enough += most;
    for (const { message, count } of received)
      for (let unit = 0; unit < Math.min(count, enough); unit += 1) this.#units.push({ message, claim: null });
  }

  settle(): Settlement {
    const unmet: number[] = [];
    for (let place = 0; place < this.#claims.length; place += 1) {
      const claim = this.#claims[place];
      if (claim !== undefined && claim.least > 0 && !this.#meet(place, claim, [])) unmet.push(claim.vector);
    }
    const unexplained: Message[] = [];
    for (const unit of this.#units) if (unit.claim === null && !this.#explain(unit, [])) unexplained.push(unit.message);
    return { told: this.#told(), unmet, unexplained };
  }

  #told(): Map<number, Told> {
    const told = new Map<number, Told>();
    for (const claim of this.#claims) {
      let own = 0;
      let alone = 0;
      for (const { message } of this.#units) {
        if (!mayTake(claim, message)) continue;
        own += 1;
        if (!this.#claims.some((other) => other !== claim && mayTake(other, message))) alone += 1;
      }
      if (own > 0) told.set(claim.vector, { least: Math.min(alone, claim.most), most: Math.min(own, claim.most) });
    }
    return told;
  }

  /** Finds a message for a claim that is owed one; so far no claim has two. */
  #meet(place: number, claim: Claim, seen: Unit[]): boolean {
    for (const unit of this.#units) {
      if (seen.includes(unit) || !has(claim, unit.message)) continue;
      seen.push(unit);
      const taken = unit.claim === null ? undefined : this.#claims[unit.claim];
      if (unit.claim !== null && taken !== undefined && !this.#meet(unit.claim, taken, seen)) continue;
      this.#load[place] = 1;
      unit.claim = place;
      return true;
    }
    return false;
  }

  /** Finds a claim for a message, moving others where that makes room. */
  #explain(unit: Unit, seen: number[]): boolean {
    for (let place = 0; place < this.#claims.length; place += 1) {
      const claim = this.#claims[place];
      if (claim === undefined || seen.includes(place) || !has(claim, unit.message)) continue;
      seen.push(place);
      const load = this.#load[place] ?? 0;
      if (load < claim.most) this.#load[place] = load + 1;
      else if (!this.#units.some((other) => other.claim === place && this.#explain(other, seen))) continue;
      unit.claim = place;
      return true;
    }
    return false;
  }
}

/** Whether a message can be of the vector, and there is a reason for one. */
function mayTake(claim: Claim, message: Message): boolean {
  return claim.most > 0 && has(claim, message);
}

function has({ messages }: Claim, { address, high, data }: Message): boolean {
  for (const message of messages)
    if (message.address === address && message.high === high && message.data === data) return true;
  return false;
}
