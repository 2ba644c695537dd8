import { ARMED, type Message, PENDING, UNMASKED } from '#vocabulary';
import { VectorMap } from './by-vector.ts';
import type { GuestRaise, GuestView } from './guest-moment.ts';
import { flags, type Label, type Memory, type Words } from './memory.ts';
import { type Claim, NO_MESSAGES, settle, type Told } from './received.ts';

/** Events of a vector that were owed to the guest, and whose message never came. */
export interface Lost {
  readonly vector: number;
  /** At least one, in the order in which they happened. */
  readonly raises: readonly GuestRaise[];
  /** The operation that had turned MSI-X off at the host, if it was off when one of them happened. */
  readonly hostOffSince: number | null;
}

/** What one step does to the account. */
export interface Settled {
  readonly lost: readonly Lost[];
  /** Messages that came without a reason. */
  readonly unexplained: readonly Message[];
}

/** Events of one vector that no message has told yet. */
export interface Held {
  /** Those that the guest must hear of. */
  readonly owed: readonly GuestRaise[];
  /** Whether the pending bit of the device holds some. */
  readonly inDevice: boolean;
  /** Whether the VMM or one of its eventfds may hold some. */
  readonly inVmm: boolean;
  /** The operation that had turned MSI-X off at the host, if it was off when one of the events happened. */
  readonly hostOffSince: number | null;
}

/** What a step without events does. */
export const SETTLED: Settled = { lost: [], unexplained: [] };
/** One step tells a vector that is closed twice at most. */
const OWED_COPIED = 2;
const LIVE = ARMED | UNMASKED;
const NONE: Told = { least: 0, most: 0 };
const NOTHING: Held = { owed: [], inDevice: false, inVmm: false, hostOffSince: null };

/**
 * The events of one device that a guest has, followed from raise to message.
 * An event is owed while the guest has MSI-X on and bus mastering on; a closed vector owes it until its last gate
 * opens. It is given up when the guest disables MSI-X or resets the device, and when all other gates are open while bus
 * mastering is off. Events of one vector that wait merge.
 * Source: PCIe 6.0, 6.1.4.5, 7.5.1.1.3 and 7.7.2.2.
 */
export class GuestEvents implements Memory<GuestEvents> {
  readonly held = new VectorMap<Held>();

  /** Of the events that a vector owes it has the first few: one that merges with those tells nothing more. */
  become(other: GuestEvents): void {
    this.held.become(other.held);
    for (let vector = this.held.next(0); vector !== -1; vector = this.held.next(vector + 1)) {
      const held = this.#of(vector);
      if (held.owed.length > OWED_COPIED) this.held.set(vector, { ...held, owed: held.owed.slice(0, OWED_COPIED) });
    }
  }

  /** Every event is of a vector. */
  tell(): void {}

  tellVector(vector: number, words: Words, label: Label): void {
    const held = this.held.get(vector);
    if (held === undefined) {
      words.put(0);
      return;
    }
    const { owed, inDevice, inVmm, hostOffSince } = held;
    const told = Math.min(owed.length, OWED_COPIED);
    words.put(flags(true, inDevice, inVmm) + told * 8);
    words.put(label(hostOffSince ?? -1));
    for (let place = 0; place < told; place += 1) {
      const { raisedAt, armedAt } = owed[place] as GuestRaise;
      words.put(label(raisedAt));
      words.put(label(armedAt ?? -1));
    }
  }

  follow(view: GuestView): Settled {
    if (this.held.isEmpty && view.raises.length === 0 && view.received.length === 0) return SETTLED;
    const vectors = vectorsOf(this.held, view.raises);
    const claims = vectors.map((vector) => claim(view, vector, this.#of(vector), raisesOf(view, vector)));
    const { told, unmet, unexplained } = settle(claims, view.received);
    const lost = unmet.map((vector) => loss(view, vector, this.#of(vector), raisesOf(view, vector)));
    for (const vector of vectors) {
      const held = heldAfter(view, vector, this.#of(vector), raisesOf(view, vector), told.get(vector) ?? NONE);
      if (held.owed.length > 0 || held.inDevice || held.inVmm) this.held.set(vector, held);
      else this.held.delete(vector);
    }
    return lost.length + unexplained.length === 0 ? SETTLED : { lost, unexplained };
  }

  #of(vector: number): Held {
    return this.held.get(vector) ?? NOTHING;
  }
}

/** The vectors that have something or raise, ascending. */
export function vectorsOf(having: Pick<VectorMap<unknown>, 'next'>, raises: readonly GuestRaise[]): readonly number[] {
  const vectors: number[] = [];
  for (let vector = having.next(0); vector !== -1; vector = having.next(vector + 1)) vectors.push(vector);
  const known = vectors.length;
  for (const { vector } of raises) if (!vectors.includes(vector)) vectors.push(vector);
  return vectors.length > known ? vectors.sort((left, right) => left - right) : vectors;
}

function raisesOf({ raises }: GuestView, at: number): readonly GuestRaise[] {
  return raises.length === 0 ? raises : raises.filter(({ vector }) => vector === at);
}

/** What may and must come of a vector in this step. */
function claim(view: GuestView, vector: number, held: Held, raises: readonly GuestRaise[]): Claim {
  const isOpen = view.isOpen(vector);
  if (!isOpen && !view.wasOpen(vector)) return { vector, messages: NO_MESSAGES, most: 0, least: 0 };
  const messages = view.messages(vector);
  const passing = raises.filter((raise) => canPass(view, raise)).length;
  const most = Number(held.inDevice) + Number(held.inVmm) + passing;
  const owes = isOpen && view.gates.busMaster && owedAfter(view, vector, held, raises).length > 0;
  const kept = isKept(view, vector) || (held.owed.length > 0 && view.isExcused(vector));
  return { vector, messages, most: owes ? Math.max(most, 1) : most, least: owes && !kept ? 1 : 0 };
}

function owedAfter(view: GuestView, vector: number, held: Held, raises: readonly GuestRaise[]): readonly GuestRaise[] {
  if (raises.length === 0) return held.owed;
  const added = raises.filter((raise) => isOwed(view, raise) && (isPending(view, vector) || !isExcused(view, raise)));
  return [...held.owed, ...added];
}

function isPending(view: GuestView, vector: number): boolean {
  return (view.stateAfter(vector) & PENDING) !== 0;
}

/** Whether the device has an event pending that it cannot send yet. */
function isKept(view: GuestView, vector: number): boolean {
  const isLive = (view.stateAfter(vector) & LIVE) === LIVE;
  return isPending(view, vector) && !(view.hostOn && view.gates.busMaster && isLive);
}

/**
 * Whether the guest must hear of an event. What happens in a window happens after the guest's write; before the first
 * call of the write that enables MSI-X it is not on yet.
 */
function isOwed({ gates, gatesBefore }: GuestView, { window }: GuestRaise): boolean {
  return gates.enable && gates.busMaster && (gatesBefore.enable || window !== 'before-call');
}

/** Whether the host had refused the vector when the event happened. */
function isExcused(view: GuestView, { vector, window }: GuestRaise): boolean {
  if (view.isExcused(vector)) return true;
  return (window === 'before-call' || window === 'teardown-gap') && view.wasExcused(vector);
}

/** Whether an event may become a message at once: its vector is open, or not yet known to be closed. */
function canPass(view: GuestView, { vector, window }: GuestRaise): boolean {
  if (!maySend(view)) return false;
  if (view.isOpen(vector)) return true;
  switch (window) {
    case null:
    case 'teardown-gap':
      return false;
    case 'before-call':
      return true;
    case 'after-set':
      // What closes all vectors closes one after the other.
      return !view.gates.enable || view.gates.functionMask;
  }
}

/** Whether the device can send: a mediated one sends nothing itself, and its parent is not the guest's to stop. */
function maySend({ config, gates, gatesBefore }: GuestView): boolean {
  return config.mdev !== undefined || gates.busMaster || gatesBefore.busMaster;
}

function loss(view: GuestView, vector: number, held: Held, raises: readonly GuestRaise[]): Lost {
  return { vector, raises: owedAfter(view, vector, held, raises), hostOffSince: offSince(view, held, raises) };
}

/** The operation that had turned MSI-X off at the host when an event of a vector happened. */
function offSince(view: GuestView, held: Held, raises: readonly GuestRaise[]): number | null {
  const [first] = raises;
  if (first?.window === 'before-call') return held.hostOffSince ?? view.hostOffBefore;
  return held.hostOffSince ?? (first === undefined ? null : view.hostOffSince);
}

/**
 * What nobody can tell from another vector's message is held against neither of them: it may have been its own, and it
 * may still come.
 * @param told messages that came of the vector in this step
 */
function heldAfter(view: GuestView, vector: number, held: Held, raises: readonly GuestRaise[], told: Told): Held {
  const pending = isPending(view, vector);
  const inDevice = pending && (held.inDevice || raises.length > 0);
  if (!view.gates.enable) return { owed: NOTHING.owed, inDevice, inVmm: false, hostOffSince: null };
  const owed = owedAfter(view, vector, held, raises);
  if (view.isOpen(vector))
    return { owed: isKept(view, vector) ? owed : NOTHING.owed, inDevice, inVmm: false, hostOffSince: null };
  const untold = told.most === 0 ? owed : owed.slice(told.most);
  const hostOffSince = offSince(view, held, raises);
  return { owed: untold, inDevice, inVmm: entersVmm(view, vector, held, raises, told.least), hostOffSince };
}

/** Whether the VMM may hold an event of a vector that is closed while MSI-X is on. */
function entersVmm(view: GuestView, vector: number, held: Held, raises: readonly GuestRaise[], told: number): boolean {
  if (held.inVmm) return true;
  const isNow = isPending(view, vector);
  if (held.inDevice && !isNow && told === 0) return true;
  const sent = maySend(view) ? raises.length : 0;
  return sent - told > (isNow ? 1 : 0);
}
